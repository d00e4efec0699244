"""Every status and every event: what is decided, what is written and what the table of transitions allows agree."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from psycopg import Rollback
from uuid_utils.compat import uuid7

from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import Event, LockedCommand, Reported, Status, decide
from hub.core.commands.store import dispatch, transitions
from hub.database.engine import Connection, Database
from hub.features.dead_letters import rules as dead_letters
from hub.features.dead_letters.rules import Decide, Dismiss, Replay, Wish
from schemas.states import ReportStatus
from tests.support.factories import add_client, add_commands, claim, new_command, row

pytestmark = pytest.mark.each_postgres

ATTEMPT = 2
"""The attempt that the commands of these tests are in, so that there is an older one."""
NEW = uuid7()
"""The id of a replay."""
UNFINISHED = {Status.PENDING, Status.QUEUED, Status.RUNNING}

Step = Callable[[Database, UUID], Awaitable[None]]


def _decide(locked: LockedCommand, event: Event | Wish) -> lifecycle.Decision:
    if isinstance(event, Wish):
        return dead_letters.judge(locked.state, event, locked.now)
    return decide(locked.state, event, locked.now)


# --- bringing a command into a state, by the hub's own statements --------------------------------------------


async def _fold(database: Database, command_id: UUID, *events: Event | Wish) -> None:
    async with database.transaction() as connection:
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        for event in events:
            locked.fold(_decide(locked, event), uuid7() if isinstance(event, Reported) else None)
        assert await transitions.apply(connection, [locked]) == {command_id}


async def _hand_out(database: Database, command_id: UUID) -> None:
    async with database.connection() as connection:
        await connection.execute(b"UPDATE commands SET scheduled = false WHERE id = %s", (command_id,))
    assert command_id in await claim(database, "front-pc")


async def _overdue(database: Database, command_id: UUID) -> None:
    async with database.connection() as connection:
        await connection.execute(b"UPDATE commands SET deadline_at = floorhub_now() WHERE id = %s", (command_id,))


def _report(status: ReportStatus, **fields: Any) -> Step:
    async def step(database: Database, command_id: UUID) -> None:
        await _fold(database, command_id, Reported(status, ATTEMPT, **fields))

    return step


async def _cancel(database: Database, command_id: UUID) -> None:
    await _fold(database, command_id, lifecycle.CancelRequested())


async def _deadline(database: Database, command_id: UUID) -> None:
    await _overdue(database, command_id)
    await _fold(database, command_id, lifecycle.DeadlinePassed())


async def _lost(database: Database, command_id: UUID) -> None:
    await _fold(database, command_id, lifecycle.JournalLost())


async def _goodbye(database: Database, command_id: UUID) -> None:
    await _fold(database, command_id, lifecycle.SaidGoodbye())


async def _stays_away(database: Database, command_id: UUID) -> None:
    async with database.connection() as connection:
        await connection.execute(
            b"UPDATE commands SET goodbye_at = floorhub_now() - interval '60 s', deadline_at = floorhub_now()"
            b" WHERE id = %s",
            (command_id,),
        )


def _wish(wish: Wish) -> Step:
    async def step(database: Database, command_id: UUID) -> None:
        await _fold(database, command_id, wish)

    return step


async def _reject(database: Database, command_id: UUID) -> None:
    # No statement makes one from another status: batches insert such rows.
    async with database.connection() as connection:
        await connection.execute(
            b"UPDATE commands SET status = 'rejected', finished_at = floorhub_now(), deadline_at = NULL WHERE id = %s",
            (command_id,),
        )


STATES: dict[str, tuple[Status, tuple[Step, ...], dict[str, Any]]] = {
    "pending": (Status.PENDING, (), {}),
    "pending, overdue": (Status.PENDING, (_overdue,), {}),
    "queued": (Status.QUEUED, (_hand_out,), {}),
    "queued, no retries": (Status.QUEUED, (_hand_out,), {"max_retries": 1}),
    "queued, rerun": (Status.QUEUED, (_hand_out,), {"on_interrupt": "rerun"}),
    "queued, accepted": (Status.QUEUED, (_hand_out, _report(ReportStatus.ACCEPTED)), {}),
    "queued, cancel requested": (Status.QUEUED, (_hand_out, _cancel), {}),
    "queued, overdue": (Status.QUEUED, (_hand_out, _overdue), {}),
    "running": (Status.RUNNING, (_hand_out, _report(ReportStatus.STARTED)), {}),
    "running, rerun": (Status.RUNNING, (_hand_out, _report(ReportStatus.STARTED)), {"on_interrupt": "rerun"}),
    "running, held": (
        Status.RUNNING,
        (_hand_out, _report(ReportStatus.HELD, progress={"reasons": ["media-empty"]})),
        {},
    ),
    "running, held, rerun": (
        Status.RUNNING,
        (_hand_out, _report(ReportStatus.HELD, progress={"reasons": ["media-empty"]})),
        {"on_interrupt": "rerun"},
    ),
    "running, cancel requested": (Status.RUNNING, (_hand_out, _report(ReportStatus.STARTED), _cancel), {}),
    "running, overdue": (Status.RUNNING, (_hand_out, _report(ReportStatus.STARTED), _overdue), {}),
    "queued, good-bye": (Status.QUEUED, (_hand_out, _goodbye), {}),
    "running, good-bye": (Status.RUNNING, (_hand_out, _report(ReportStatus.STARTED), _goodbye), {}),
    "running, good-bye, stays away": (
        Status.RUNNING,
        (_hand_out, _report(ReportStatus.STARTED), _goodbye, _stays_away),
        {},
    ),
    "completed": (Status.COMPLETED, (_hand_out, _report(ReportStatus.COMPLETED, result={"data": {"pages": 1}})), {}),
    "failed": (Status.FAILED, (_hand_out, _report(ReportStatus.FAILED, error={"code": "jam"})), {}),
    "cancelled": (Status.CANCELLED, (_cancel,), {}),
    "expired": (Status.EXPIRED, (_deadline,), {}),
    "rejected": (Status.REJECTED, (_reject,), {}),
    "unknown, no word": (Status.UNKNOWN, (_hand_out, _deadline), {}),
    "unknown, journal lost": (Status.UNKNOWN, (_hand_out, _lost), {}),
    "unknown, reported": (Status.UNKNOWN, (_hand_out, _report(ReportStatus.UNKNOWN)), {}),
    "failed, dismissed": (
        Status.FAILED,
        (_hand_out, _report(ReportStatus.FAILED, error={"code": "jam"}), _wish(Dismiss("kim"))),
        {},
    ),
    "expired, replayed": (Status.EXPIRED, (_deadline, _wish(Replay(NEW, "kim"))), {}),
    "unknown, dismissed": (Status.UNKNOWN, (_hand_out, _lost, _wish(Dismiss("kim"))), {}),
    "unknown, replayed": (Status.UNKNOWN, (_hand_out, _deadline, _wish(Replay(NEW, "kim", force=True))), {}),
    "failed, decided": (Status.FAILED, (_hand_out, _lost, _wish(Decide(Status.FAILED, "kim"))), {}),
}


async def _bring_to(database: Database, state: str) -> UUID:
    """A command in that state and in attempt 2."""
    status, steps, fields = STATES[state]
    [command_id] = await add_commands(database, [new_command(**fields)])
    assert await claim(database, "front-pc") == [command_id]
    await _fold(database, command_id, Reported(ReportStatus.FAILED, 1, retryable=True, error={"code": "offline"}))
    for step in steps:
        await step(database, command_id)
    async with database.connection() as connection:
        stored = await row(connection, command_id)
    assert (stored["status"], stored["attempt"]) == (status, ATTEMPT)
    return command_id


# --- every event ---------------------------------------------------------------------------------------------


def _events() -> Iterator[Event | Wish]:
    bodies: dict[str, Any] = {
        "error": {"code": "media_jam", "message": "paper jam"},
        "result": {"data": {"pages": 3}},
        "progress": {"reasons": ["toner-low"], "percent": 40},
    }
    for status in ReportStatus:
        for attempt in (ATTEMPT - 1, ATTEMPT, ATTEMPT + 1):
            for retryable in (False, True) if status is ReportStatus.FAILED else (False,):
                yield Reported(status, attempt, retryable, chance=0.0, **bodies)
                yield Reported(status, attempt, retryable, chance=0.0)
    yield lifecycle.CancelRequested()
    yield lifecycle.DeadlinePassed()
    yield lifecycle.JournalLost()
    yield lifecycle.JournalLost("session_lost")
    yield lifecycle.SaidGoodbye()
    yield lifecycle.CameBack()
    yield lifecycle.Rebooted("boot-1", "boot-2")
    for force in (False, True):
        yield Replay(NEW, "kim", force=force)
    for note in (None, "it lay in the tray"):
        yield Dismiss("kim", note)
        for outcome in dead_letters.OUTCOMES:
            yield Decide(outcome, "kim", note)


@dataclass(frozen=True, slots=True)
class Case:
    """An event that happened to a command in a transaction that is taken back afterwards."""

    event: Event | Wish
    decision: lifecycle.Decision
    locked: LockedCommand
    moved: bool
    before: dict[str, Any]
    after: dict[str, Any]
    logs: list[dict[str, Any]]
    report_id: UUID | None


@asynccontextmanager
async def _taken_back(database: Database) -> AsyncIterator[Connection]:
    async with database.connection() as connection, connection.transaction(force_rollback=True):
        yield connection


async def _happen(database: Database, command_id: UUID, event: Event | Wish) -> Case:
    report_id = uuid7() if isinstance(event, Reported) else None
    async with _taken_back(database) as connection:
        before = await row(connection, command_id)
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        decision = _decide(locked, event)
        changed = locked.fold(decision, report_id)
        assert changed == (not isinstance(decision, lifecycle.Ignore))
        moved = await transitions.apply(connection, [locked])
        assert moved == ({command_id} if locked.to_write else set())
        after = await row(connection, command_id)
        cursor = await connection.execute(
            b"SELECT * FROM command_logs WHERE command_id = %s AND version > %s ORDER BY version",
            (command_id, before["version"]),
        )
        return Case(event, decision, locked, bool(moved), before, after, await cursor.fetchall(), report_id)


def _is_answer(event: Event | Wish) -> bool:
    """The agent's word about the present attempt ends the sending or puts it off; what is not understood does not."""
    return isinstance(event, Reported) and event.attempt == ATTEMPT and event.status is not ReportStatus.UNSUPPORTED


