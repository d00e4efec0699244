"""What was handed out and had no word goes again, as the same attempt; cancels go until they are answered."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.commands.rules.lifecycle import CancelRequested, DeadlinePassed, Event, JournalLost, Reported, decide
from hub.core.commands.store import dispatch, transitions
from hub.database import engine
from hub.database.engine import Connection, Database
from schemas.states import Presence, ReportStatus
from tests.support.factories import JOURNAL, add_client, add_commands, claim, new_command, row

pytestmark = pytest.mark.each_postgres

T = TypeVar("T")
ShiftClock = Callable[[str], Awaitable[Database]]


async def _hand_out(database: Database, client_id: str = "front-pc", **fields: object) -> UUID:
    [command_id] = await add_commands(database, [new_command(client_id, **fields)])
    assert await claim(database, client_id) == [command_id]
    return command_id


async def _fold(database: Database, command_id: UUID, event: Event) -> None:
    async with database.transaction() as connection:
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        assert locked.fold(decide(locked.state, event, locked.now), uuid7() if isinstance(event, Reported) else None)
        assert await transitions.apply(connection, [locked]) == {command_id}


async def _set_presence(database: Database, presence: Presence) -> None:
    async with database.connection() as connection:
        await connection.execute(b"UPDATE client_sessions SET presence = %s", (presence.value,))


async def _sent_at(seconds: int, send: Callable[[Connection], Awaitable[list[T]]], shift_clock: ShiftClock) -> list[T]:
    """What is sent when so much time has passed; a second before there is nothing."""
    if seconds:
        # A second of slack on both sides, since the test itself takes some of it.
        early = await shift_clock(f"{seconds - 1} seconds")
        async with early.connection() as connection:
            assert await send(connection) == []
    due = await shift_clock(f"{seconds} seconds")
    async with due.connection() as connection:
        return await send(connection)


async def test_the_same_attempt_goes_again_after_5_10_20_and_then_every_30_s(
    database: Database, shift_clock: ShiftClock
) -> None:
    await add_client(database)
    command_id = await _hand_out(database, payload={"printer": "labels", "copies": 2})
    due_after = 0
    for sends, lease_s in enumerate((5, 10, 20, 30, 30), start=1):
        due_after += lease_s
        [run] = await _sent_at(due_after, dispatch.resend, shift_clock)
        async with database.connection() as connection:
            stored = await row(connection, command_id)
        assert (run.command_id, run.attempt, run.journal) == (command_id, 1, JOURNAL)
        assert run.payload == {"printer": "labels", "copies": 2}
        assert (stored["status"], stored["attempt"], stored["sends"]) == ("queued", 1, sends + 1)
        # Sending again is no change of the command: no version, no log row.
        assert stored["version"] == 2


@pytest.mark.parametrize(
    "change",
    [
        b"UPDATE client_sessions SET presence = 'offline'",
        b"UPDATE client_sessions SET keep_away = 'another machine uses this identity'",
    ],
    ids=["offline", "keep_away"],
)
async def test_nothing_goes_again_to_a_client_that_must_not_be_sent_to(
    database: Database, shift_clock: ShiftClock, change: bytes
) -> None:
    await add_client(database)
    command_id = await _hand_out(database)
    await _fold(database, command_id, CancelRequested())
    later = await shift_clock("1 minute")
    async with later.connection() as connection:
        await connection.execute(change)
        assert await dispatch.resend(connection) == []
        assert await dispatch.resend_cancels(connection) == []


async def test_the_agents_word_puts_the_sending_off_or_ends_it_and_busy_asks_for_it_later(
    database: Database, shift_clock: ShiftClock
) -> None:
    await add_client(database)
    accepted = await _hand_out(database, payload={"printer": "a"})
    busy = await _hand_out(database, payload={"printer": "b"})
    started = await _hand_out(database, payload={"printer": "c"})
    await _fold(database, accepted, Reported(ReportStatus.ACCEPTED, 1))
    await _fold(database, busy, Reported(ReportStatus.BUSY, 1))
    await _fold(database, started, Reported(ReportStatus.STARTED, 1))
    later = await shift_clock("50 seconds")
    async with later.connection() as connection:
        assert [run.command_id for run in await dispatch.resend(connection)] == [busy]
        await connection.execute(b"UPDATE commands SET lease_until = NULL WHERE id = %s", (busy,))
    much_later = await shift_clock("62 seconds")
    async with much_later.connection() as connection:
        assert [run.command_id for run in await dispatch.resend(connection)] == [accepted]


async def test_what_an_agent_knew_before_its_birth_does_not_take_the_offer_back(database: Database) -> None:
    # An agent that was killed tells what its journal holds as soon as it is back, and begins nothing before the offer.
    await add_client(database)
    fresh = await _hand_out(database, payload={"printer": "a"})
    known = await _hand_out(database, payload={"printer": "b"})
    await _fold(database, known, Reported(ReportStatus.ACCEPTED, 1))
    async with database.connection() as connection:
        await dispatch.offer_again(connection, "front-pc", JOURNAL)
    await _fold(database, fresh, Reported(ReportStatus.ACCEPTED, 1))
    async with database.connection() as connection:
        assert {run.command_id for run in await dispatch.resend(connection)} == {fresh, known}


async def test_a_cancel_goes_at_once_then_after_5_10_20_and_30_s_until_it_is_answered(
    database: Database, shift_clock: ShiftClock
) -> None:
    await add_client(database)
    command_id = await _hand_out(database)
    await _fold(database, command_id, CancelRequested())
    due_after = 0
    seen: set[UUID] = set()
    for sends, lease_s in enumerate((0, 5, 10, 20, 30, 30), start=1):
        due_after += lease_s
        [cancel] = await _sent_at(due_after, dispatch.resend_cancels, shift_clock)
        async with database.connection() as connection:
            assert (await row(connection, command_id))["cancel_sends"] == sends
        assert (cancel.client_id, cancel.command_id) == ("front-pc", command_id)
        seen.add(cancel.cancel_id)
    assert len(seen) == 1
    await _fold(database, command_id, Reported(ReportStatus.CANCELLED, 1))
    much_later = await shift_clock("1 hour")
    async with much_later.connection() as connection:
        assert await dispatch.resend_cancels(connection) == []


async def test_a_birth_offers_what_is_held_at_once_cancels_included(database: Database) -> None:
    await add_client(database)
    await add_client(database, "other-pc")
    queued = await _hand_out(database, payload={"printer": "a"})
    running = await _hand_out(database, payload={"printer": "b"})
    cancelled = await _hand_out(database, payload={"printer": "c"})
    ended = await _hand_out(database, payload={"printer": "d"})
    await _hand_out(database, "other-pc")
    await _fold(database, running, Reported(ReportStatus.STARTED, 1))
    await _fold(database, cancelled, CancelRequested())
    await _fold(database, ended, Reported(ReportStatus.COMPLETED, 1))
    async with database.connection() as connection:
        assert len(await dispatch.resend_cancels(connection)) == 1
        assert await dispatch.resend(connection) == []
        assert await dispatch.offer_again(connection, "front-pc", "journal-2") == 3
        assert [cancel.command_id for cancel in await dispatch.resend_cancels(connection)] == [cancelled]
        runs = {run.command_id: run for run in await dispatch.resend(connection)}
    assert set(runs) == {queued, running, cancelled}
    # What is still handed out belongs to the journal that the client has now.
    assert {run.journal for run in runs.values()} == {"journal-2"}
    assert {run.attempt for run in runs.values()} == {1}


async def test_an_unknown_one_without_word_is_offered_once_with_each_birth(
    database: Database, shift_clock: ShiftClock
) -> None:
    await add_client(database)
    command_id = await _hand_out(database)
    async with database.connection() as connection:
        await connection.execute(b"UPDATE commands SET deadline_at = floorhub_now()")
    await _fold(database, command_id, DeadlinePassed())
    later, much_later = await shift_clock("1 hour"), await shift_clock("2 hours")
    for _ in range(2):
        async with later.connection() as connection:
            assert await dispatch.offer_again(connection, "front-pc", JOURNAL) == 1
            [run] = await dispatch.resend(connection)
            assert (run.command_id, run.attempt, run.journal) == (command_id, 1, JOURNAL)
        async with much_later.connection() as connection:
            assert await dispatch.resend(connection) == []
            assert (await row(connection, command_id))["status"] == "unknown"


async def test_what_the_agent_called_unknown_or_a_person_closed_is_not_offered(database: Database) -> None:
    await add_client(database)
    reported = await _hand_out(database, payload={"printer": "a"})
    lost = await _hand_out(database, payload={"printer": "b"})
    dismissed = await _hand_out(database, payload={"printer": "c"})
    await _fold(database, reported, Reported(ReportStatus.UNKNOWN, 1))
    await _fold(database, lost, JournalLost())
    async with database.connection() as connection:
        await connection.execute(b"UPDATE commands SET deadline_at = floorhub_now() WHERE id = %s", (dismissed,))
    await _fold(database, dismissed, DeadlinePassed())
    async with database.connection() as connection:
        await connection.execute(
            b"UPDATE commands SET dead_letter_closed_at = floorhub_now() WHERE id = %s", (dismissed,)
        )
        assert await dispatch.offer_again(connection, "front-pc", "journal-2") == 0
        assert await dispatch.resend(connection) == []


async def test_after_the_loss_of_a_journal_only_what_may_run_twice_is_offered(database: Database) -> None:
    await add_client(database)
    once = await _hand_out(database, payload={"printer": "a"})
    rerun = await _hand_out(database, payload={"printer": "b"}, on_interrupt="rerun")
    async with database.transaction() as connection:
        held = await transitions.lock_handed_out(connection, "front-pc")
        for locked in held:
            locked.fold(decide(locked.state, JournalLost(), locked.now))
        assert await transitions.apply(connection, held) == {once, rerun}
        await dispatch.offer_again(connection, "front-pc", "journal-2")
        [run] = await dispatch.resend(connection)
        stored = await row(connection, once)
    assert (run.command_id, run.attempt, run.journal) == (rerun, 1, "journal-2")
    assert (stored["status"], stored["unknown_reason"]) == ("unknown", "journal_lost")


async def test_the_brokers_acknowledgement_is_only_a_time(database: Database, shift_clock: ShiftClock) -> None:
    await add_client(database)
    command_id = await _hand_out(database)
    async with database.connection() as connection:
        before = await row(connection, command_id)
        told_at = await engine.now(connection)
        await dispatch.mark_sent(connection, {command_id: 0.5, uuid7(): 0.5})
        after = await row(connection, command_id)
    assert after == before | {"sent_at": after["sent_at"]}
    assert timedelta(seconds=-0.5) <= after["sent_at"] - told_at < timedelta(seconds=30)
    later = await shift_clock("1 hour")
    async with later.connection() as connection:
        await dispatch.mark_sent(connection, {command_id: 0.0})
        assert (await row(connection, command_id))["sent_at"] == after["sent_at"]


async def test_one_round_takes_what_has_waited_longest_and_no_more_than_asked(
    database: Database, shift_clock: ShiftClock
) -> None:
    await add_client(database)
    ids = [await _hand_out(database, payload={"printer": f"p{n}"}) for n in range(4)]
    later = await shift_clock("10 seconds")
    async with later.connection() as connection:
        first = {run.command_id for run in await dispatch.resend(connection, most=3)}
        rest = {run.command_id for run in await dispatch.resend(connection, most=3)}
    assert (first, rest) == (set(ids[:3]), set(ids[3:]))


async def test_two_workers_do_not_send_the_same_again(database: Database, shift_clock: ShiftClock) -> None:
    await add_client(database)
    await _hand_out(database)
    later = await shift_clock("10 seconds")
    async with later.transaction() as one:
        assert len(await dispatch.resend(one)) == 1
        async with later.transaction() as other:
            assert await dispatch.resend(other) == []


async def test_the_next_look_is_at_the_earliest_deadline(database: Database) -> None:
    await add_client(database)
    async with database.connection() as connection:
        assert await dispatch.seconds_to_next_due(connection) is None
    await add_commands(database, [new_command(expires_in_s=500.0), new_command(expires_in_s=100.0)])
    async with database.connection() as connection:
        seconds = await dispatch.seconds_to_next_due(connection)
    assert seconds is not None
    assert timedelta(seconds=60) < timedelta(seconds=seconds) <= timedelta(seconds=100)
