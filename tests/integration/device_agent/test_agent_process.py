"""The shipped agent as a process, against a real broker: what it does when everything and everybody fails."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from schemas.messages import Birth, Offline, Will
from schemas.states import ReportStatus
from tests.integration.device_agent.agents import AgentProcess
from tests.integration.device_agent.scripted_hub import ScriptedHub
from tests.support.agent_bench import a_cancel
from tests.support.embedded_broker import RunningBroker
from tests.support.strace import strace


async def test_a_command_is_accepted_started_completed_and_confirmed(agent: AgentProcess, hub: ScriptedHub) -> None:
    await agent.start()
    await hub.wait(lambda: bool(hub.states))
    assert hub.states[0].capabilities == ["print"]
    run = await hub.run(1)
    end = await hub.wait_end(run)
    assert [report.status for report in hub.reports] == ["accepted", "started", "completed"]
    assert end.result is not None
    assert agent.effects() == [end.result.data["noted"]]
    assert await agent.terminate() == 0
    assert isinstance(hub.presence[0], Birth)


async def test_a_clean_stop_waits_for_what_runs_and_says_offline(agent: AgentProcess, hub: ScriptedHub) -> None:
    await agent.start()
    await hub.wait_welcomed()
    run = await hub.run(1, payload={"n": 1, "wait": True})
    await agent.wait_log("command_started")
    agent.open_gate(1)
    assert await agent.terminate() == 0
    await hub.wait(lambda: isinstance(hub.presence[-1], Offline))
    assert (await hub.wait_end(run)).status is ReportStatus.COMPLETED
    assert agent.logged("agent_stopped")


async def test_a_killed_agent_leaves_its_will(agent: AgentProcess, hub: ScriptedHub) -> None:
    await agent.start()
    await hub.wait_welcomed()
    await agent.wait_log("welcomed")
    await agent.kill()
    await hub.wait(lambda: isinstance(hub.presence[-1], Will))


@pytest.mark.fault("F18")
async def test_ten_deliveries_have_one_effect(agent: AgentProcess, hub: ScriptedHub) -> None:
    await agent.start()
    await hub.wait_welcomed()
    run = await hub.run(1, times=10)
    await hub.wait_end(run)
    await hub.run(1, times=10)
    last = await hub.run(2)
    await hub.wait_end(last)
    assert len(hub.ends(run)) == 1
    assert len(agent.effects()) == 2


async def test_a_kill_in_the_middle_of_an_effect_is_settled_by_evidence(agent: AgentProcess, hub: ScriptedHub) -> None:
    await agent.start()
    await hub.wait_welcomed()
    run = await hub.run(1, payload={"n": 1, "wait": True})
    await hub.wait(lambda: ReportStatus.STARTED in {report.status for report in hub.reports})
    while not agent.effects():  # the report goes out before the file is written
        await hub.run(1, payload={"n": 1, "wait": True})
    await agent.kill()
    await agent.start()
    end = await hub.wait_end(run)
    assert end.status is ReportStatus.COMPLETED
    assert end.result is not None
    assert end.result.data == {"evidence": "noted"}
    assert len(agent.effects()) == 1


@pytest.mark.fault("F21")
async def test_reports_without_receipt_come_again_after_a_restart(agent: AgentProcess, hub: ScriptedHub) -> None:
    hub.receipts = False
    await agent.start()
    await hub.wait_welcomed()
    run = await hub.run(1)
    first = await hub.wait_end(run)
    await agent.kill()
    hub.reports.clear()
    hub.receipts = True
    await agent.start()
    assert await hub.wait_end(run) == first
    assert len(agent.effects()) == 1


@pytest.mark.fault("F13")
async def test_a_broker_that_dies_and_forgets_costs_nothing(
    agent: AgentProcess, hub: ScriptedHub, broker: RunningBroker
) -> None:
    await agent.start()
    await hub.wait_welcomed()
    run = await hub.run(1, payload={"n": 1, "wait": True})
    await agent.wait_log("command_started")
    broker.embedded.kill()
    broker.embedded.wipe()
    agent.open_gate(1)
    await agent.wait_log("command_ended")
    broker.embedded.start()
    account = broker.accounts.hub
    async with ScriptedHub(broker.port, account.username, account.password) as again:
        again.epoch = hub.epoch
        assert (await again.wait_end(run)).status is ReportStatus.COMPLETED
        assert len(agent.effects()) == 1
        assert await agent.terminate() == 0


async def test_a_cancel_before_its_command_holds(agent: AgentProcess, hub: ScriptedHub) -> None:
    await agent.start()
    await hub.wait_welcomed()
    await hub.send(a_cancel(1))
    run = await hub.run(1)
    assert (await hub.wait_end(run)).status is ReportStatus.CANCELLED
    assert agent.effects() == []


async def test_a_refused_secret_is_logged_with_the_remedy_and_tried_again(
    agent: AgentProcess, hub: ScriptedHub
) -> None:
    (agent.folder / "secret").write_text("an-old-one")
    await agent.start()
    line = await agent.wait_log("credentials_refused", count=2)
    assert "has its current secret" in line["message"]
    assert "an-old-one" not in str(agent.logs)


async def test_the_agent_that_is_told_to_keep_away_says_why_and_leaves(agent: AgentProcess, hub: ScriptedHub) -> None:
    hub.keep_away = "pc-1 also runs on 10.0.0.9"
    await agent.start()
    assert (await agent.wait_log("fenced"))["reason"] == hub.keep_away
    await hub.wait(lambda: isinstance(hub.presence[-1], Offline))
    assert await agent.terminate() == 0


@pytest.mark.fault("F23")
async def test_a_second_agent_on_the_same_data_folder_ends_with_a_sentence(
    agent: AgentProcess, hub: ScriptedHub
) -> None:
    await agent.start()
    await agent.wait_log("agent_started")
    second = AgentProcess.__new__(AgentProcess)
    second.__dict__ |= agent.__dict__ | {"logs": []}
    await second.start()
    assert await second.wait() == 2
    assert "uses" in second.logged("agent_failed")[0]["message"]


@pytest.mark.fault("F17")
@pytest.mark.fault("F18")
@pytest.mark.fault("F19")
@pytest.mark.fault("F20")
@pytest.mark.parametrize("sync", [1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18])
async def test_a_kill_at_any_sync_ends_every_command_once(agent: AgentProcess, hub: ScriptedHub, sync: int) -> None:
    """strace kills the agent at its K-th sync: around every journal commit and around the effects' own."""
    await agent.start(*strace("-f", "-o", "/dev/null", "-e", f"inject=fsync,fdatasync:signal=KILL:when={sync}"))
    await first_of(agent.wait(), hub.wait_welcomed())
    runs = [await hub.run(number, lane=f"lane-{number % 2}") for number in range(1, 5)]
    await first_of(agent.wait(), hub.wait(lambda: all(hub.ends(run) for run in runs)))
    await agent.kill()
    await agent.start()
    births = sum(isinstance(word, Birth) for word in hub.presence)
    await hub.wait_welcomed(births + 1)
    for run in runs:
        await hub.send(run)  # the hub offers again what it has no end for
    for run in runs:
        await hub.wait_end(run)
    assert len(agent.effects()) == len(set(agent.effects())), "an effect took place twice"
    for run in runs:
        [end] = hub.ends(run)
        noted = f"floorhub-{run.command_id}-1" in agent.effects()
        assert (end.status, noted) in {("completed", True), ("unknown", False)}