def _expected(case: Case) -> dict[str, Any]:
    """The row that the decision asks for, said apart from the code that writes it."""
    before, now = case.before, case.locked.now
    wanted = dict(before)
    if _is_answer(case.event) and before["status"] in ("queued", "running"):
        # Put off while it has not begun; what is due stays due.
        waits = before["status"] == "queued" and isinstance(case.decision, lifecycle.Ignore | lifecycle.Touch)
        is_due = before["lease_until"] is None or before["lease_until"] <= now
        put_off = before["lease_until"] if is_due else now + lifecycle.ACCEPTED_LEASE
        wanted["lease_until"] = put_off if waits else None
    match case.decision:
        case lifecycle.Ignore():
            return wanted
        case lifecycle.Touch(changes):
            return wanted | dict(changes)
        case lifecycle.Close(_, changes):
            return wanted | dict(changes) | {"version": before["version"] + 1}
        case lifecycle.Move(to, _, changes):
            pass
    kept = ("result", "error", "progress")  # what an event does not bring stays
    wanted |= {name: value for name, value in changes.items() if not (name in kept and value is None)}
    wanted |= {"status": to.value, "version": before["version"] + 1}
    if to not in UNFINISHED:
        wanted |= {"finished_at": now, "deadline_at": None, "lease_until": None, "cancel_lease_until": None}
        wanted |= {"held_reasons": None}
        if to is not Status.UNKNOWN:
            wanted["unknown_reason"] = None
        if to is Status.COMPLETED:
            wanted["error"] = None
        waited = before["dead_letter_reason"] is not None and before["dead_letter_closed_at"] is None
        if waited and isinstance(case.event, Decide):
            wanted |= {"dead_letter_closed_at": now, "dead_letter_closed_by": "decided"}
        elif waited and (to is Status.COMPLETED or (to is Status.CANCELLED and before["cancel_requested_at"])):
            wanted |= {"dead_letter_closed_at": now, "dead_letter_closed_by": "late_answer"}
    elif to is Status.PENDING:
        wanted |= {"held_reasons": None, "lease_until": None, "cancel_lease_until": None}
    elif to is Status.RUNNING and before["status"] != "running":
        wanted["started_at"] = now
    return wanted


