"""Presence, identity and observations: the SQL and the simulation's store do the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from hub.core.presence.rules.identity import Identity, Lived, Offer
from hub.core.presence.rules.liveness import Life
from hub.core.presence.rules.presence import Evidence
from hub.core.presence.store import AHEAD, CONFIRMED, OFFERED, LockedSession
from schemas.states import Level, Presence
from tests.contract.stores import PC, Case, Cases, MemoryTrial, Trial, failing
from tests.simulation.session_store import SessionStore
from tests.support.factories import JOURNAL

case = Cases()


async def locked(trial: Trial, client_id: str = PC) -> LockedSession:
    async with trial.transaction() as connection:
        return (await trial.sessions.lock(connection, [client_id]))[client_id]


async def save(trial: Trial, shown: int | None = None, issued: int | None = None, **changes: Any) -> Evidence:
    """Write evidence back with these changes; as it was before."""
    async with trial.transaction() as connection:
        old = (await trial.sessions.lock(connection, [PC]))[PC].evidence
        await trial.sessions.save_presence(connection, PC, old, replace(old, **changes), shown=shown, issued=issued)
    return old


async def birth(
    trial: Trial, session: str, number: int = 1, *, shown: int | None = None, issued: int | None = None
) -> None:
    """A birth that is taken."""
    await save(
        trial,
        shown,
        issued,
        presence=Presence.ONLINE,
        reason="birth",
        session=session,
        connection=number,
        heard_at=trial.now,
    )


async def save_identity(trial: Trial, **changes: Any) -> Identity:
    async with trial.transaction() as connection:
        identity = replace((await trial.sessions.lock(connection, [PC]))[PC].identity, **changes)
        await trial.sessions.save_identity(connection, PC, identity)
    return identity


async def confirm(trial: Trial, *signs: Life) -> set[tuple[str, str]]:
    async with trial.transaction() as connection:
        return await trial.sessions.confirm(connection, signs)


async def lives(trial: Trial, watched_from: int = 0) -> list[Lived]:
    async with trial.transaction() as connection:
        found = await trial.sessions.lives(connection, PC, watched_from)
    return sorted(found, key=lambda life: life.session)


async def superseded(trial: Trial, session: str, number: int) -> bool:
    async with trial.transaction() as connection:
        return await trial.sessions.superseded(connection, PC, session, number)


# --- locks ---------------------------------------------------------------------------------------------------


@case
async def sessions_are_locked_in_the_order_of_clients_and_unknown_clients_are_missing(trial: Trial) -> None:
    await trial.add_client("back-pc")
    async with trial.transaction() as connection:
        found = await trial.sessions.lock(connection, [PC, "nobody", "back-pc", PC])
        assert await trial.sessions.lock(connection, []) == {}
    assert list(found) == ["back-pc", PC]
    session = found[PC]
    assert session.evidence == Evidence(
        Presence.ONLINE, "test", "session-1", 1, Level.FULL, heard_at=trial.now, since=trial.now
    )
    assert session.identity == Identity(JOURNAL, issued=1, confirmed=1, session="session-1")
    assert (session.keep_away, session.watched_from, session.now) == (None, 0, trial.now)
    assert session.client_status == "active"
    await trial.change_client(PC, client_status="disabled")
    assert (await locked(trial)).client_status == "disabled"


@case
async def all_that_is_known_is_written_back(trial: Trial) -> None:
    at = trial.wait(5.0)
    changes = {
        "presence": Presence.UNKNOWN,
        "reason": "no_heartbeat",
        "session": "session-2",
        "connection": 7,
        "level": Level.BASIC,
        "heard_at": at - timedelta(seconds=90),
        "since": at,
    }
    old = await save(trial, **changes)
    offers = (Offer("session-3", 2, "journal-3", 5, 4), Offer("session-2", 7, "journal-2", 6, 0))
    identity = await save_identity(trial, journal="journal-2", issued=6, confirmed=5, mark=3, since=4, offers=offers)
    session = await locked(trial)
    assert session.evidence == replace(old, **changes)
    # Its session is part of the evidence.
    assert session.identity == replace(identity, session="session-2")


@case
async def what_people_read_changes_nothing_that_counts(trial: Trial) -> None:
    before = await locked(trial)
    async with trial.transaction() as connection:
        await trial.sessions.save_birth(
            connection, PC, agent_name="agent", agent_version="2", clock_skew=timedelta(seconds=-3)
        )
        await trial.sessions.save_state(connection, PC, {"printers": []})
    assert await locked(trial) == before


@case
async def those_who_may_have_fallen_silent_are_online_and_were_heard_before(trial: Trial) -> None:
    begin = trial.now
    for client_id in ("a-pc", "b-pc", "c-pc"):
        trial.wait(10.0)
        await trial.add_client(client_id)
    await trial.change_client("b-pc", presence=Presence.UNKNOWN)

    async def silent(before: datetime) -> list[str]:
        async with trial.transaction() as connection:
            return [session.client_id for session in await trial.sessions.lock_online(connection, before)]

    assert await silent(begin) == []
    assert await silent(begin + timedelta(seconds=0.001)) == [PC]
    assert await silent(begin + timedelta(seconds=30)) == ["a-pc", PC]
    assert await silent(begin + timedelta(seconds=31)) == ["a-pc", "c-pc", PC]
    await save(trial, presence=Presence.OFFLINE)
    assert await silent(begin + timedelta(seconds=31)) == ["a-pc", "c-pc"]


# --- observations -------------------------------------------------------------------------------------------


@case
async def a_sign_of_the_present_session_is_heard_and_confirms_what_it_shows(trial: Trial) -> None:
    await save_identity(trial, issued=5, confirmed=2, mark=3)
    at = trial.wait(5.0)
    assert await confirm(trial, Life(PC, "session-1", 4, 1, 9)) == {(PC, "online")}
    session = await locked(trial)
    assert (session.evidence.heard_at, session.identity.confirmed, session.identity.mark) == (at, 4, 9)
    # Less than before, or more than was ever issued, proves no more.
    await confirm(trial, Life(PC, "session-1", 3, 1, 8))
    assert (await locked(trial)).identity == session.identity
    await confirm(trial, Life(PC, "session-1", 99, 1, None))
    assert (await locked(trial)).identity.confirmed == 5
    assert await confirm(trial, Life(PC, "session-1", None)) == {(PC, "online")}
    assert (await locked(trial)).identity.confirmed == 5


@case
async def the_first_sign_of_a_new_journal_is_told_once(trial: Trial) -> None:
    await save_identity(trial, issued=7, confirmed=2, since=6)
    assert not (await locked(trial)).identity.is_known_to_exist
    assert await confirm(trial, Life(PC, "session-1", 5, 1)) == {(PC, "online")}
    assert not (await locked(trial)).identity.is_known_to_exist
    assert await confirm(trial, Life(PC, "session-1", 6, 1)) == {(PC, "online"), (PC, CONFIRMED)}
    assert (await locked(trial)).identity.is_known_to_exist
    assert await confirm(trial, Life(PC, "session-1", 7, 1)) == {(PC, "online")}


@case
async def an_epoch_that_was_never_issued_is_told(trial: Trial) -> None:
    await save_identity(trial, issued=5, confirmed=2)
    assert await confirm(trial, Life(PC, "session-1", 6, 1)) == {(PC, "online"), (PC, AHEAD)}
    await save(trial, level=Level.BASIC)  # which has no epochs of its own
    assert await confirm(trial, Life(PC, "session-1", 6, 1)) == {(PC, "online")}


@case
async def a_mark_counts_for_the_connection_that_the_birth_was_of(trial: Trial) -> None:
    await save_identity(trial, issued=5, mark=3)
    for number in (2, None):
        assert await confirm(trial, Life(PC, "session-1", 5, number, 9)) == {(PC, "online")}
        assert (await locked(trial)).identity.mark == 3
    assert (await locked(trial)).identity.confirmed == 5


@case
async def a_sign_says_how_the_client_counted_until_then(trial: Trial) -> None:
    for presence in Presence:
        await trial.change_client(PC, presence=presence)
        assert await confirm(trial, Life(PC, "session-1", 1, 1)) == {(PC, presence.value)}
        assert (await locked(trial)).evidence.presence is presence


@case
async def several_signs_of_a_session_count_as_the_most_that_they_show(trial: Trial) -> None:
    await trial.add_client("other-pc")
    await save_identity(trial, issued=9)
    signs = [Life(PC, "session-1", epoch, 1, mark) for epoch, mark in ((4, 2), (6, None), (5, 7))]
    observation = await confirm(trial, *signs, Life("other-pc", "session-1", 1, 1))
    assert observation == {(PC, "online"), ("other-pc", "online")}
    identity = (await locked(trial)).identity
    assert (identity.confirmed, identity.mark) == (6, 7)
    assert await confirm(trial) == set()


@case
async def another_session_is_heard_only_if_it_has_an_open_offer(trial: Trial) -> None:
    await save_identity(trial, issued=3, offers=(Offer("session-2", 1, "journal-2", 3, 0),))
    before = await locked(trial)
    trial.wait(5.0)
    signs = [Life(PC, session, 3, 1, 4) for session in ("session-2", "session-3")]
    assert await confirm(trial, *signs, Life("nobody", "session-1", 1, 1)) == {(PC, OFFERED)}
    after = await locked(trial)
    assert (after.evidence, after.identity) == (before.evidence, before.identity)
    both = await confirm(trial, *signs, Life(PC, "session-1", 1, 1))
    assert both == {(PC, "online"), (PC, OFFERED)}


# --- history -------------------------------------------------------------------------------------------------


@case
async def a_connection_was_seen_before_if_it_or_a_later_one_of_its_session_was(trial: Trial) -> None:
    assert await superseded(trial, "session-1", 1)
    assert not await superseded(trial, "session-1", 2)
    assert not await superseded(trial, "session-2", 1)
    await birth(trial, "session-2", 3)
    await birth(trial, "session-4", 1)
    assert [await superseded(trial, "session-2", number) for number in (1, 3, 4)] == [True, True, False]
    assert await superseded(trial, "session-1", 1)


@case
async def evidence_that_changes_neither_presence_nor_connection_is_no_history(trial: Trial) -> None:
    await birth(trial, "session-2", issued=2)
    trial.wait(1.0)
    await save(trial, 2, 9, heard_at=trial.now, reason="heartbeat")
    await save(trial, 2, 9)
    assert await lives(trial) == [Lived("session-2", 2, None)]
    assert (await locked(trial)).evidence.heard_at == trial.now


@case
async def births_tell_of_each_session_its_first_epoch_and_the_highest_it_showed(trial: Trial) -> None:
    await birth(trial, "session-2", 1, shown=None, issued=2)
    await birth(trial, "session-3", 1, shown=1, issued=3)
    await birth(trial, "session-2", 2, shown=2, issued=4)
    await birth(trial, "session-3", 2, shown=None, issued=5)
    found = [Lived("session-2", 2, 2), Lived("session-3", 3, 1)]
    # The first session was born without an epoch, as its client was made.
    assert await lives(trial) == found
    assert await lives(trial, 2) == [Lived("session-2", 4, 2), Lived("session-3", 3, 1)]
    assert await lives(trial, 4) == [Lived("session-3", 5, None)]
    assert await lives(trial, 5) == []


@case
async def births_tell_for_an_hour(trial: Trial) -> None:
    await birth(trial, "session-2", issued=2)
    trial.wait(1800.0)
    await birth(trial, "session-3", issued=3)
    trial.wait(1799.5)
    assert [life.session for life in await lives(trial)] == ["session-2", "session-3"]
    trial.wait(0.5)
    assert [life.session for life in await lives(trial)] == ["session-3"]
    # For how long a connection counts as seen is another matter.
    assert await superseded(trial, "session-2", 1)


@case
async def a_new_connection_counts_from_when_it_was_heard_a_change_of_presence_from_when_it_came(trial: Trial) -> None:
    heard_at = trial.now
    trial.wait(1800.0)
    # A birth that the broker had kept is no proof of life now.
    await save(trial, None, 2, session="session-2", heard_at=heard_at)
    trial.wait(1800.0)
    assert await lives(trial) == []
    await save(trial, None, 3, presence=Presence.UNKNOWN, since=trial.now)
    assert await lives(trial) == [Lived("session-2", 3, None)]


@case
async def a_doubted_birth_is_history_and_nothing_else(trial: Trial) -> None:
    before = await locked(trial)
    seen = replace(before.evidence, session="session-2", connection=2, reason="another_session")
    async with trial.transaction() as connection:
        await trial.sessions.record_doubt(connection, PC, seen, trial.now, shown=1, issued=2)
    assert await locked(trial) == before
    assert await superseded(trial, "session-2", 2)
    assert await lives(trial) == [Lived("session-2", 2, 1)]


# --- two machines --------------------------------------------------------------------------------------------


@case
async def two_machines_are_kept_away_until_a_person_has_looked(trial: Trial) -> None:
    await save_identity(trial, issued=8)
    async with trial.transaction() as connection:
        assert not await trial.sessions.release(connection, PC)
        await trial.sessions.keep_away(connection, PC, "two machines", {"sessions": ["session-1", "session-2"]})
    session = await locked(trial)
    assert (session.keep_away, session.watched_from) == ("two machines", 0)
    async with trial.transaction() as connection:
        assert await trial.sessions.release(connection, PC)
        assert not await trial.sessions.release(connection, PC)
    session = await locked(trial)
    # From now on they must be proven anew.
    assert (session.keep_away, session.watched_from) == (None, 8)


@pytest.mark.parametrize("each", case, ids=Cases.name)
async def test_every_store_does_the_same(trial: Trial, each: Case) -> None:
    await each(trial)


# --- drift ---------------------------------------------------------------------------------------------------


class _HistoryFromNow(SessionStore):
    """As this store once did."""

    async def save_presence(self, _: Any, client_id: str, old: Evidence, new: Evidence, **epochs: Any) -> None:
        await super().save_presence(_, client_id, old, new, **epochs)
        history = self._tables.sessions[client_id].history
        history[-1:] = [replace(seen, at=self._tables.at) for seen in history[-1:]]


class _AllIsHistory(SessionStore):
    async def save_presence(self, _: Any, client_id: str, old: Evidence, new: Evidence, **epochs: Any) -> None:
        await super().save_presence(_, client_id, replace(old, connection=-1), new, **epochs)


class _AnyMarkCounts(SessionStore):
    async def confirm(self, _: Any, signs: Any) -> Any:
        number = {client_id: one.evidence.connection for client_id, one in self._tables.sessions.items()}
        return await super().confirm(
            _, [structs.replace(kind, connection=number.get(kind.client_id, 0)) for kind in signs]
        )


class _BelievesAnyEpoch(SessionStore):
    async def confirm(self, _: Any, signs: Any) -> Any:
        observation = await super().confirm(_, signs)
        for kind in signs:
            session = self._tables.sessions.get(kind.client_id)
            if session is not None and session.evidence.session == kind.session and kind.epoch is not None:
                session.identity = replace(session.identity, confirmed=kind.epoch)
        return observation


class _HearsAnySession(SessionStore):
    async def confirm(self, _: Any, signs: Any) -> Any:
        return await super().confirm(_, signs) | {(kind.client_id, OFFERED) for kind in signs}


class _ThatVeryConnection(SessionStore):
    async def superseded(self, _: Any, client_id: str, session: str, number: int) -> bool:
        history = self._tables.sessions[client_id].history
        return any((seen.session, seen.connection) == (session, number) for seen in history)


class _LivesForEver(SessionStore):
    async def lives(self, _: Any, client_id: str, watched_from: int) -> Any:
        history = self._tables.sessions[client_id].history
        history[:] = [replace(seen, at=self._tables.at) for seen in history]
        return await super().lives(_, client_id, watched_from)


class _WatchesFromTheBeginning(SessionStore):
    async def release(self, _: Any, client_id: str) -> bool:
        released = await super().release(_, client_id)
        self._tables.sessions[client_id].watched_from = 0
        return released


class _TakesTheUnknownForOnline(SessionStore):
    async def lock_online(self, _: Any, before: datetime) -> Any:
        return [self._lock(client_id) for client_id in sorted(self._tables.sessions)]


DRIFTS: dict[str, Callable[..., SessionStore]] = {
    "a row of the history has the time of its writing": _HistoryFromNow,
    "whatever is saved is history": _AllIsHistory,
    "a mark of any connection counts": _AnyMarkCounts,
    "an epoch is believed as it is": _BelievesAnyEpoch,
    "any session is heard": _HearsAnySession,
    "a later connection does not supersede": _ThatVeryConnection,
    "births tell for ever": _LivesForEver,
    "two machines are proven by what is over": _WatchesFromTheBeginning,
    "whoever is not online may fall silent": _TakesTheUnknownForOnline,
}


async def test_the_store_as_it_is_passes_all() -> None:
    assert await failing(case, MemoryTrial) == []


@pytest.mark.parametrize("drift", DRIFTS)
async def test_a_planted_drift_is_found(drift: str) -> None:
    assert await failing(case, lambda: MemoryTrial(sessions=DRIFTS[drift])) != []
