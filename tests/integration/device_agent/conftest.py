"""A real Mosquitto with the shipped configuration, a hub that is a script, and agents as processes."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker_config.render import Client, hash_password, render_dynsec
from hub.programs.embedded.accounts import Accounts, load_or_create
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.mosquitto import BrokerOptions, EmbeddedBroker
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from tests.integration.device_agent.agents import AgentProcess
from tests.integration.device_agent.scripted_hub import ScriptedHub
from tests.support.agent_bench import CLIENT

SECRET = "an-agents-secret-of-256-bits"


@dataclass
class Broker:
    """The running broker and how to get in."""

    embedded: EmbeddedBroker
    accounts: Accounts

    @property
    def url(self) -> str:
        return self.embedded.url

    @property
    def port(self) -> int:
        return self.embedded.options.mqtt_port


@pytest.fixture
def broker() -> Iterator[Broker]:
    root = Path(tempfile.mkdtemp(prefix="floorhub-agent-test-"))  # tmp_path is closed to the broker's own user
    root.chmod(0o755)
    folder = DataFolder.prepare(root)
    with folder.locked():
        ports = PortBook(folder.ports)
        options = BrokerOptions(ports.choose("mqtt", 0).number, ports.choose("websocket", 0).number)
        accounts = load_or_create(folder.keys / "accounts.json")
        dynsec = render_dynsec(
            {role: hash_password(secret) for role, secret in accounts.passwords().items()},
            [Client(CLIENT, hash_password(SECRET))],
        )
        embedded = EmbeddedBroker(folder, Packages(), options)
        embedded.start(dynsec)
        try:
            yield Broker(embedded, accounts)
        finally:
            embedded.stop()
    shutil.rmtree(root)


@pytest.fixture
async def hub(broker: Broker) -> AsyncIterator[ScriptedHub]:
    async with ScriptedHub(broker.port, broker.accounts.hub.username, broker.accounts.hub.password) as hub:
        yield hub


@pytest.fixture
async def agent(broker: Broker, hub: ScriptedHub, tmp_path: Path) -> AsyncIterator[AgentProcess]:
    agent = AgentProcess(tmp_path, broker.url, hub.keys.root.public_key, SECRET)
    yield agent
    await agent.kill()