def _check(case: Case) -> None:
    before, after = case.before, case.after
    assert after == _expected(case), case
    if after["status"] != before["status"]:
        assert Status(after["status"]) in lifecycle.TRANSITIONS[Status(before["status"])]
    assert after["attempt"] >= before["attempt"]
    assert (after["deadline_at"] is not None) == (Status(after["status"]) in UNFINISHED)
    if not isinstance(case.decision, lifecycle.Move | lifecycle.Close):
        assert case.logs == []
        return
    if isinstance(case.event, Wish):
        # Who it was, and what he said.
        wish = case.event
        said = {"note": wish.note} if isinstance(wish, Dismiss | Decide) and wish.note else {}
        assert {"by": "kim", **said}.items() <= (case.logs[0]["detail"] or {}).items()
        if isinstance(wish, Replay):
            assert case.logs[0]["detail"]["command_id"] == str(NEW)
    [log] = case.logs
    assert (log["version"], log["event"]) == (before["version"] + 1, case.decision.event)
    assert (log["status"], log["attempt"], log["report_id"]) == (after["status"], after["attempt"], case.report_id)
    told = {"error", "result", "held_reasons", "unknown_reason"} & {k for k, v in case.decision.changes.items() if v}
    assert told <= set(log["detail"] or {})


@pytest.mark.parametrize("state", STATES)
async def test_every_event_is_written_as_it_was_decided(database: Database, state: str) -> None:
    await add_client(database)
    command_id = await _bring_to(database, state)
    for event in _events():
        _check(await _happen(database, command_id, event))


