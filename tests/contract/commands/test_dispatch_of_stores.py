"""Claims, leases and what is scheduled: the SQL and the simulation's store do the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.commands.rules import lanes
from hub.core.commands.rules.lifecycle import NO_WORD_GRACE, CancelRequested, DeadlinePassed, JournalLost, Reported
from hub.core.commands.store.dispatch import FIRST_LEASE_S
from hub.core.presence.rules.liveness import Life
from schemas.states import Presence, ReportStatus
from tests.contract.stores import PC, Case, Cases, MemoryTrial, Trial, failing
from tests.simulation.command_store import CommandStore
from tests.simulation.tables import Row
from tests.support.factories import JOURNAL, new_command

case = Cases()
STARTED = Reported(ReportStatus.STARTED, 1)
ACCEPTED = Reported(ReportStatus.ACCEPTED, 1)
COMPLETED = Reported(ReportStatus.COMPLETED, 1)
FAILED = Reported(ReportStatus.FAILED, 1, error={"code": "media_jam", "message": "", "retryable": False})


async def add_many(trial: Trial, *fields: dict[str, Any]) -> list[UUID]:
    """Store commands in one call."""
    return await trial.submit(*(new_command(**one) for one in fields))


async def resend(trial: Trial, most: int = 500) -> list[UUID]:
    async with trial.transaction() as connection:
        return sorted(run.command_id for run in await trial.dispatch.resend(connection, most))


async def resend_cancels(trial: Trial, most: int = 500) -> dict[UUID, UUID]:
    async with trial.transaction() as connection:
        return {one.command_id: one.cancel_id for one in await trial.dispatch.resend_cancels(connection, most)}


async def wake(trial: Trial, most: int = 5_000) -> set[str]:
    async with trial.transaction() as connection:
        return await trial.dispatch.wake_scheduled(connection, most)


async def offer_again(trial: Trial, journal: str = JOURNAL) -> int:
    async with trial.transaction() as connection:
        return await trial.dispatch.offer_again(connection, PC, journal)


async def nothing_goes_now(trial: Trial) -> None:
    """A claim takes nothing, and says that there is something left."""
    async with trial.transaction() as connection:
        claim = await trial.dispatch.claim(connection, [PC])
    assert (claim.runs, claim.emptied) == ([], set())


# --- claims --------------------------------------------------------------------------------------------------


@case
async def a_claim_gives_the_run_and_what_a_worker_may_remember(trial: Trial) -> None:
    [command_id] = await add_many(
        trial,
        {
            "payload": {"printer": "labels", "copies": 2},
            "order_key": "box-7",
            "traceparent": "00-aa-bb-01",
            "on_interrupt": "rerun",
            "max_retries": 1,
            "back_off": {"first_delay_s": 2.0, "factor": 3.0, "cap_s": 9.0},
        },
    )
    trial.wait(1.0)
    async with trial.transaction() as connection:
        claim = await trial.dispatch.claim(connection, [PC])
        locked = (await trial.transitions.lock(connection, [command_id]))[command_id]
    [run], [remembered] = claim.runs, claim.handed_out
    row = await trial.row(command_id)
    assert (claim.skipped, claim.emptied) == (set(), {PC})
    assert (run.client_id, run.command_id, run.attempt, run.lane) == (PC, command_id, 1, "printer:labels")
    assert (run.action, run.payload, run.priority) == ("print", {"printer": "labels", "copies": 2}, 5)
    assert (run.issued_at, run.expires_at, run.timeout_s) == (trial.now, row["expires_at"], 60.0)
    assert (run.journal, run.order_key, run.traceparent, run.heard) == (JOURNAL, "box-7", "00-aa-bb-01", None)
    assert run.on_interrupt == "rerun"
    assert (row["status"], row["version"], row["sends"], row["queued_at"]) == ("queued", 2, 1, trial.now)
    assert row["lease_until"] == trial.now + timedelta(seconds=FIRST_LEASE_S)
    assert row["deadline_at"] == row["expires_at"] + NO_WORD_GRACE
    assert row["logs"][-1] == {"event": "queued", "status": "queued", "attempt": 1, "report_id": None, "detail": None}
    # As good as locked.
    assert remembered == locked
    assert remembered.state.retry.delay_after(1, 0.0) == timedelta(seconds=1)


@case
async def a_lane_holds_two_and_the_next_follows_when_one_ends(trial: Trial) -> None:
    ids = [await trial.add() for _ in range(4)]
    async with trial.transaction() as connection:
        first = await trial.dispatch.claim(connection, [PC, PC])
    assert ([run.command_id for run in first.runs], first.emptied) == (ids[:2], set())
    assert await trial.claim() == []
    await trial.happen(ids[0], STARTED)
    assert await trial.claim() == []
    await trial.happen(ids[0], COMPLETED)
    assert await trial.claim() == ids[2:3]
    await trial.happen(ids[1], DeadlinePassed(), JournalLost())
    assert await trial.claim() == ids[3:4]


@case
async def nothing_is_handed_out_to_a_journal_of_which_no_epoch_was_confirmed(trial: Trial) -> None:
    command_id = await trial.add()
    async with trial.transaction() as connection:
        known = (await trial.sessions.lock(connection, [PC]))[PC].identity
        await trial.sessions.save_identity(connection, PC, replace(known, issued=2, since=2))
    assert await trial.claim() == []
    async with trial.transaction() as connection:
        assert await trial.dispatch.clients_with_work(connection) == set()
        await trial.sessions.confirm(connection, [Life(PC, "session-1", 2, 1)])
        assert await trial.dispatch.clients_with_work(connection) == {PC}
    assert await trial.claim() == [command_id]


@case
async def after_a_start_agents_are_asked_about_what_they_have(trial: Trial) -> None:
    for client_id in ("gone-pc", "fenced-pc"):
        await trial.add_client(client_id)
    running, accepted, fresh = [await trial.hand_out(lane=lane) for lane in "abc"]
    away, kept = [await trial.hand_out(client_id) for client_id in ("gone-pc", "fenced-pc")]
    for command_id in (running, away, kept):
        await trial.happen(command_id, STARTED)
    await trial.happen(accepted, Reported(ReportStatus.ACCEPTED, 1))
    await trial.change_client("gone-pc", presence=Presence.OFFLINE)
    await trial.change_client("fenced-pc", keep_away="two machines")
    pending = await trial.add(lane="d")

    async with trial.transaction() as connection:
        assert await trial.dispatch.ask_again(connection, 2.0) == 2
    trial.wait(2.0)
    async with trial.transaction() as connection:
        runs = await trial.dispatch.resend(connection)
    assert {(run.command_id, run.heard) for run in runs} == {
        (running, ReportStatus.STARTED),
        (accepted, ReportStatus.ACCEPTED),
    }
    assert [(await trial.row(one))["sends"] for one in (fresh, away, kept, pending)] == [1, 1, 1, 0]
    # The answer that says nothing new ends the asking.
    await trial.happen(running, STARTED)
    assert (await trial.row(running))["lease_until"] is None


@case
async def each_lane_of_each_client_has_a_window_of_its_own(trial: Trial) -> None:
    await trial.add_client("other-pc")
    mine = [await trial.add(lane=lane) for lane in "aaabb"]
    others = [await trial.add("other-pc", lane="a") for _ in range(3)]
    async with trial.transaction() as connection:
        claim = await trial.dispatch.claim(connection, ["other-pc", PC])
    assert [run.command_id for run in claim.runs] == [*mine[:2], *mine[3:], *others[:2]]
    assert claim.emptied == set()


@case
async def a_client_holds_sixteen_over_all_lanes_each_lane_first_of_its_own(trial: Trial) -> None:
    ids = await add_many(trial, *({"lane": f"p{n % 12:02}"} for n in range(30)))
    taken = await trial.claim()
    assert len(taken) == lanes.PER_CLIENT
    # Each lane's first, then the second of some.
    assert taken == sorted([*ids[:12], *ids[12:16]])
    assert await trial.claim() == []
    await trial.happen(ids[0], COMPLETED)
    [follows] = await trial.claim()
    assert follows == ids[16]


@case
async def the_most_urgent_go_first_and_of_the_same_the_oldest(trial: Trial) -> None:
    low, old, young, high = [await trial.add(priority=priority) for priority in (1, 5, 5, 8)]
    assert await trial.claim() == [high, old]
    await trial.happen(high, COMPLETED)
    await trial.happen(old, COMPLETED)
    assert await trial.claim() == [young, low]


@case
async def urgent_ones_find_one_more_slot_in_each_lane(trial: Trial) -> None:
    await add_many(trial, *({} for _ in range(2)))
    assert len(await trial.claim()) == lanes.PER_LANE
    nine, ten, usual = [await trial.add(priority=priority) for priority in (9, 10, 8)]
    assert await trial.claim() == [ten]
    assert await trial.claim() == []
    await trial.happen(ten, COMPLETED)
    assert await trial.claim() == [nine]
    await nothing_goes_now(trial)
    assert (await trial.row(usual))["status"] == "pending"


@case
async def urgent_ones_go_beyond_the_clients_window_too(trial: Trial) -> None:
    await add_many(trial, *({"lane": f"p{n}"} for n in range(lanes.PER_CLIENT)))
    assert len(await trial.claim()) == lanes.PER_CLIENT
    usual, urgent = await trial.add(lane="new"), await trial.add(lane="p0", priority=9)
    more = await trial.add(lane="p0", priority=9)
    last = await trial.add(lane="p0", priority=9)
    assert await trial.claim() == [urgent, more]
    assert {(await trial.row(one))["status"] for one in (usual, last)} == {"pending"}


@case
async def each_eighth_claim_of_a_lane_takes_its_oldest(trial: Trial) -> None:
    oldest = await trial.add(priority=1)
    young = [await trial.add(priority=5) for _ in range(9)]
    order: list[UUID] = []
    while len(order) < 10:
        taken = await trial.claim()
        order += taken
        for command_id in taken:
            await trial.happen(command_id, COMPLETED)
    assert set(order) == {oldest, *young}
    assert order.index(oldest) // lanes.PER_LANE == (lanes.OLDEST_EVERY - 1) // lanes.PER_LANE
    assert [one for one in order if one != oldest] == young


@case
async def the_oldest_that_goes_is_one_that_may(trial: Trial) -> None:
    blocker = await trial.add(order_key="box", lane="other", not_before=trial.now + timedelta(hours=1))
    blocked = await trial.add(priority=1, order_key="box")
    free = await trial.add(priority=1)
    young = [await trial.add(priority=5) for _ in range(8)]
    order: list[UUID] = []
    while taken := await trial.claim():
        order += taken
        for command_id in taken:
            await trial.happen(command_id, COMPLETED)
    assert order.index(free) // lanes.PER_LANE == (lanes.OLDEST_EVERY - 1) // lanes.PER_LANE
    assert set(order) == {free, *young}
    assert {(await trial.row(one))["status"] for one in (blocker, blocked)} == {"pending"}


@case
async def commands_of_an_order_key_go_one_after_the_other(trial: Trial) -> None:
    first = await trial.add(order_key="box", lane="a")
    second = await trial.add(order_key="box", lane="b", priority=10)
    other, free = await trial.add(order_key="bag", lane="b"), await trial.add(lane="b")
    assert await trial.claim() == [first, other, free]
    await trial.happen(first, STARTED)
    assert await trial.claim() == []
    await trial.happen(first, COMPLETED)
    assert await trial.claim() == [second]


@case
async def another_clients_order_key_is_another(trial: Trial) -> None:
    await trial.add_client("other-pc")
    mine, other = await trial.add(order_key="box"), await trial.add("other-pc", order_key="box")
    assert await trial.claim(PC, "other-pc") == [mine, other]


@case
async def an_order_key_waits_for_a_person_as_long_as_a_dead_letter_is_open(trial: Trial) -> None:
    failed = await trial.hand_out(order_key="box")
    await trial.happen(failed, FAILED)
    waits = await trial.add(order_key="box")
    assert await trial.claim() == []
    await trial.close_letter(failed)
    assert await trial.claim() == [waits]
    await trial.happen(waits, JournalLost())
    last = await trial.add(order_key="box")
    assert (await trial.row(waits))["status"] == "unknown"
    assert await trial.claim() == []
    await trial.happen(waits, COMPLETED)
    assert await trial.claim() == [last]


@case
async def an_order_key_waits_for_what_is_scheduled_too(trial: Trial) -> None:
    await trial.add(order_key="box", not_before=trial.now + timedelta(seconds=10))
    waits = await trial.add(order_key="box")
    await nothing_goes_now(trial)
    assert (await trial.row(waits))["status"] == "pending"


@case
async def a_replay_has_the_place_of_what_it_replays(trial: Trial) -> None:
    failed = await trial.hand_out(order_key="box")
    await trial.happen(failed, FAILED)
    younger = await trial.add(order_key="box")
    replay = await trial.add(order_key="box", order_place=failed)
    await trial.close_letter(failed)
    assert await trial.claim() == [replay]
    await trial.happen(replay, COMPLETED)
    assert await trial.claim() == [younger]


@case
async def what_is_scheduled_or_held_back_is_not_handed_out(trial: Trial) -> None:
    soon = await trial.add(not_before=trial.now + timedelta(seconds=10))
    held, goes = await trial.add(not_before=trial.now + timedelta(seconds=5)), await trial.add()
    await trial.hold(held)
    async with trial.transaction() as connection:
        claim = await trial.dispatch.claim(connection, [PC])
    assert ([run.command_id for run in claim.runs], claim.emptied) == ([goes], {PC})
    trial.wait(10.0)
    # Its time has come, and yet nobody has let it in.
    assert await trial.claim() == []
    assert await wake(trial) == {PC}
    assert await trial.claim() == [soon]
    assert await wake(trial) == set()
    assert (await trial.row(held))["status"] == "pending"


@case
async def nothing_goes_to_a_client_that_cannot_take_it(trial: Trial) -> None:
    command_id = await trial.add()
    for away, back in (
        ({"presence": Presence.OFFLINE}, {"presence": Presence.UNKNOWN}),
        ({"keep_away": "two machines"}, {"keep_away": None}),
        ({"journal": None}, {"journal": "journal-2"}),
        ({"client_status": "disabled"}, {"client_status": "active"}),
    ):
        await trial.change_client(PC, **away)
        async with trial.transaction() as connection:
            assert await trial.dispatch.clients_with_work(connection) == set(), away
        assert await trial.claim() == [], away
        await trial.change_client(PC, **back)
    async with trial.transaction() as connection:
        assert await trial.dispatch.clients_with_work(connection) == {PC}
        [run] = (await trial.dispatch.claim(connection, [PC, "nobody"])).runs
    assert (run.command_id, run.journal) == (command_id, "journal-2")


@case
async def clients_with_work_have_something_due(trial: Trial) -> None:
    for client_id in ("busy-pc", "idle-pc", "later-pc"):
        await trial.add_client(client_id)
    await trial.hand_out("busy-pc")
    await trial.add("later-pc", not_before=trial.now + timedelta(seconds=10))
    await trial.add()
    async with trial.transaction() as connection:
        assert await trial.dispatch.clients_with_work(connection) == {PC}


@case
async def a_worker_that_is_alone_claims_the_same(trial: Trial) -> None:
    ids = [await trial.add() for _ in range(3)]
    async with trial.transaction() as connection:
        claim = await trial.dispatch.claim(connection, [PC], alone=True)
        assert (await trial.dispatch.claim(connection, [PC], alone=True)).runs == []
    assert ([run.command_id for run in claim.runs], claim.skipped, claim.emptied) == (ids[:2], set(), set())


# --- sent again ----------------------------------------------------------------------------------------------


@case
async def the_same_attempt_goes_again_after_5_10_20_and_then_every_30_s(trial: Trial) -> None:
    command_id = await trial.hand_out()
    for sends, lease_s in enumerate((5.0, 10.0, 20.0, 30.0, 30.0), start=1):
        trial.wait(lease_s - 0.5)
        assert await resend(trial) == []
        trial.wait(0.5)
        assert await resend(trial) == [command_id]
        assert await resend(trial) == []
        row = await trial.row(command_id)
        assert (row["status"], row["attempt"], row["version"], row["sends"]) == ("queued", 1, 2, sends + 1)


@case
async def a_run_that_goes_again_is_the_same_and_says_what_was_heard(trial: Trial) -> None:
    silent, known, rerun = [
        await trial.hand_out(lane=lane, on_interrupt=on_interrupt)
        for lane, on_interrupt in (("a", "unknown"), ("b", "unknown"), ("c", "rerun"))
    ]
    issued_at = trial.now
    for command_id in (known, rerun):
        await trial.happen(command_id, ACCEPTED)
    trial.wait(60.0)
    async with trial.transaction() as connection:
        runs = {run.command_id: run for run in await trial.dispatch.resend(connection)}
    assert {one: run.heard for one, run in runs.items()} == {silent: None, known: ReportStatus.ACCEPTED, rerun: None}
    assert {(run.attempt, run.issued_at, run.journal) for run in runs.values()} == {(1, issued_at, JOURNAL)}
    await trial.happen(known, STARTED)
    assert await offer_again(trial, "journal-2") == 3
    async with trial.transaction() as connection:
        runs = {run.command_id: run for run in await trial.dispatch.resend(connection)}
    assert runs[known].heard is ReportStatus.STARTED
    assert {run.journal for run in runs.values()} == {"journal-2"}


@case
async def one_round_takes_what_is_due_longest_and_no_more_than_asked(trial: Trial) -> None:
    ids = []
    for lane in "abc":
        ids.append(await trial.hand_out(lane=lane))
        trial.wait(1.0)
    trial.wait(5.0)
    assert await resend(trial, 2) == ids[:2]
    assert await resend(trial, 2) == ids[2:]


@case
async def what_goes_again_goes_in_the_order_in_which_it_is_begun(trial: Trial) -> None:
    low, old, young, high = [await trial.hand_out(lane=f"a-{n}", priority=n) for n in (1, 5, 5, 8)]
    trial.wait(60.0)
    async with trial.transaction() as connection:
        again = [run.command_id for run in await trial.dispatch.resend(connection)]
    assert again == [high, old, young, low]


@case
async def nothing_goes_again_to_a_client_that_must_not_be_sent_to(trial: Trial) -> None:
    command_id = await trial.hand_out()
    await trial.happen(command_id, CancelRequested())
    trial.wait(60.0)
    for change in ({"presence": Presence.OFFLINE}, {"keep_away": "two machines", "presence": Presence.ONLINE}):
        await trial.change_client(PC, **change)
        assert (await resend(trial), await resend_cancels(trial)) == ([], {})
    await trial.change_client(PC, keep_away=None, presence=Presence.UNKNOWN)
    # Whoever was disabled or lost its journal meanwhile is sent what it holds.
    await trial.change_client(PC, client_status="disabled", journal=None)
    assert (await resend(trial), list(await resend_cancels(trial))) == ([command_id], [command_id])


@case
async def a_cancel_goes_at_once_and_again_until_it_is_answered(trial: Trial) -> None:
    command_id = await trial.hand_out()
    assert await resend_cancels(trial) == {}
    await trial.happen(command_id, CancelRequested())
    seen = set()
    for sends, lease_s in enumerate((0.0, 5.0, 10.0, 20.0, 30.0, 30.0), start=1):
        if lease_s:
            trial.wait(lease_s - 0.5)
            assert await resend_cancels(trial) == {}
            trial.wait(0.5)
        seen.add((await resend_cancels(trial))[command_id])
        assert (await trial.row(command_id))["cancel_sends"] == sends
    assert len(seen) == 1
    await trial.happen(command_id, Reported(ReportStatus.CANCELLED, 1))
    trial.wait(60.0)
    assert await resend_cancels(trial) == {}


@case
async def a_birth_offers_at_once_what_is_held_cancels_included(trial: Trial) -> None:
    await trial.add_client("other-pc")
    queued, running, cancelled, ended = [await trial.hand_out(lane=lane) for lane in "abcd"]
    other = await trial.hand_out("other-pc")
    pending = await trial.add(lane="e")
    await trial.happen(running, STARTED)
    await trial.happen(cancelled, CancelRequested())
    await trial.happen(ended, COMPLETED)
    assert list(await resend_cancels(trial)) == [cancelled]
    trial.wait(1.0)
    assert await offer_again(trial, "journal-2") == 3
    for command_id in (queued, running, cancelled):
        row = await trial.row(command_id)
        assert (row["lease_until"], row["journal"]) == (trial.now, "journal-2")
        assert row["cancel_lease_until"] == (trial.now if command_id == cancelled else None)
    assert await resend(trial) == [queued, running, cancelled]
    assert list(await resend_cancels(trial)) == [cancelled]
    assert (await trial.row(other))["journal"] == JOURNAL
    assert (await trial.row(pending))["lease_until"] is None


@case
async def an_unknown_one_without_word_is_offered_once_with_each_birth(trial: Trial) -> None:
    command_id = await trial.hand_out(expires_in_s=10.0)
    await trial.happen(command_id, CancelRequested())
    trial.wait(70.0)
    await trial.happen(command_id, DeadlinePassed())
    for birth in range(2):
        assert await offer_again(trial, f"journal-{birth + 2}") == 1
        assert (await resend(trial), await resend_cancels(trial)) == ([command_id], {})
        row = await trial.row(command_id)
        assert (row["status"], row["journal"], row["lease_until"]) == ("unknown", JOURNAL, None)
        trial.wait(3600.0)
        assert await resend(trial) == []
    await trial.close_letter(command_id)
    assert await offer_again(trial) == 0


@case
async def what_the_agent_called_unknown_is_not_offered(trial: Trial) -> None:
    reported, lost = await trial.hand_out(lane="a"), await trial.hand_out(lane="b")
    await trial.happen(reported, Reported(ReportStatus.UNKNOWN, 1))
    await trial.happen(lost, JournalLost())
    assert await offer_again(trial) == 0
    assert await resend(trial) == []


@case
async def the_brokers_acknowledgement_is_a_time_and_counts_once(trial: Trial) -> None:
    command_id = await trial.hand_out()
    before = await trial.row(command_id)
    trial.wait(2.0)
    for age_s in (0.5, 0.25):
        async with trial.transaction() as connection:
            await trial.dispatch.mark_sent(connection, {command_id: age_s, uuid7(): age_s})
    assert await trial.row(command_id) == before | {"sent_at": trial.now - timedelta(seconds=0.5)}


# --- scheduled -----------------------------------------------------------------------------------------------


@case
async def what_is_due_longest_is_let_in_first(trial: Trial) -> None:
    for client_id in ("a-pc", "b-pc"):
        await trial.add_client(client_id)
    later = await trial.add("a-pc", not_before=trial.now + timedelta(seconds=20))
    sooner = await trial.add("b-pc", not_before=trial.now + timedelta(seconds=10))
    held = await trial.add(not_before=trial.now + timedelta(seconds=5))
    await trial.hold(held)
    assert await wake(trial) == set()
    trial.wait(20.0)
    assert await wake(trial, 1) == {"b-pc"}
    assert await wake(trial) == {"a-pc"}
    assert await wake(trial) == set()
    assert [(await trial.row(one))["scheduled"] for one in (later, sooner, held)] == [False, False, True]


@case
async def what_ends_before_its_time_is_looked_at_once_more_and_stays_ended(trial: Trial) -> None:
    command_id = await trial.add(not_before=trial.now + timedelta(seconds=10))
    before = await trial.happen(command_id, CancelRequested())
    trial.wait(10.0)
    assert await wake(trial) == {PC}
    assert await trial.row(command_id) == before | {"scheduled": False}
    assert await wake(trial) == set()
    assert await trial.claim() == []


@case
async def the_next_look_is_at_the_earliest_time_or_deadline(trial: Trial) -> None:
    async def seconds() -> float | None:
        async with trial.transaction() as connection:
            return await trial.dispatch.seconds_to_next_due(connection)

    assert await seconds() is None
    await trial.add(expires_in_s=500.0)
    assert await seconds() == 500.0
    held = await trial.add(not_before=trial.now + timedelta(seconds=50))
    assert await seconds() == 50.0
    await trial.hold(held)
    assert await seconds() == 500.0
    trial.wait(501.0)
    assert await seconds() == -1.0


@pytest.mark.parametrize("each", case, ids=Cases.name)
async def test_every_store_does_the_same(trial: Trial, each: Case) -> None:
    await each(trial)


# --- drift ---------------------------------------------------------------------------------------------------


class _LooksAtNoOrder(CommandStore):
    def _waits_for_order(self, row: Row) -> bool:
        return False


class _OrdersByIdAlone(CommandStore):
    def _waits_for_order(self, row: Row) -> bool:
        return super()._waits_for_order(row | {"order_place": None})


class _TakesAllThatIsDue(CommandStore):
    def _choose(self, client_id: str) -> list[Row]:
        return self._due(client_id)


class _CountsNoClaims(CommandStore):
    def _hand_out(self, row: Row) -> Row:
        handed = super()._hand_out(row)
        self._tables.claims.clear()
        return handed


class _LetsInWhatIsHeld(CommandStore):
    def _scheduled(self) -> list[Row]:
        return [row for row in self._tables.commands.values() if row["scheduled"]]


class _ForgetsWhatHasEnded(CommandStore):
    """As this store once did."""

    def _scheduled(self) -> list[Row]:
        return [row for row in self._open() if row["scheduled"] and not row["on_hold"]]


class _LetsInAnyFirst(CommandStore):
    def _scheduled(self) -> list[Row]:
        now = self._tables.at
        return [row | {"not_before": min(now, row["not_before"])} for row in super()._scheduled()]


class _SendsToAnyone(CommandStore):
    def _ready(self, client_id: str) -> bool:
        return client_id in self._tables.sessions


class _DoublesForEver(CommandStore):
    def _next_lease(self, sends: int) -> Any:
        return self._tables.at + timedelta(seconds=5 * 2**sends)


class _ResendsOnlyToTheReady(CommandStore):
    """As this store once did."""

    def _leased(self, column: str) -> list[Row]:
        return [row for row in super()._leased(column) if self._ready(row["client_id"])]


class _OffersOnlyWhatIsHeld(CommandStore):
    async def offer_again(self, _: Any, client_id: str, journal: str) -> int:
        offered = await super().offer_again(_, client_id, journal)
        return offered if self._held(client_id) else 0


class _SaysThatNothingIsLeft(CommandStore):
    async def claim(self, _: Any, client_ids: Any, **how: Any) -> Any:
        claim = await super().claim(_, client_ids, **how)
        claim.emptied.update(client_ids)
        return claim


DRIFTS: dict[str, Callable[..., CommandStore]] = {
    "order keys are not looked at": _LooksAtNoOrder,
    "a replay goes last": _OrdersByIdAlone,
    "windows are not looked at": _TakesAllThatIsDue,
    "the oldest never goes": _CountsNoClaims,
    "what is held back is let in": _LetsInWhatIsHeld,
    "what is scheduled is let in before its time": _LetsInAnyFirst,
    "what has ended before its time is forgotten": _ForgetsWhatHasEnded,
    "a client that is not ready is sent to": _SendsToAnyone,
    "leases grow without end": _DoublesForEver,
    "a client without journal is not sent again": _ResendsOnlyToTheReady,
    "what is unknown is not offered": _OffersOnlyWhatIsHeld,
    "a claim says that nothing is left": _SaysThatNothingIsLeft,
}


async def test_the_store_as_it_is_passes_all() -> None:
    assert await failing(case, MemoryTrial) == []


@pytest.mark.parametrize("drift", DRIFTS)
async def test_a_planted_drift_is_found(drift: str) -> None:
    assert await failing(case, lambda: MemoryTrial(DRIFTS[drift])) != []
