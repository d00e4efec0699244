"""Births, good-byes, heartbeats and states: evidence is stored, policy decides, births are welcomed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from uuid_utils.compat import uuid7

from hub.domain import lifecycle, presence
from hub.domain.presence import Finding, Heard, Sign
from hub.observability import Event, Log
from hub.services.ports import Publisher, Signals
from hub.services.text import clean, clean_text
from hub.store import dispatch as dispatch_store
from hub.store import sessions, transitions
from hub.store.engine import Connection, Database
from hub.store.sessions import Life, LockedSession
from hub.store.transitions import LockedCommand
from schemas.messages import Birth, Offline, Welcome, Will


@dataclass(frozen=True, slots=True)
class Sighting:
    """A presence message, and whether the broker had kept it."""

    message: Birth | Offline | Will
    retained: bool = False

    @property
    def client_id(self) -> str:
        """Whom it is about."""
        return self.message.client_id


@dataclass(slots=True)
class _Round:
    """What one transaction brought about, to be told after its commit."""

    welcomes: list[Welcome]
    changed: list[LockedCommand]
    moved: list[tuple[str, str, str]]
    woken: set[str]


class PresenceService:
    """The service. Every worker hears presence itself, so each sign may come several times."""

    def __init__(self, database: Database, publisher: Publisher, signals: Signals, log: Log) -> None:
        self._database = database
        self._publisher = publisher
        self._signals = signals
        self._log = log

    async def see(self, sightings: Sequence[Sighting]) -> None:
        """Take in births, good-byes and wills, in the order they came; one transaction, welcomes after it."""
        if not sightings:
            return
        done = _Round([], [], [], set())
        async with self._database.transaction() as connection:
            locked = await sessions.lock(connection, [sighting.client_id for sighting in sightings])
            for sighting in sightings:
                session = locked.get(sighting.client_id)
                if session is None or session.client_status != "active":
                    self._log.warning(Event.MESSAGE_REFUSED, client_id=sighting.client_id, reason="client_not_active")
                    continue
                message = sighting.message
                if isinstance(message, Birth):
                    after = await self._birth(connection, session, message, done, retained=sighting.retained)
                else:
                    after = await self._gone(connection, session, message, done)
                locked[sighting.client_id] = after
        self._tell(done)

    async def _birth(
        self, connection: Connection, session: LockedSession, birth: Birth, done: _Round, *, retained: bool
    ) -> LockedSession:
        now, old = session.now, session.evidence
        again = old.session == birth.session and old.connection == birth.connection
        if old.session != birth.session and await sessions.superseded(
            connection, session.client_id, birth.session, birth.connection
        ):
            # Every worker hears every birth; one that lags must not take the older for the newer one.
            return session
        heard = Heard(Sign.BIRTH, clean_text(birth.session), birth.connection, birth.level, retained)
        evidence = presence.hear(old, heard, now)
        if evidence == old:
            return session  # An older connection of the same session.
        await sessions.save_presence(connection, session.client_id, old, evidence)
        done.moved.append((session.client_id, evidence.presence.value, evidence.reason))
        identity = session.identity
        if not again or identity.confirmed < identity.issued:
            # The welcome of a birth that comes again may have been lost: its epoch stays the same.
            if not again:
                identity, finding = presence.identify(
                    identity,
                    level=birth.level,
                    session=birth.session,
                    journal=birth.journal,
                    epoch=birth.epoch,
                    fresh=str(uuid7()),
                )
                await self._found(connection, session, finding, done)
            await sessions.save_birth(
                connection,
                session.client_id,
                identity,
                agent_name=clean_text(birth.agent.name),
                agent_version=clean_text(birth.agent.version),
                clock_skew=birth.clock - now,
            )
            done.welcomes.append(
                Welcome(
                    client_id=session.client_id,
                    session=birth.session,
                    journal=identity.journal or "",
                    epoch=identity.issued,
                    hub_time=now,
                    keep_away=session.keep_away,
                )
            )
        await dispatch_store.offer_again(connection, session.client_id, identity.journal or "")
        done.woken.add(session.client_id)
        return replace(session, evidence=evidence, identity=replace(identity, session=birth.session))

    async def _found(self, connection: Connection, session: LockedSession, finding: Finding, done: _Round) -> None:
        """Act on what a birth says about the journal."""
        if finding is Finding.AHEAD:
            self._log.warning(Event.CLIENT_EPOCH_AHEAD, client_id=session.client_id)
        if finding not in (Finding.LOST, Finding.NEW_SESSION):
            return
        commands = await transitions.lock_handed_out(connection, session.client_id)
        for command in commands:
            event = lifecycle.JournalLost(finding.value)
            command.fold(lifecycle.decide(command.state, event, command.now))
        await transitions.apply(connection, commands)
        done.changed += [command for command in commands if command.changed]
        if finding is Finding.LOST or commands:
            self._log.warning(
                Event.CLIENT_JOURNAL_LOST, client_id=session.client_id, reason=finding.value, commands=len(commands)
            )

    async def _gone(
        self, connection: Connection, session: LockedSession, sighting: Offline | Will, done: _Round
    ) -> LockedSession:
        sign = Sign.GOOD_BYE if isinstance(sighting, Offline) else Sign.WILL
        heard = Heard(sign, clean_text(sighting.session), sighting.connection, session.evidence.level)
        evidence = presence.hear(session.evidence, heard, session.now)
        if evidence == session.evidence:
            return session
        await sessions.save_presence(connection, session.client_id, session.evidence, evidence)
        done.moved.append((session.client_id, evidence.presence.value, evidence.reason))
        return replace(session, evidence=evidence)

    async def hear(self, signs: Sequence[tuple[Life, int]]) -> None:
        """Take in heartbeats: (sign of life, connection). Whoever was not online comes back."""
        if not signs:
            return
        async with self._database.connection() as connection:
            stored = await sessions.confirm(connection, [life for life, _ in signs])
        back = [(life, number) for life, number in signs if stored.get(life.client_id, "online") != "online"]
        if not back:
            return
        done = _Round([], [], [], set())
        async with self._database.transaction() as connection:
            locked = await sessions.lock(connection, [life.client_id for life, _ in back])
            for life, number in back:
                session = locked.get(life.client_id)
                if session is None:
                    continue
                heard = Heard(Sign.HEARTBEAT, life.session, number, session.evidence.level)
                evidence = presence.hear(session.evidence, heard, session.now)
                if evidence != session.evidence:
                    await sessions.save_presence(connection, session.client_id, session.evidence, evidence)
                    locked[life.client_id] = replace(session, evidence=evidence)
                    done.moved.append((session.client_id, evidence.presence.value, evidence.reason))
                    done.woken.add(session.client_id)
        self._tell(done)

    async def describe(self, client_id: str, state: dict[str, Any]) -> None:
        """Keep what a client says of itself."""
        async with self._database.connection() as connection:
            await sessions.save_state(connection, client_id, clean(state))

    async def age(self, roll_called_at: datetime | None) -> None:
        """Who was silent for too long is unknown. Call it every second or so."""
        done = _Round([], [], [], set())
        async with self._database.transaction() as connection:
            now = await sessions.now(connection)
            before = now - presence.SILENCE
            if roll_called_at is not None and now - roll_called_at >= presence.ROLL_CALL_PATIENCE:
                before = max(before, roll_called_at)
            for session in await sessions.lock_online(connection, before):
                evidence = presence.age(session.evidence, session.now, roll_called_at)
                if evidence != session.evidence:
                    await sessions.save_presence(connection, session.client_id, session.evidence, evidence)
                    done.moved.append((session.client_id, evidence.presence.value, evidence.reason))
        self._tell(done)

    async def now(self) -> datetime:
        """The database's clock."""
        async with self._database.connection() as connection:
            return await sessions.now(connection)

    def _tell(self, done: _Round) -> None:
        for client_id, state, reason in done.moved:
            self._log.info(Event.CLIENT_PRESENCE, client_id=client_id, presence=state, reason=reason)
        for welcome in done.welcomes:
            self._log.info(Event.CLIENT_WELCOMED, client_id=welcome.client_id, epoch=welcome.epoch)
            self._publisher.welcome(welcome)
        self._signals.ended(c.id for c in done.changed if c.state.status in lifecycle.ENDED)
        if done.woken:
            self._signals.send_again()
        self._signals.work_for(done.woken)