def test_every_status_and_every_event_is_tried() -> None:
    assert {status for status, _, _ in STATES.values()} == set(Status)
    events = list(_events())
    assert {type(event) for event in events} == {*get_args(Event), *get_args(Wish)}
    assert {event.status for event in events if isinstance(event, Reported)} == set(ReportStatus)


async def test_statuses_of_the_schema_are_those_of_the_domain(database: Database) -> None:
    async with database.connection() as connection:
        cursor = await connection.execute(
            b"SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = 'commands_status_check'"
        )
        found = await cursor.fetchone()
    assert found is not None
    assert set(found["text"].split("'")[1::2]) == set(Status)


# --- the guard -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stale",
    [{"version": 1}, {"from_status": Status.PENDING}, {"from_attempt": 1}],
    ids=lambda change: next(iter(change)),
)
async def test_what_was_decided_about_an_older_row_is_not_written(database: Database, stale: dict[str, Any]) -> None:
    await add_client(database)
    command_id = await _bring_to(database, "queued")
    async with database.transaction() as connection:
        before = await row(connection, command_id)
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        locked.fold(decide(locked.state, Reported(ReportStatus.COMPLETED, ATTEMPT), locked.now), uuid7())
        assert await transitions.apply(connection, [replace(locked, **stale)]) == set()
        assert await row(connection, command_id) == before
        cursor = await connection.execute(
            b"SELECT count(*) AS n FROM command_logs WHERE version > %s", (before["version"],)
        )
        assert await cursor.fetchone() == {"n": 0}
        assert await transitions.apply(connection, [locked]) == {command_id}


async def test_several_reports_of_one_batch_are_one_write_with_a_log_row_each(database: Database) -> None:
    await add_client(database)
    command_id = await _bring_to(database, "queued")
    reports = [
        (uuid7(), Reported(ReportStatus.ACCEPTED, ATTEMPT)),
        (uuid7(), Reported(ReportStatus.STARTED, ATTEMPT)),
        (uuid7(), Reported(ReportStatus.HELD, ATTEMPT, progress={"reasons": ["door-open"]})),
        (uuid7(), Reported(ReportStatus.STARTED, ATTEMPT)),
        (uuid7(), Reported(ReportStatus.COMPLETED, ATTEMPT, result={"data": {"pages": 1}})),
    ]
    async with database.transaction() as connection:
        before = await row(connection, command_id)
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        for report_id, report in reports:
            locked.fold(decide(locked.state, report, locked.now), report_id)
        await transitions.apply(connection, [locked])
        after = await row(connection, command_id)
        cursor = await connection.execute(
            b"SELECT version, event, report_id FROM command_logs WHERE version > %s ORDER BY version",
            (before["version"],),
        )
        logs = [(log["version"], log["event"], log["report_id"]) for log in await cursor.fetchall()]
        again = await transitions.lock(connection, [command_id], [report_id for report_id, _ in reports])
    events = ("started", "held", "resumed", "completed")
    assert logs == [(before["version"] + 1 + n, event, reports[1 + n][0]) for n, event in enumerate(events)]
    assert (after["status"], after["version"]) == ("completed", before["version"] + 4)
    assert after["accepted_at"] == after["started_at"] == after["finished_at"] == locked.now
    assert (after["result"], after["held_reasons"]) == ({"data": {"pages": 1}}, None)
    # Those that left a log row are known when they come again; `accepted` repeats without one.
    assert again[command_id].seen == {report_id for report_id, _ in reports[1:]}


async def test_an_answer_after_unknown_in_the_same_batch_closes_the_dead_letter(database: Database) -> None:
    await add_client(database)
    command_id = await _bring_to(database, "running")
    await _fold(
        database,
        command_id,
        Reported(ReportStatus.UNKNOWN, ATTEMPT),
        Reported(ReportStatus.COMPLETED, ATTEMPT, result={"data": {}}),
    )
    async with database.connection() as connection:
        stored = await row(connection, command_id)
    assert (stored["status"], stored["unknown_reason"]) == ("completed", None)
    assert stored["dead_letter_closed_at"] == stored["finished_at"]
    assert stored["dead_letter_closed_by"] == "late_answer"