@pytest.mark.fault("F25")
async def test_a_disk_that_fails_ends_the_agent_but_not_what_the_device_does(
    agent: AgentProcess, hub: ScriptedHub
) -> None:
    await agent.start(*strace("-f", "-o", "/dev/null", "-e", "inject=fsync,fdatasync:error=EIO:when=20+"))
    await hub.wait_welcomed()
    runs = [await hub.run(1, payload={"n": 1, "wait": True})]
    await agent.wait_log("command_started")
    async with asyncio.timeout(30):
        while not agent.logged("journal_failed"):
            runs.append(await hub.run(len(runs) + 1, lane=f"lane-{len(runs)}"))
            await first_of(agent.wait(), hub.wait_end(runs[-1]))
    assert await agent.wait() == 1
    assert "free disk space or replace the disk" in agent.logged("agent_failed")[0]["message"]
    assert (agent.gates / "1-cancelled").read_text() == "nobody asked"
    await agent.start()
    await agent.wait_log("welcomed", count=2)
    for run in runs:
        await hub.send(run)
        await hub.wait_end(run)
    assert len(agent.effects()) == len(set(agent.effects()))


async def first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Wait until one of them is done; the others are given up."""
    tasks = [asyncio.create_task(work, name=f"first-of-{number}") for number, work in enumerate(works)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
