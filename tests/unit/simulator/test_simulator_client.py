"""A simulated client on the bench: how it judges its hub, whatever the machine's clock says."""

import asyncio
import time
from uuid import UUID

import pytest

from device_agent.core.events import Connected, Inbox, MessageReceived
from device_agent.core.records import Snapshot
from device_agent.session import Endpoint
from hub.programs.simulator.client import Device, Process
from hub.programs.simulator.faults import Effects, Faults
from hub.programs.simulator.plan import ClientPlan
from hub.programs.simulator.recorder import LATE_S, Recorder
from schemas.messages import Receipt, Welcome
from schemas.signing import Signer
from tests.support.agent_bench import CLIENT, JOURNAL, T0, HubKeys, a_run, command_id, moment
from tests.support.waiting import eventually

HUB = HubKeys()
NOBODY = UUID(int=0)


def deaf(client_id: str, command_id: UUID, attempt: int) -> None:
    """Nobody asks for the effects one by one."""


async def welcomed(recorder: Recorder) -> Process:
    """A client whose broker never answers: what it hears comes from the test."""
    endpoint = Endpoint(host="127.0.0.1", port=9, client_id=CLIENT, secret="s")
    plan = ClientPlan(Faults(effects=Effects(work_s=(0.0, 0.0))), CLIENT)
    process = Process(endpoint, HUB.root.public_key, Snapshot(), plan, recorder, Device())
    process.start()
    await process.deliver(Connected(1))
    await process.deliver(MessageReceived(Inbox.KEYS, HUB.key_list(), retained=True))
    welcome = Welcome(client_id=CLIENT, session=process.session, journal=JOURNAL, epoch=1, hub_time=moment(T0))
    await process.deliver(MessageReceived(Inbox.RECEIPTS, HUB.sign(welcome)))
    return process


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_wrong_clock_of_the_machine_accuses_nobody(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    monkeypatch.setattr(time, "time", lambda: T0 + hours * 3_600)
    recorder = Recorder(deaf)
    process = await welcomed(recorder)
    await process.deliver(MessageReceived(Inbox.COMMANDS, HUB.sign(a_run())))
    await eventually(lambda: recorder.counts["effects"] == 1)
    await process.stop()
    assert recorder.broken == []


def test_an_effect_that_begins_after_its_expiry_by_the_time_of_the_hub_is_named() -> None:
    recorder = Recorder(deaf, late_s=2.0)
    recorder.began(CLIENT, command_id(1), T0 - 999, mono=100.0)  # the hub has not said its time: nobody can say
    receipt = Receipt(client_id=CLIENT, report_ids=[], hub_time=moment(T0))
    recorder.hub_time.heard(HUB.sign(receipt), mono=100.0)
    older = Receipt(client_id=CLIENT, report_ids=[], hub_time=moment(T0 - 60))
    recorder.hub_time.heard(HUB.sign(older), mono=101.0)  # it was held up on its way, and puts nothing back
    recorder.began(CLIENT, command_id(2), T0 + 10 - LATE_S - 1.5, mono=110.0)
    assert recorder.broken == []
    recorder.began(CLIENT, command_id(3), T0 + 10 - LATE_S - 2.5, mono=110.0)
    [told] = recorder.broken
    assert str(command_id(3)) in told


async def test_a_key_that_the_hub_does_not_name_is_a_broken_promise_once_its_list_is_known() -> None:
    other = Signer(b"o" * 32)
    body = HUB.sign(a_run()).partition(b"\n")[2]
    foreign = MessageReceived(Inbox.COMMANDS, other.sign(b"floorhub/command/v1", body))
    recorder = Recorder(deaf)
    process = await welcomed(recorder)
    fresh = Process(
        Endpoint(host="127.0.0.1", port=9, client_id=CLIENT, secret="s"),
        HUB.root.public_key,
        Snapshot(),
        ClientPlan(Faults(), CLIENT),
        recorder,
        Device(),
    )
    fresh.start()
    await fresh.deliver(foreign)
    assert (recorder.counts["refused_before_keys"], recorder.broken) == (1, [])
    await process.deliver(foreign)
    assert recorder.counts["refused_unknown_key"] == 1
    assert recorder.broken == [f"{CLIENT}: 1 messages refused: unknown_key"]
    assert not recorder.effects
    await asyncio.gather(process.stop(), fresh.stop())
