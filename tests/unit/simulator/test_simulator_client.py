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
from hub.programs.simulator.witness import LATE_S, Witness
from schemas.messages import Receipt, Welcome
from schemas.signing import Signer
from tests.support.agent_bench import CLIENT, JOURNAL, T0, HubKeys, a_run, command_id, moment
from tests.support.waiting import eventually

HUB = HubKeys()
NOBODY = UUID(int=0)


def deaf(client_id: str, command_id: UUID, attempt: int) -> None:
    """Nobody asks for the effects one by one."""


async def welcomed(witness: Witness) -> Process:
    """A client whose broker never answers: what it hears comes from the test."""
    endpoint = Endpoint(host="127.0.0.1", port=9, client_id=CLIENT, secret="s")
    plan = ClientPlan(Faults(effects=Effects(work_s=(0.0, 0.0))), CLIENT)
    process = Process(endpoint, HUB.root.public_key, Snapshot(), plan, witness, Device())
    process.start()
    await process.deliver(Connected(1))
    await process.deliver(MessageReceived(Inbox.KEYS, HUB.key_list(), retained=True))
    welcome = Welcome(client_id=CLIENT, session=process.session, journal=JOURNAL, epoch=1, hub_time=moment(T0))
    await process.deliver(MessageReceived(Inbox.RECEIPTS, HUB.sign(welcome)))
    return process


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_wrong_clock_of_the_machine_accuses_nobody(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    monkeypatch.setattr(time, "time", lambda: T0 + hours * 3_600)
    witness = Witness(deaf)
    process = await welcomed(witness)
    await process.deliver(MessageReceived(Inbox.COMMANDS, HUB.sign(a_run())))
    await eventually(lambda: witness.counts["effects"] == 1)
    await process.stop()
    assert witness.broken == []


def test_an_effect_that_begins_after_its_expiry_by_the_time_of_the_hub_is_named() -> None:
    witness = Witness(deaf, late_s=2.0)
    witness.began(CLIENT, command_id(1), T0 - 999, mono=100.0)  # the hub has not said its time: nobody can say
    receipt = Receipt(client_id=CLIENT, report_ids=[], hub_time=moment(T0))
    witness.hub_time.heard(HUB.sign(receipt), mono=100.0)
    older = Receipt(client_id=CLIENT, report_ids=[], hub_time=moment(T0 - 60))
    witness.hub_time.heard(HUB.sign(older), mono=101.0)  # it was held up on its way, and puts nothing back
    witness.began(CLIENT, command_id(2), T0 + 10 - LATE_S - 1.5, mono=110.0)
    assert witness.broken == []
    witness.began(CLIENT, command_id(3), T0 + 10 - LATE_S - 2.5, mono=110.0)
    [told] = witness.broken
    assert str(command_id(3)) in told


async def test_a_key_that_the_hub_does_not_name_is_a_broken_promise_once_its_list_is_known() -> None:
    other = Signer(b"o" * 32)
    body = HUB.sign(a_run()).partition(b"\n")[2]
    foreign = MessageReceived(Inbox.COMMANDS, other.sign(b"floorhub/command/v1", body))
    witness = Witness(deaf)
    process = await welcomed(witness)
    fresh = Process(
        Endpoint(host="127.0.0.1", port=9, client_id=CLIENT, secret="s"),
        HUB.root.public_key,
        Snapshot(),
        ClientPlan(Faults(), CLIENT),
        witness,
        Device(),
    )
    fresh.start()
    await fresh.deliver(foreign)
    assert (witness.counts["refused_before_keys"], witness.broken) == (1, [])
    await process.deliver(foreign)
    assert witness.counts["refused_unknown_key"] == 1
    assert witness.broken == [f"{CLIENT}: 1 messages refused: unknown_key"]
    assert not witness.effects
    await asyncio.gather(process.stop(), fresh.stop())
