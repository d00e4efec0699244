"""Checks of what a client does with runs, cancels and receipts, and of what it makes of messages that are odd."""

import asyncio
import math
import time
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from hub.programs.conformance.record import HeldRun, describe, with_field
from hub.programs.conformance.stage import MistakeError, NotReachedError, Stage
from schemas import messages, signing
from schemas.codec import MAX_PAYLOAD, encode
from schemas.messages import Cancel, Report
from schemas.states import END_STATUSES, ReportStatus
from schemas.topics import Channel

SOON_S = 1.5
"""The life of a command that shall expire: long enough for the hub to hand it out."""
PAST_EXPIRY_S = 1.0
"""So long after its expiry a run is delivered: a client's clock may be a little slow."""
RECEIPT_SLACK_S = 2.0
"""What was on its way when the receipt came, and a sender that looks once a second."""
WATCHED_S = 4.0
"""How long the client is watched after the last receipt; after the first ones it was watched all along."""
NO_SUCH_ACTION = "conformance-no-such-action"


async def run(stage: Stage) -> str:
    """A command from its start to its end."""
    held = await stage.command()
    stage.deliver(held)
    return describe(await stage.completed(held))


async def once(stage: Stage) -> str:
    """Twice in a row, and again after the end; `final` looks once more."""
    held = await stage.command()
    stage.redelivered.add(held.run.command_id)
    stage.deliver(held)
    stage.deliver(held)
    await stage.ended(held, "delivered twice: ")
    stage.deliver(held)
    await stage.carried_out("after the same attempt came a third time")
    _check_once(stage)
    return "no second effect"


def _check_once(stage: Stage) -> None:
    for command_id in stage.redelivered:
        way = stage.record.way(command_id)
        statuses = [report.status for report in way]
        if len(statuses) != len(set(statuses)):
            raise MistakeError(f"the same attempt, delivered again, has further reports: {describe(way)}")


async def unsupported(stage: Stage) -> str:
    """An action that no client has."""
    held = await stage.command(NO_SUCH_ACTION)
    stage.deliver(held)
    way = await stage.ended(held)
    last = way[-1]
    code = last.error.code if last.error is not None else None
    refused = code in ("unsupported_action", "action_not_allowed")
    if last.status is not ReportStatus.FAILED or not refused or _begun(way):
        raise MistakeError(describe(way))
    if last.error is not None and last.error.retryable:
        raise MistakeError(f"{describe(way)}, with `retryable` true")
    return describe(way)


async def expired(stage: Stage) -> str:
    """A run that is delivered too late."""
    held = await stage.command(expires_in_s=SOON_S)
    late = (held.run.expires_at - datetime.now(UTC)).total_seconds() + PAST_EXPIRY_S
    await asyncio.sleep(max(0.0, late))
    stage.deliver(held)
    return _only(await stage.ended(held), ReportStatus.EXPIRED)


async def cancel_first(stage: Stage) -> str:
    """The hub's own cancel overtakes its run."""
    held = await stage.command()
    command_id = held.run.command_id
    await asyncio.to_thread(stage.hub.post, f"/api/commands/{command_id}/cancel")
    if not await stage.record.until(lambda: command_id in stage.record.cancels, stage.subject.patience_s):
        raise MistakeError("the hub sent no cancel")
    stage.deliver(held)
    return _only(await stage.ended(held), ReportStatus.CANCELLED)


async def cancel_late(stage: Stage) -> str:
    """A cancel of our own, since the hub refuses to cancel what has ended."""
    held = await stage.command()
    command_id = held.run.command_id
    stage.redelivered.add(command_id)
    stage.deliver(held)
    way = await stage.completed(held)
    known = len(stage.record.of(command_id))
    cancel = Cancel(client_id=stage.subject.client_id, cancel_id=uuid7(), command_id=command_id)
    stage.tell(stage.sign(encode(cancel)))

    def again() -> bool:
        return any(r.report.status in END_STATUSES for r in stage.record.of(command_id)[known:])

    if not await stage.record.until(again, stage.subject.patience_s):
        raise MistakeError(f"no report of the end within {stage.subject.patience_s:g} s")
    after = stage.record.way(command_id)
    if len(after) > len(way):
        raise MistakeError(f"another report than the one it had: {describe(after)}")
    return "the end again"


async def retained(stage: Stage) -> str:
    """A run with the retain flag, which the hub never sets, then the same without it."""
    held = await stage.command()
    stage.tell(held.payload, retain=True)
    await stage.carried_out("after a retained one")
    _ignored(stage, held, "a retained run was obeyed")
    stage.deliver(held)
    await stage.completed(held, "the same run, not retained: ")
    return "ignored"


