"""Births, good-byes, heartbeats and states: evidence is stored, policy decides, births are welcomed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.text import clean, clean_text
from hub.core.commands.rules import lifecycle
from hub.core.commands.store import dispatch, transitions
from hub.core.commands.store.ports import Dispatch, Transitions
from hub.core.presence import store as sessions
from hub.core.presence.rules import identity as identities
from hub.core.presence.rules import presence
from hub.core.presence.rules.identity import Finding, Identity
from hub.core.presence.rules.liveness import Life
from hub.core.presence.rules.presence import Observation, ObservationKind
from hub.core.presence.service.births import Births
from hub.core.presence.service.farewells import Farewells
from hub.core.presence.service.liveness import Liveness
from hub.core.presence.service.rounds import Round, Sighting
from hub.core.presence.store import CONFIRMED, LockedSession, Sessions
from hub.core.presence.telemetry import Event, Metrics
from hub.database.engine import Database
from hub.signals.ports import Publisher, Signals
from hub.telemetry.log import Log
from schemas.messages import Birth, Offline, Will
from schemas.states import Level

REMEMBERED_BIRTHS = 8


class PresenceService:
    """The service. Every worker hears presence itself, so each sign may come several times."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        signals: Signals,
        metrics: Metrics,
        log: Log,
        *,
        sessions: Sessions = sessions,
        transitions: Transitions = transitions,
        dispatch: Dispatch = dispatch,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._dispatch = dispatch
        self._farewells = Farewells(transitions)
        self._births = Births(transitions, dispatch, self._farewells, new_id, log)
        self._publisher = publisher
        self._signals = signals
        self._metrics = metrics
        self._log = log
        self.liveness = Liveness(self.observe)
        self._aged_at: datetime | None = None
        self._watched_since: datetime | None = None
        self.roll_called_at: datetime | None = None
        """When this worker last asked all agents to show themselves: silence counts from then on."""
        self.observations_wait: Callable[[], bool] = lambda: False
        """Whether answers wait in this worker to be looked at: they may be what breaks a silence."""

    # --- births, good-byes and wills -------------------------------------------------------------------------

    async def see(self, sightings: Sequence[Sighting]) -> None:
        """Take in births, good-byes and wills, in the order they came; one transaction, welcomes after it."""
        if not sightings:
            return
        if any(isinstance(sighting.message, Birth) for sighting in sightings):
            await self.liveness.write()  # a birth is judged by all that was heard before it
        async with self._database.transaction() as connection:
            done = Round(connection, self._sessions)
            locked = await self._sessions.lock(connection, [sighting.client_id for sighting in sightings])
            for sighting in sightings:
                session = locked.get(sighting.client_id)
                if session is None or session.client_status != "active":
                    self._log.seldom(sighting.client_id, "client_not_active").warning(
                        Event.MESSAGE_REFUSED, client_id=sighting.client_id, reason="client_not_active"
                    )
                    continue
                message = sighting.message
                if isinstance(message, Birth):
                    after = await self._births.take_in(session, message, done, retained=sighting.retained)
                else:
                    after = await self._gone(session, message, done, retained=sighting.retained)
                locked[sighting.client_id] = after
            await self._farewells.note(done)
        self._tell(done)

    async def _gone(
        self,
        session: LockedSession,
        sighting: Offline | Will,
        done: Round,
        *,
        retained: bool,
    ) -> LockedSession:
        kind = ObservationKind.GOOD_BYE if isinstance(sighting, Offline) else ObservationKind.WILL
        observation = Observation(
            kind,
            clean_text(sighting.session),
            sighting.connection,
            session.evidence.level,
            retained,
            asleep=isinstance(sighting, Offline) and sighting.reason == presence.ASLEEP,
        )
        evidence = presence.observe(session.evidence, observation, session.now)
        if evidence == session.evidence:
            return session
        await done.save(session.client_id, session.evidence, evidence)
        return replace(session, evidence=evidence)

    # --- liveness --------------------------------------------------------------------------------------------

    async def observe(self, signs: Sequence[Life]) -> None:
        """Take in heartbeats, and what else proves liveness. Whoever was not online comes back; whoever shows the epoch
        of an offer has taken it."""
        if not signs:
            return
        async with self._database.connection() as connection:
            stored = await self._sessions.confirm(connection, signs)
        self._signals.work_for({client_id for client_id, state in stored if state == CONFIRMED})
        due = {client_id for client_id, state in stored if state not in ("online", CONFIRMED)}
        if not due:
            return
        async with self._database.transaction() as connection:
            done = Round(connection, self._sessions)
            locked = await self._sessions.lock(connection, sorted(due))
            for life in signs:
                session = locked.get(life.client_id)
                if session is not None and life.connection is not None:
                    locked[life.client_id] = await self._alive(session, life, done)
            await self._farewells.note(done)
        self._tell(done)

    async def _alive(self, session: LockedSession, life: Life, done: Round) -> LockedSession:
        client_id, old, number = session.client_id, session.evidence, life.connection or 0
        if session.client_status != "active":
            return session
        taken = identities.take_offer(session.identity, life.session, life.epoch, life.mark)
        if taken is not None and session.keep_away is None:
            identity, offer, finding = taken
            born = Observation(ObservationKind.BIRTH, offer.session, max(number, offer.connection), Level.FULL)
            evidence = presence.observe(old, born, session.now)
            await done.save(client_id, old, evidence)
            await self._births.found(client_id, finding, done)
            await done.sessions.save_identity(done.connection, client_id, identity)
            await done.sessions.forget_boot(done.connection, client_id)
            await self._dispatch.offer_again(done.connection, client_id, identity.journal or "")
            done.woken.add(client_id)
            return replace(session, evidence=evidence, identity=identity)
        if life.session == old.session and old.level is Level.FULL:
            newer = identities.run_ahead(session.identity, life.epoch)
            if newer is not None:
                session = await self._ahead(session, newer, done)
        observation = Observation(ObservationKind.HEARTBEAT, life.session, number, old.level)
        evidence = presence.observe(old, observation, session.now)
        if evidence.presence is old.presence:
            return session
        await done.save(client_id, old, evidence)
        done.woken.add(client_id)
        return replace(session, evidence=evidence)

    async def _ahead(self, session: LockedSession, identity: Identity, done: Round) -> LockedSession:
        """The hub was restored from a backup, and the agent stayed connected: its journal tells what came since."""
        await self._births.found(session.client_id, Finding.AHEAD, done)
        await done.sessions.save_identity(done.connection, session.client_id, identity)
        await self._dispatch.offer_again(done.connection, session.client_id, identity.journal or "")
        done.woken.add(session.client_id)
        return replace(session, identity=identity)

    async def describe(self, client_id: str, state: dict[str, Any]) -> None:
        """Keep what a client says of itself."""
        async with self._database.connection() as connection:
            await self._sessions.save_state(connection, client_id, clean(state))
        reason = state.get("distrusts")
        if reason is not None:
            self._log.seldom(client_id).warning(Event.CLIENT_DISTRUSTS, client_id=client_id, reason=reason)

    async def age(self) -> None:
        """Who was silent for too long is unknown. Call it every second or so."""
        if self.liveness.is_writing:
            return  # What broke a silence may be among it.
        await self.liveness.write()
        roll_called_at = None if self.observations_wait() else self.roll_called_at
        async with self._database.transaction() as connection:
            done = Round(connection, self._sessions)
            now = await self._database.now(connection)
            if self._aged_at is None or now - self._aged_at >= presence.WATCH_GAP:
                self._watched_since = now
            self._aged_at = now
            before = now - presence.SILENCE
            if roll_called_at is not None and now - roll_called_at >= presence.ROLL_CALL_PATIENCE:
                before = max(before, roll_called_at)
            for session in await self._sessions.lock_online(connection, before):
                evidence = presence.age(session.evidence, session.now, roll_called_at, self._watched_since)
                if evidence != session.evidence:
                    await done.save(session.client_id, session.evidence, evidence)
        self._tell(done)

    async def ask_again(self) -> None:
        """After a start: ask agents about what they have. Raises UnavailableError."""
        async with self._database.connection() as connection:
            await self._dispatch.ask_again(connection, presence.ROLL_CALL_SPREAD.total_seconds())

    async def now(self) -> datetime:
        """The database's clock."""
        async with self._database.connection() as connection:
            return await self._database.now(connection)

    def _tell(self, done: Round) -> None:
        for client_id, state, reason in done.moved:
            self._log.seldom(client_id).info(Event.CLIENT_PRESENCE, client_id=client_id, presence=state, reason=reason)
        for client_id, stays in done.twins:
            self._metrics.security_events.labels("two_machines").inc()
            self._log.seldom(client_id).error(Event.CLIENT_TWO_MACHINES, client_id=client_id, stays=stays)
        for welcome in done.welcomes:
            self._log.seldom(welcome.client_id).info(
                Event.CLIENT_WELCOMED,
                client_id=welcome.client_id,
                epoch=welcome.epoch,
                fenced=welcome.keep_away is not None,
            )
            self._publisher.welcome(welcome)
        self._signals.ended(c.id for c in done.changed if c.state.status in lifecycle.ENDED)
        if done.woken:
            self._signals.send_again()
        self._signals.work_for(done.woken)
