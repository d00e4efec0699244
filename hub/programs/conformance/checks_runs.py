"""Checks of what a client does with runs, cancels and receipts, and of what it makes of messages that are odd."""

import asyncio
import math
import time
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from hub.programs.conformance.record import HeldRun, describe, with_field
from hub.programs.conformance.testbed import MistakeError, NotReachedError, Testbed
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


async def run(testbed: Testbed) -> str:
    """A command from its start to its end."""
    held = await testbed.command()
    testbed.deliver(held)
    return describe(await testbed.completed(held))


async def once(testbed: Testbed) -> str:
    """Twice in a row, and again after the end; `final` looks once more."""
    held = await testbed.command()
    testbed.redelivered.add(held.run.command_id)
    testbed.deliver(held)
    testbed.deliver(held)
    await testbed.ended(held, "delivered twice: ")
    testbed.deliver(held)
    await testbed.carried_out("after the same attempt came a third time")
    _check_once(testbed)
    return "no second effect"


def _check_once(testbed: Testbed) -> None:
    for command_id in testbed.redelivered:
        way = testbed.record.way(command_id)
        statuses = [report.status for report in way]
        if len(statuses) != len(set(statuses)):
            raise MistakeError(f"the same attempt, delivered again, has further reports: {describe(way)}")


async def unsupported(testbed: Testbed) -> str:
    """An action that no client has."""
    held = await testbed.command(NO_SUCH_ACTION)
    testbed.deliver(held)
    way = await testbed.ended(held)
    last = way[-1]
    code = last.error.code if last.error is not None else None
    refused = code in ("unsupported_action", "action_not_allowed")
    if last.status is not ReportStatus.FAILED or not refused or _begun(way):
        raise MistakeError(describe(way))
    if last.error is not None and last.error.retryable:
        raise MistakeError(f"{describe(way)}, with `retryable` true")
    return describe(way)


async def expired(testbed: Testbed) -> str:
    """A run that is delivered too late."""
    held = await testbed.command(expires_in_s=SOON_S)
    late = (held.run.expires_at - datetime.now(UTC)).total_seconds() + PAST_EXPIRY_S
    await asyncio.sleep(max(0.0, late))
    testbed.deliver(held)
    return _only(await testbed.ended(held), ReportStatus.EXPIRED)


async def cancel_first(testbed: Testbed) -> str:
    """The hub's own cancel overtakes its run."""
    held = await testbed.command()
    command_id = held.run.command_id
    await asyncio.to_thread(testbed.hub.post, f"/api/commands/{command_id}/cancel")
    if not await testbed.record.until(lambda: command_id in testbed.record.cancels, testbed.subject.patience_s):
        raise MistakeError("the hub sent no cancel")
    testbed.deliver(held)
    return _only(await testbed.ended(held), ReportStatus.CANCELLED)


async def cancel_late(testbed: Testbed) -> str:
    """A cancel of our own, since the hub refuses to cancel what has ended."""
    held = await testbed.command()
    command_id = held.run.command_id
    testbed.redelivered.add(command_id)
    testbed.deliver(held)
    way = await testbed.completed(held)
    known = len(testbed.record.of(command_id))
    cancel = Cancel(client_id=testbed.subject.client_id, cancel_id=uuid7(), command_id=command_id)
    testbed.tell(testbed.sign(encode(cancel)))

    def again() -> bool:
        return any(r.report.status in END_STATUSES for r in testbed.record.of(command_id)[known:])

    if not await testbed.record.until(again, testbed.subject.patience_s):
        raise MistakeError(f"no report of the end within {testbed.subject.patience_s:g} s")
    after = testbed.record.way(command_id)
    if len(after) > len(way):
        raise MistakeError(f"another report than the one it had: {describe(after)}")
    return "the end again"


async def retained(testbed: Testbed) -> str:
    """A run with the retain flag, which the hub never sets, then the same without it."""
    held = await testbed.command()
    testbed.tell(held.payload, retain=True)
    await testbed.carried_out("after a retained one")
    _ignored(testbed, held, "a retained run was obeyed")
    testbed.deliver(held)
    await testbed.completed(held, "the same run, not retained: ")
    return "ignored"


async def signature(testbed: Testbed) -> str:
    """A run that was changed on its way, then the true one."""
    held = await testbed.command()
    line, body = held.payload.split(b"\n", 1)
    testbed.tell(line + b"\n" + with_field(body, priority=held.run.priority % 10 + 1))
    await testbed.carried_out("after a forged one")
    _ignored(testbed, held, "a run with a wrong signature was obeyed")
    testbed.deliver(held)
    await testbed.completed(held, "the true run after the forged one: ")
    return "ignored"


