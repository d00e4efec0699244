"""A real Mosquitto with the shipped configuration, a hub that is a script, and agents as processes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.device_agent.agents import AgentProcess
from tests.integration.device_agent.scripted_hub import ScriptedHub
from tests.support.agent_bench import CLIENT
from tests.support.embedded_broker import RunningBroker, known_client, running_broker
from tests.support.folders import open_data_folder

SECRET = "an-agents-secret-of-256-bits"


@pytest.fixture
def broker() -> Iterator[RunningBroker]:
    with open_data_folder("agent-test") as folder, running_broker(folder, [known_client(CLIENT, SECRET)]) as running:
        yield running


@pytest.fixture
async def hub(broker: RunningBroker) -> AsyncIterator[ScriptedHub]:
    async with ScriptedHub(broker.port, broker.accounts.hub.username, broker.accounts.hub.password) as hub:
        yield hub


@pytest.fixture
async def agent(broker: RunningBroker, hub: ScriptedHub, tmp_path: Path) -> AsyncIterator[AgentProcess]:
    agent = AgentProcess(tmp_path, broker.url, hub.keys.root.public_key, SECRET)
    yield agent
    await agent.kill()
