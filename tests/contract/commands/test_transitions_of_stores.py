"""Locked reads and guarded moves: the SQL and the simulation's store do the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from hub.core.commands.rules.lifecycle import (
    ACCEPTED_LEASE,
    CancelRequested,
    DeadlinePassed,
    JournalLost,
    Reported,
    Status,
    decide,
)
from hub.core.commands.store.transitions import Moved, Unusable
from schemas.states import ReportStatus
from tests.contract.stores import PC, Case, Cases, MemoryTrial, Trial, failing
from tests.simulation.command_store import CommandStore
from tests.simulation.tables import Row
from tests.support.factories import JOURNAL

case = Cases()
STARTED = Reported(ReportStatus.STARTED, 1)
ACCEPTED = Reported(ReportStatus.ACCEPTED, 1)
COMPLETED = Reported(ReportStatus.COMPLETED, 1, result={"data": {"pages": 1}})
JAM: dict[str, Any] = {"code": "media_jam", "message": "paper jam", "retryable": False}


# --- locks ---------------------------------------------------------------------------------------------------


@case
async def commands_are_locked_in_the_order_of_their_ids_and_unknown_ids_are_missing(trial: Trial) -> None:
    ids = [await trial.add() for _ in range(3)]
    async with trial.transaction() as connection:
        locked = await trial.transitions.lock(connection, [ids[2], uuid7(), ids[0], ids[1], ids[0]])
        assert await trial.transitions.lock(connection, []) == {}
    assert list(locked) == ids
    [first, *_] = locked.values()
    assert (first.client_id, first.state.status, first.state.attempt, first.version) == (PC, Status.PENDING, 1, 1)
    assert (first.now, first.created_at, first.from_deadline_at) == (trial.now, trial.now, first.state.expires_at)


@case
async def a_lock_tells_all_that_a_decision_depends_on(trial: Trial) -> None:
    command_id = await trial.hand_out(on_interrupt="rerun", max_retries=1, timeout_s=20.0)
    await trial.happen(
        command_id, ACCEPTED, Reported(ReportStatus.HELD, 1, progress={"reasons": ["media-empty"]}), CancelRequested()
    )
    async with trial.transaction() as connection:
        state = (await trial.transitions.lock(connection, [command_id]))[command_id].state
    assert (state.status, state.held, state.accepted, state.cancel_requested) == (Status.RUNNING, True, True, True)
    assert (state.rerun, state.retry.max_retries, state.timeout_s) == (True, 1, 20.0)
    await trial.happen(command_id, Reported(ReportStatus.UNKNOWN, 1))
    async with trial.transaction() as connection:
        state = (await trial.transitions.lock(connection, [command_id]))[command_id].state
    assert (state.status, state.unknown_reason, state.deadline_at) == (Status.UNKNOWN, "reported", None)
    assert (state.dead_letter_reason, state.waits) == ("unknown", True)
    await trial.close_letter(command_id)
    async with trial.transaction() as connection:
        assert not (await trial.transitions.lock(connection, [command_id]))[command_id].state.waits


@case
async def reports_that_left_a_row_in_the_log_are_known_when_they_come_again(trial: Trial) -> None:
    command_id, other = await trial.hand_out(), await trial.add()
    reports = [(uuid7(), event) for event in (ACCEPTED, STARTED, COMPLETED)]
    async with trial.transaction() as connection:
        locked = (await trial.transitions.lock(connection, [command_id]))[command_id]
        for report_id, event in reports:
            locked.fold(decide(locked.state, event, locked.now), report_id)
        await trial.transitions.apply(connection, [locked])
    async with trial.transaction() as connection:
        again = await trial.transitions.lock(connection, [command_id, other], [one for one, _ in reports])
        unasked = await trial.transitions.lock(connection, [command_id])
    # `accepted` leaves none: it repeats without one.
    assert again[command_id].seen == {report_id for report_id, _ in reports[1:]}
    assert (again[other].seen, unasked[command_id].seen) == (frozenset(), frozenset())


@case
async def the_longest_overdue_are_locked_first_and_what_has_time_left_is_not(trial: Trial) -> None:
    late, later, latest = [await trial.add(expires_in_s=seconds) for seconds in (30.0, 20.0, 10.0)]
    trial.wait(20.0)
    async with trial.transaction() as connection:
        assert [locked.id for locked in await trial.transitions.lock_overdue(connection, 10)] == [latest, later]
        assert [locked.id for locked in await trial.transitions.lock_overdue(connection, 1)] == [latest]
    await trial.happen(latest, DeadlinePassed())
    trial.wait(3600.0)
    async with trial.transaction() as connection:
        assert [locked.id for locked in await trial.transitions.lock_overdue(connection, 10)] == [later, late]


@case
async def a_client_holds_what_was_handed_out_to_it_and_has_not_ended(trial: Trial) -> None:
    await trial.add_client("other-pc")
    queued = await trial.hand_out(lane="a")
    running = await trial.hand_out(lane="b")
    ended = await trial.hand_out(lane="c")
    await trial.add(lane="d")
    await trial.hand_out("other-pc")
    await trial.happen(running, STARTED)
    await trial.happen(ended, COMPLETED)
    async with trial.transaction() as connection:
        held = await trial.transitions.lock_handed_out(connection, PC)
        assert await trial.transitions.lock_handed_out(connection, "nobody") == []
    assert [locked.id for locked in held] == [queued, running]


# --- guarded moves -------------------------------------------------------------------------------------------


@case
async def what_was_decided_about_an_older_row_is_not_written(trial: Trial) -> None:
    stale: list[dict[str, Any]] = [
        {"version": 1},
        {"from_status": Status.PENDING},
        {"from_attempt": 2},
        {"from_deadline_at": trial.now},
        {"from_deadline_at": None},
    ]
    command_id = await trial.hand_out()
    before = await trial.row(command_id)
    for change in stale:
        async with trial.transaction() as connection:
            locked = (await trial.transitions.lock(connection, [command_id]))[command_id]
            locked.fold(decide(locked.state, STARTED, locked.now))
            assert await trial.transitions.apply(connection, [replace(locked, **change)]) == set(), change
        assert await trial.row(command_id) == before, change
    async with trial.transaction() as connection:
        assert await trial.transitions.apply_timed(connection, [locked]) == {command_id: Moved(trial.now)}


@case
async def an_end_that_somebody_awaits_comes_back_whole(trial: Trial) -> None:
    awaited, other = [await trial.hand_out(payload={"number": 1}) for _ in range(2)]
    for event, ends in ((STARTED, False), (COMPLETED, True)):
        async with trial.transaction() as connection:
            locked = await trial.transitions.lock(connection, [awaited, other])
            for command in locked.values():
                command.fold(decide(command.state, event, command.now))
            moved = await trial.transitions.apply_timed(connection, locked.values(), [awaited, uuid7()])
        assert set(moved) == {awaited, other}
        assert moved[other].ended is None
        assert (moved[awaited].ended is not None) == ends
    ended = moved[awaited].ended
    assert ended is not None
    kept = await trial.row(awaited)
    assert (ended.id, ended.client_id, ended.payload) == (awaited, PC, {"number": 1})
    assert (ended.status, ended.version, ended.finished_at) == ("completed", kept["version"], trial.now)
    assert ended.result == {"data": {"pages": 1}}


@case
async def of_two_who_remember_the_same_row_one_moves_it(trial: Trial) -> None:
    command_id = await trial.hand_out()
    async with trial.transaction() as connection:
        one, two = [(await trial.transitions.lock(connection, [command_id]))[command_id] for _ in range(2)]
    one.fold(decide(one.state, CancelRequested(), one.now))
    two.fold(decide(two.state, ACCEPTED, two.now))
    async with trial.transaction() as connection:
        assert await trial.transitions.apply(connection, [one]) == {command_id}
        assert await trial.transitions.apply(connection, [two]) == set()
    row = await trial.row(command_id)
    assert (row["version"], row["accepted_at"], row["cancel_requested_at"]) == (3, None, trial.now)


@case
async def several_commands_move_together_and_only_those_that_change(trial: Trial) -> None:
    ids = [await trial.hand_out(lane=lane) for lane in "abc"]
    async with trial.transaction() as connection:
        locked = await trial.transitions.lock(connection, ids)
        for command_id in ids[1:]:
            command = locked[command_id]
            command.fold(decide(command.state, STARTED, command.now))
        moved = await trial.transitions.apply(connection, reversed(locked.values()))
        assert await trial.transitions.apply(connection, []) == set()
    assert moved == set(ids[1:])
    assert [(await trial.row(one))["status"] for one in ids] == ["queued", "running", "running"]


@case
async def several_decisions_are_written_as_one_change_with_a_log_row_each(trial: Trial) -> None:
    command_id = await trial.hand_out()
    begun_at = trial.wait(1.0)
    held = Reported(ReportStatus.HELD, 1, progress={"reasons": ["media-empty"]})
    row = await trial.happen(command_id, ACCEPTED, held, Reported(ReportStatus.PROGRESS, 1, progress={"percent": 40}))
    assert (row["status"], row["version"], row["attempt"], row["finished_at"]) == ("running", 3, 1, None)
    assert (row["accepted_at"], row["started_at"], row["held_reasons"]) == (begun_at, begun_at, ["media-empty"])
    ended_at = trial.wait(1.0)
    row = await trial.happen(command_id, STARTED, COMPLETED)
    assert [log["event"] for log in row["logs"]] == ["created", "queued", "held", "resumed", "completed"]
    assert [log["status"] for log in row["logs"]] == ["pending", "queued", "running", "running", "completed"]
    assert row["logs"][2]["detail"] == {"held_reasons": ["media-empty"]}
    assert row["logs"][3]["detail"] is None
    assert (row["started_at"], row["finished_at"], row["deadline_at"]) == (begun_at, ended_at, None)
    assert (row["progress"], row["result"], row["held_reasons"]) == ({"percent": 40}, {"data": {"pages": 1}}, None)


@case
async def a_retry_takes_what_belongs_to_the_attempt_before_with_its_next_claim(trial: Trial) -> None:
    command_id = await trial.hand_out()
    await trial.happen(command_id, ACCEPTED, STARTED)
    row = await trial.happen(command_id, Reported(ReportStatus.FAILED, 1, retryable=True, error=JAM, chance=0.0))
    assert (row["status"], row["attempt"], row["scheduled"], row["error"]) == ("pending", 2, True, JAM)
    assert (row["lease_until"], row["deadline_at"]) == (None, row["expires_at"])
    assert row["not_before"] == trial.now + timedelta(seconds=0.5)
    trial.wait(0.5)
    async with trial.transaction() as connection:
        assert await trial.dispatch.wake_scheduled(connection) == {PC}
    assert await trial.claim() == [command_id]
    row = await trial.row(command_id)
    assert (row["attempt"], row["accepted_at"], row["started_at"], row["sends"]) == (2, None, None, 1)
    # What went wrong stays until it goes well.
    assert row["error"] == JAM
    row = await trial.happen(command_id, Reported(ReportStatus.COMPLETED, 2))
    assert (row["error"], row["result"]) == (None, None)


@case
async def what_an_event_does_not_bring_stays_as_it_was(trial: Trial) -> None:
    command_id = await trial.hand_out()
    await trial.happen(command_id, STARTED, Reported(ReportStatus.PROGRESS, 1, progress={"percent": 1}))
    row = await trial.happen(command_id, Reported(ReportStatus.UNKNOWN, 1, result={"data": {}}, error=JAM))
    assert (row["unknown_reason"], row["dead_letter_reason"], row["finished_at"]) == ("reported", "unknown", trial.now)
    trial.wait(5.0)
    row = await trial.happen(command_id, Reported(ReportStatus.FAILED, 1))
    assert (row["status"], row["unknown_reason"], row["finished_at"]) == ("failed", None, trial.now)
    assert (row["progress"], row["result"]) == ({"percent": 1}, {"data": {}})
    assert (row["dead_letter_reason"], row["dead_letter_closed_at"]) == ("failed", None)


@case
async def a_late_answer_closes_the_dead_letter(trial: Trial) -> None:
    command_id = await trial.hand_out(expires_in_s=10.0)
    trial.wait(70.0)
    row = await trial.happen(command_id, DeadlinePassed())
    assert (row["status"], row["unknown_reason"], row["lease_until"]) == ("unknown", "no_word", None)
    trial.wait(1.0)
    row = await trial.happen(command_id, COMPLETED)
    assert (row["status"], row["dead_letter_closed_at"]) == ("completed", trial.now)
    assert row["dead_letter_closed_by"] == "late_answer"


@case
async def the_time_at_the_broker_is_written_once(trial: Trial) -> None:
    command_id = await trial.hand_out()
    for event in (STARTED, COMPLETED):
        trial.wait(1.0)
        async with trial.transaction() as connection:
            locked = (await trial.transitions.lock(connection, [command_id]))[command_id]
            locked.fold(decide(locked.state, event, locked.now))
            locked.sent(locked.now - timedelta(seconds=0.25))
            await trial.transitions.apply(connection, [locked])
    row = await trial.row(command_id)
    assert row["sent_at"] == row["started_at"] - timedelta(seconds=0.25)


# --- leases --------------------------------------------------------------------------------------------------


@case
async def the_agents_word_puts_off_what_is_not_due_and_leaves_what_is(trial: Trial) -> None:
    early, due = await trial.hand_out(lane="a"), await trial.hand_out(lane="b")
    row = await trial.happen(early, ACCEPTED)
    assert row["lease_until"] == trial.now + ACCEPTED_LEASE
    leased = (await trial.row(due))["lease_until"]
    trial.wait((leased - trial.now).total_seconds())
    assert (await trial.happen(due, ACCEPTED))["lease_until"] == leased


@case
async def an_answer_without_news_writes_the_lease_alone(trial: Trial) -> None:
    command_id = await trial.hand_out()
    before = await trial.happen(command_id, ACCEPTED)
    trial.wait(2.0)
    assert await trial.happen(command_id, ACCEPTED) == before | {"lease_until": trial.now + ACCEPTED_LEASE}
    begun = await trial.happen(command_id, STARTED)
    assert begun["lease_until"] is None
    assert await trial.happen(command_id, STARTED) == begun


@case
async def what_is_no_word_of_the_agent_leaves_the_lease(trial: Trial) -> None:
    command_id = await trial.hand_out()
    before = await trial.row(command_id)
    trial.wait(1.0)
    row = await trial.happen(command_id, CancelRequested())
    assert (row["lease_until"], row["cancel_lease_until"]) == (before["lease_until"], trial.now)
    row = await trial.happen(command_id, STARTED)
    assert (row["lease_until"], row["cancel_lease_until"]) == (None, trial.now)
    row = await trial.happen(command_id, Reported(ReportStatus.CANCELLED, 1))
    assert (row["status"], row["lease_until"], row["cancel_lease_until"]) == ("cancelled", None, None)


@case
async def busy_and_a_lost_journal_set_the_time_of_the_next_sending(trial: Trial) -> None:
    busy, lost = await trial.hand_out(lane="a"), await trial.hand_out(lane="b", on_interrupt="rerun")
    row = await trial.happen(busy, Reported(ReportStatus.BUSY, 1))
    assert (row["lease_until"], row["version"]) == (trial.now + timedelta(seconds=5), 2)
    await trial.happen(lost, STARTED)
    trial.wait(5.0)
    row = await trial.happen(lost, JournalLost())
    assert (row["status"], row["lease_until"]) == ("running", trial.now)
    assert row["deadline_at"] == trial.now + timedelta(seconds=90)
    # The run that begins anew ends the sending, as any.
    row = await trial.happen(lost, STARTED)
    assert row["lease_until"] is None


@case
async def an_offer_of_an_unknown_one_ends_with_its_answer(trial: Trial) -> None:
    command_id = await trial.hand_out(expires_in_s=10.0)
    trial.wait(70.0)
    await trial.happen(command_id, DeadlinePassed())
    async with trial.transaction() as connection:
        assert await trial.dispatch.offer_again(connection, PC, JOURNAL) == 1
    assert (await trial.row(command_id))["lease_until"] == trial.now
    row = await trial.happen(command_id, Reported(ReportStatus.UNKNOWN, 1))
    assert (row["lease_until"], row["unknown_reason"], row["logs"][-1]["event"]) == (None, "reported", "evidence")


@case
async def unusable_reports_are_taken(trial: Trial) -> None:
    async with trial.transaction() as connection:
        await trial.transitions.quarantine(connection, [])
        await trial.transitions.quarantine(connection, [Unusable(PC, uuid7(), uuid7(), "unsupported", "{}")])


@pytest.mark.parametrize("each", case, ids=Cases.name)
async def test_every_store_does_the_same(trial: Trial, each: Case) -> None:
    await each(trial)


# --- drift ---------------------------------------------------------------------------------------------------


class _LooksAtFewer(CommandStore):
    """Its guard leaves something out."""

    forgotten = ""

    def _apply(self, new: Any) -> bool:
        return super()._apply(new | {f"from_{self.forgotten}": self._tables.commands[new["id"]][self.forgotten]})


def _forgets(name: str) -> type[CommandStore]:
    return type("Forgets", (_LooksAtFewer,), {"forgotten": name})


class _KnowsNoReports(CommandStore):
    def _lock(self, row: Row, report_ids: Any = ()) -> Any:
        return super()._lock(row)


class _KeepsTheLease(CommandStore):
    def _apply(self, new: Any) -> bool:
        return super()._apply(new | {"answered": False})


class _PutsOffWhatIsDue(CommandStore):
    def _apply(self, new: Any) -> bool:
        lease = new["next_lease_until"] if new["answered"] else None
        return super()._apply({"lease_until": lease} | new)


class _LocksAnyOverdue(CommandStore):
    async def lock_overdue(self, _: Any, most: int) -> Any:
        return (await super().lock_overdue(_, 1_000))[::-1][:most]


class _WritesOneLogRow(CommandStore):
    def _apply(self, new: Any) -> bool:
        return super()._apply(new | {"logs": new["logs"][-1:]})


class _TakesTheErrorAway(CommandStore):
    def _hand_out(self, row: Row) -> Row:
        return _cleared(super()._hand_out(row))


def _cleared(row: Row) -> Row:
    row["error"] = None
    return row


DRIFTS: dict[str, Callable[..., CommandStore]] = {
    "the status is not guarded": _forgets("status"),
    "the attempt is not guarded": _forgets("attempt"),
    "the version is not guarded": _forgets("version"),
    "the deadline is not guarded": _forgets("deadline_at"),
    "reports that come again are new": _KnowsNoReports,
    "a word of the agent does not end the sending": _KeepsTheLease,
    "a word of the agent puts off what is due": _PutsOffWhatIsDue,
    "the overdue are locked in another order": _LocksAnyOverdue,
    "only the last decision is logged": _WritesOneLogRow,
    "a claim forgets what went wrong before": _TakesTheErrorAway,
}


async def test_the_store_as_it_is_passes_all() -> None:
    assert await failing(case, MemoryTrial) == []


@pytest.mark.parametrize("drift", DRIFTS)
async def test_a_planted_drift_is_found(drift: str) -> None:
    assert await failing(case, lambda: MemoryTrial(DRIFTS[drift])) != []