@pytest.mark.parametrize("state", ["queued", "running"])
@pytest.mark.parametrize("known", [False, True], ids=["a_new_report", "the_same_report"])
async def test_a_repeated_answer_ends_the_sending_of_what_has_begun_and_leaves_the_offer_of_what_has_not(
    database: Database, state: str, known: bool
) -> None:
    """After a reconnect the agent says again what it said before, and begins what it is offered again."""
    await add_client(database)
    command_id = await _bring_to(database, state)
    said = ReportStatus.STARTED if state == "running" else ReportStatus.ACCEPTED
    if state == "queued":
        await _fold(database, command_id, Reported(said, ATTEMPT))
    async with database.connection() as connection:
        assert await dispatch.offer_again(connection, "front-pc", "journal-1") == 1
        assert (await row(connection, command_id))["lease_until"] is not None
    async with database.transaction() as connection:
        before = await row(connection, command_id)
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        if known:
            locked.repeated(ATTEMPT - 1)
            assert not locked.to_write
            locked.repeated(ATTEMPT)
        else:
            assert not locked.fold(decide(locked.state, Reported(said, ATTEMPT), locked.now), uuid7())
        assert await transitions.apply(connection, [locked]) == {command_id}
        lease = before["lease_until"] if state == "queued" else None
        assert await row(connection, command_id) == before | {"lease_until": lease}
        assert len(await dispatch.resend(connection)) == (state == "queued")


# --- what is locked ------------------------------------------------------------------------------------------


async def test_only_the_overdue_are_locked_and_those_that_another_worker_holds_are_left(
    database: Database,
) -> None:
    await add_client(database)
    first, second, _ = await add_commands(database, [new_command() for _ in range(3)])
    for command_id in (first, second):
        await _overdue(database, command_id)
    async with database.transaction() as other:
        assert list(await transitions.lock(other, [first])) == [first]
        async with database.transaction() as connection:
            assert [locked.id for locked in await transitions.lock_overdue(connection, 10)] == [second]
        raise Rollback
    async with database.transaction() as connection:
        assert len(await transitions.lock_overdue(connection, 1)) == 1
        assert {locked.id for locked in await transitions.lock_overdue(connection, 10)} == {first, second}


async def test_what_a_client_holds_is_what_was_handed_out_to_it(database: Database) -> None:
    for client_id in ("front-pc", "other-pc"):
        await add_client(database, client_id)
    ids = await add_commands(database, [new_command() for _ in range(3)])
    await add_commands(database, [new_command("other-pc")])
    await claim(database, "front-pc", "other-pc")
    await _fold(database, ids[0], Reported(ReportStatus.STARTED, 1))
    async with database.transaction() as connection:
        held = await transitions.lock_handed_out(connection, "front-pc")
    assert [locked.id for locked in held] == ids[:2]


async def test_commands_that_do_not_exist_are_missing_in_the_answer(database: Database) -> None:
    async with database.transaction() as connection:
        assert await transitions.lock(connection, [uuid7()]) == {}
        assert await transitions.apply(connection, []) == set()


async def test_a_retry_waits_its_back_off_then_goes_out_as_the_next_attempt(
    database: Database, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    await add_client(database)
    [command_id] = await add_commands(database, [new_command()])
    await claim(database, "front-pc")
    await _fold(database, command_id, Reported(ReportStatus.FAILED, 1, retryable=True, error={"code": "offline"}))
    async with database.connection() as connection:
        waiting = await row(connection, command_id)
        assert await dispatch.wake_scheduled(connection) == set()
    assert (waiting["status"], waiting["attempt"], waiting["scheduled"]) == ("pending", 2, True)
    assert waiting["error"] == {"code": "offline"}
    later = await shift_clock("2 seconds")
    async with later.transaction() as connection:
        assert await dispatch.wake_scheduled(connection) == {"front-pc"}
        [run] = (await dispatch.claim(connection, ["front-pc"])).runs
        stored = await row(connection, command_id)
    assert (run.command_id, run.attempt) == (command_id, 2)
    assert (stored["accepted_at"], stored["started_at"], stored["sent_at"]) == (None, None, None)
    assert waiting["not_before"] <= stored["queued_at"] < waiting["not_before"] + timedelta(seconds=5)