async def signature(stage: Stage) -> str:
    """A run that was changed on its way, then the true one."""
    held = await stage.command()
    line, body = held.payload.split(b"\n", 1)
    stage.tell(line + b"\n" + with_field(body, priority=held.run.priority % 10 + 1))
    await stage.carried_out("after a forged one")
    _ignored(stage, held, "a run with a wrong signature was obeyed")
    stage.deliver(held)
    await stage.completed(held, "the true run after the forged one: ")
    return "ignored"


async def unknown_fields(stage: Stage) -> str:
    """A run of a newer hub."""
    held = await stage.command()
    stage.tell(stage.sign(with_field(held.payload, added_later={"list": [1, None, {"x": "y"}]})))
    return describe(await stage.completed(held))


async def unknown_kind(stage: Stage) -> str:
    """Messages of a newer hub on both topics."""
    wires, ends = len(stage.tap.wires), len(stage.ends)
    body = {"v": messages.VERSION, "kind": "added_later", "client_id": stage.subject.client_id, "what": ["ever"]}
    payload = msgspec.json.encode(body)
    stage.tell(stage.sign(payload))
    stage.tell(stage.sign(payload, signing.RECEIPT), channel=Channel.RECEIPTS)
    try:
        await stage.carried_out("after messages of an unknown kind")
    except NotReachedError:
        if stage.died(ends) is None:
            raise
    if (code := stage.died(ends)) is not None:
        raise MistakeError(f"the process ended with {code}")
    if len(stage.tap.wires) != wires:
        raise MistakeError("it connected anew")
    return "ignored"


async def largest(stage: Stage) -> str:
    """A run that a field makes as large as a payload may be."""
    held = await stage.command()
    bare = len(stage.sign(with_field(held.payload, padding="")))
    payload = stage.sign(with_field(held.payload, padding="x" * (MAX_PAYLOAD - bare)))
    stage.tell(payload)
    return f"{len(payload)} bytes: {describe(await stage.completed(held))}"


async def repeat(stage: Stage) -> str:
    """Receipts are kept back until every report came again."""
    held = await stage.command()
    command_id = held.run.command_id
    stage.record.withhold.add(command_id)
    stage.deliver(held)
    began = time.monotonic()
    way = await stage.ended(held)

    def missing() -> list[Report]:
        counts = [r.report.report_id for r in stage.record.of(command_id)]
        return [report for report in stage.record.way(command_id) if counts.count(report.report_id) < 2]

    await stage.record.until(lambda: not missing(), stage.subject.patience_s)
    left = missing()
    seen = f"all {len(way)} came again within {time.monotonic() - began:.1f} s"
    stage.record.release(stage.wire)
    if left:
        raise MistakeError(f"said once in {stage.subject.patience_s:g} s without a receipt: {describe(left)}")
    return seen


async def receipt(stage: Stage) -> str:
    """Nothing is said again whose receipt came. Watches the earliest receipts for as long as a repetition may take."""

    def repeated() -> list[Report]:
        found = {}
        for said in stage.record.reports:
            at = stage.record.receipted.get(said.report.report_id, math.inf)
            if said.report.command_id not in stage.redelivered and said.at > at + RECEIPT_SLACK_S:
                found[said.report.report_id] = said.report
        return list(found.values())

    if not stage.record.receipted:
        raise MistakeError("there was no report that a receipt could name")
    watched = time.monotonic() - max(stage.record.receipted.values())
    found = await stage.record.until(repeated, max(0.0, WATCHED_S - watched))
    if found:
        raise MistakeError(f"said again although the receipt had come: {describe(found)}")
    return f"{len(stage.record.receipted)} receipts, nothing said again"


def final_once(stage: Stage) -> None:
    """What came of a repeated delivery later than the check waited for. Raises MistakeError."""
    _check_once(stage)


async def reports(stage: Stage) -> str:
    """What the record noted about every message; must come last."""
    found = stage.record.faults("reports")
    if found:
        raise MistakeError("; ".join(found))
    return f"{len(stage.record.reports)} reports"


def _begun(way: list[Report]) -> bool:
    return any(report.status in (ReportStatus.STARTED, ReportStatus.COMPLETED) for report in way)


def _only(way: list[Report], status: ReportStatus) -> str:
    """The way ends in this status and the effect did not begin."""
    if way[-1].status is not status or _begun(way):
        raise MistakeError(describe(way))
    return describe(way)


def _ignored(stage: Stage, held: HeldRun, otherwise: str) -> None:
    command_id: UUID = held.run.command_id
    way = stage.record.way(command_id)
    if way:
        raise MistakeError(f"{otherwise}: {describe(way)}")