async def unknown_fields(testbed: Testbed) -> str:
    """A run of a newer hub."""
    held = await testbed.command()
    testbed.tell(testbed.sign(with_field(held.payload, added_later={"list": [1, None, {"x": "y"}]})))
    return describe(await testbed.completed(held))


async def unknown_kind(testbed: Testbed) -> str:
    """Messages of a newer hub on both topics."""
    connections, ends = len(testbed.proxy.connections), len(testbed.ends)
    body = {"v": messages.VERSION, "kind": "added_later", "client_id": testbed.subject.client_id, "what": ["ever"]}
    payload = msgspec.json.encode(body)
    testbed.tell(testbed.sign(payload))
    testbed.tell(testbed.sign(payload, signing.RECEIPT), channel=Channel.RECEIPTS)
    try:
        await testbed.carried_out("after messages of an unknown kind")
    except NotReachedError:
        if testbed.died(ends) is None:
            raise
    if (code := testbed.died(ends)) is not None:
        raise MistakeError(f"the process ended with {code}")
    if len(testbed.proxy.connections) != connections:
        raise MistakeError("it connected anew")
    return "ignored"


async def largest(testbed: Testbed) -> str:
    """A run that a field makes as large as a payload may be."""
    held = await testbed.command()
    bare = len(testbed.sign(with_field(held.payload, padding="")))
    payload = testbed.sign(with_field(held.payload, padding="x" * (MAX_PAYLOAD - bare)))
    testbed.tell(payload)
    return f"{len(payload)} bytes: {describe(await testbed.completed(held))}"


async def repeat(testbed: Testbed) -> str:
    """Receipts are kept back until every report came again."""
    held = await testbed.command()
    command_id = held.run.command_id
    testbed.record.withhold.add(command_id)
    testbed.deliver(held)
    began = time.monotonic()
    way = await testbed.ended(held)

    def missing() -> list[Report]:
        counts = [r.report.report_id for r in testbed.record.of(command_id)]
        return [report for report in testbed.record.way(command_id) if counts.count(report.report_id) < 2]

    await testbed.record.until(lambda: not missing(), testbed.subject.patience_s)
    left = missing()
    seen = f"all {len(way)} came again within {time.monotonic() - began:.1f} s"
    testbed.record.release(testbed.connection)
    if left:
        raise MistakeError(f"said once in {testbed.subject.patience_s:g} s without a receipt: {describe(left)}")
    return seen


async def receipt(testbed: Testbed) -> str:
    """Nothing is said again whose receipt came. Watches the earliest receipts for as long as a repetition may take."""

    def repeated() -> list[Report]:
        found = {}
        for observed in testbed.record.reports:
            at = testbed.record.receipted.get(observed.report.report_id, math.inf)
            if observed.report.command_id not in testbed.redelivered and observed.at > at + RECEIPT_SLACK_S:
                found[observed.report.report_id] = observed.report
        return list(found.values())

    if not testbed.record.receipted:
        raise MistakeError("there was no report that a receipt could name")
    watched = time.monotonic() - max(testbed.record.receipted.values())
    found = await testbed.record.until(repeated, max(0.0, WATCHED_S - watched))
    if found:
        raise MistakeError(f"said again although the receipt had come: {describe(found)}")
    return f"{len(testbed.record.receipted)} receipts, nothing said again"


def final_once(testbed: Testbed) -> None:
    """What came of a repeated delivery later than the check waited for. Raises MistakeError."""
    _check_once(testbed)


async def reports(testbed: Testbed) -> str:
    """What the record noted about every message; must come last."""
    found = testbed.record.faults("reports")
    if found:
        raise MistakeError("; ".join(found))
    return f"{len(testbed.record.reports)} reports"


def _begun(way: list[Report]) -> bool:
    return any(report.status in (ReportStatus.STARTED, ReportStatus.COMPLETED) for report in way)


def _only(way: list[Report], status: ReportStatus) -> str:
    """The way ends in this status and the effect did not begin."""
    if way[-1].status is not status or _begun(way):
        raise MistakeError(describe(way))
    return describe(way)


def _ignored(testbed: Testbed, held: HeldRun, otherwise: str) -> None:
    command_id: UUID = held.run.command_id
    way = testbed.record.way(command_id)
    if way:
        raise MistakeError(f"{otherwise}: {describe(way)}")
