"""Births, good-byes, heartbeats and states: evidence is stored, policy decides, births are welcomed."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.text import clean, clean_text
from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import LockedCommand
from hub.core.commands.store import dispatch, transitions
from hub.core.commands.store.ports import Dispatch, Transitions
from hub.core.presence import store as sessions
from hub.core.presence.rules import identity as identities
from hub.core.presence.rules import presence
from hub.core.presence.rules.admission import Admission, Verdict, admit
from hub.core.presence.rules.identity import Claim, Finding, Identity
from hub.core.presence.rules.liveness import Life
from hub.core.presence.rules.presence import Evidence, Observation, ObservationKind
from hub.core.presence.service.liveness import Liveness
from hub.core.presence.store import LockedSession, Sessions
from hub.core.presence.telemetry import Event, Metrics
from hub.database.engine import Connection, Database
from hub.signals.ports import Publisher, Signals
from hub.telemetry.log import Log
from schemas.messages import Birth, Offline, Welcome, Will
from schemas.states import Level

REMEMBERED_BIRTHS = 8


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

    welcomes: list[Welcome] = field(default_factory=list)
    changed: list[LockedCommand] = field(default_factory=list)
    moved: list[tuple[str, str, str]] = field(default_factory=list)
    woken: set[str] = field(default_factory=set)
    twins: list[tuple[str, str]] = field(default_factory=list)


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
        self._transitions = transitions
        self._dispatch = dispatch
        self._new_id = new_id
        self._publisher = publisher
        self._signals = signals
        self._metrics = metrics
        self._log = log
        self.liveness = Liveness(self.observe)
        self._stream: dict[str, deque[tuple[str, int]]] = {}
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
        done = _Round()
        async with self._database.transaction() as connection:
            locked = await self._sessions.lock(connection, [sighting.client_id for sighting in sightings])
            for sighting in sightings:
                session = locked.get(sighting.client_id)
                if session is None or session.client_status != "active":
                    self._log.warning(Event.MESSAGE_REFUSED, client_id=sighting.client_id, reason="client_not_active")
                    continue
                message = sighting.message
                if isinstance(message, Birth):
                    after = await self._birth(connection, session, message, done, retained=sighting.retained)
                else:
                    after = await self._gone(connection, session, message, done, retained=sighting.retained)
                locked[sighting.client_id] = after
        self._tell(done)

    async def _birth(
        self, connection: Connection, session: LockedSession, birth: Birth, done: _Round, *, retained: bool
    ) -> LockedSession:
        observation = Observation(
            ObservationKind.BIRTH, clean_text(birth.session), birth.connection, birth.level, retained
        )
        admission = await self._admit(connection, session, birth, retained=retained)
        match admission.verdict:
            case Verdict.LATE:
                return self._offer_again(session, birth, done)
            case Verdict.REPEATED:
                return await self._repeated(connection, session, birth, observation, done)
            case Verdict.TURNED_AWAY:
                done.welcomes.append(_welcome(session, birth, session.identity, session.keep_away))
                return session
            case Verdict.DOUBTED:
                return await self._doubt(connection, session, birth, admission.identity, done)
            case Verdict.TAKEN:
                return await self._take(connection, session, birth, observation, admission, done)
            case Verdict.ALARM_STAYS | Verdict.ALARM_LEAVES:
                return await self._raise_alarm(connection, session, birth, observation, admission, done)
        assert_never(admission.verdict)

    async def _admit(
        self, connection: Connection, session: LockedSession, birth: Birth, *, retained: bool
    ) -> Admission:
        client_id, follows = session.client_id, self._follows(session, birth)
        if retained and presence.over_http(session.evidence.session):
            follows = False  # The broker still keeps what the client said before it left MQTT.
        superseded, lives = False, []
        if birth.session != session.evidence.session:
            superseded = await self._sessions.superseded(connection, client_id, birth.session, birth.connection)
            lives = await self._sessions.lives(connection, client_id, session.watched_from)
        claim = Claim(
            level=birth.level,
            session=birth.session,
            connection=birth.connection,
            journal=birth.journal,
            epoch=birth.epoch,
            mark=birth.mark,
        )
        return admit(
            session.evidence,
            session.identity,
            claim,
            kept_away=session.keep_away is not None,
            superseded=superseded,
            follows=follows,
            lives=lives,
            fresh=str(self._new_id()),
        )

    async def _repeated(
        self, connection: Connection, session: LockedSession, birth: Birth, observation: Observation, done: _Round
    ) -> LockedSession:
        """The present birth once more: another worker's copy, the broker's, or the agent waits for its welcome."""
        old, identity = session.evidence, session.identity
        evidence = presence.observe(old, observation, session.now)
        if evidence == old:
            return session  # its connection is over
        await self._save(connection, session.client_id, old, evidence, done)
        if identity.confirmed < identity.issued:
            # Its welcome may have been lost; the epoch stays the same.
            done.welcomes.append(_welcome(session, birth, identity, None))
        await self._dispatch.offer_again(connection, session.client_id, identity.journal or "")
        done.woken.add(session.client_id)
        return replace(session, evidence=evidence)

    async def _take(
        self,
        connection: Connection,
        session: LockedSession,
        birth: Birth,
        observation: Observation,
        admission: Admission,
        done: _Round,
    ) -> LockedSession:
        """A new connection of the client: from now on it is the present one."""
        client_id, old, identity = session.client_id, session.evidence, admission.identity
        evidence = presence.observe(old, observation, session.now)
        await self._save(connection, client_id, old, evidence, done, shown=birth.epoch, issued=identity.issued)
        await self._found(connection, client_id, admission.finding, done)
        await self._sessions.save_identity(connection, client_id, identity)
        await self._sessions.save_birth(
            connection,
            client_id,
            agent_name=clean_text(birth.agent.name),
            agent_version=clean_text(birth.agent.version),
            clock_skew=birth.clock - session.now,
        )
        done.welcomes.append(_welcome(session, birth, identity, None))
        await self._dispatch.offer_again(connection, client_id, identity.journal or "")
        done.woken.add(client_id)
        return replace(session, evidence=evidence, identity=replace(identity, session=birth.session))

    async def _doubt(
        self, connection: Connection, session: LockedSession, birth: Birth, identity: Identity, done: _Round
    ) -> LockedSession:
        """A birth that may be late: whoever lives takes the offer and shows it, and then counts."""
        seen = replace(
            session.evidence, session=clean_text(birth.session), connection=birth.connection, reason="another_session"
        )
        await self._sessions.save_identity(connection, session.client_id, identity)
        await self._sessions.record_doubt(
            connection, session.client_id, seen, session.now, shown=birth.epoch, issued=identity.issued
        )
        self._log.warning(Event.CLIENT_UNVERIFIED, client_id=session.client_id, session=seen.session)
        return self._offer_again(replace(session, identity=identity), birth, done)

    def _offer_again(self, session: LockedSession, birth: Birth, done: _Round) -> LockedSession:
        """Answer a birth with the offer that is open for its session, if there is one."""
        for offer in session.identity.offers:
            if (offer.session, offer.connection) == (birth.session, birth.connection):
                offered = replace(session.identity, journal=offer.journal, issued=offer.epoch)
                done.welcomes.append(_welcome(session, birth, offered, None))
        return session

    def _follows(self, session: LockedSession, birth: Birth) -> bool:
        """Whether this worker heard the present connection's birth before this one. Of clients whose journal has no
        mark this tells the order, since the broker keeps it."""
        if birth.mark is not None:
            return False
        births = self._stream.setdefault(session.client_id, deque(maxlen=REMEMBERED_BIRTHS))
        present = (str(session.evidence.session), session.evidence.connection)
        follows = present in births
        births.append((birth.session, birth.connection))
        return follows

    async def _found(self, connection: Connection, client_id: str, finding: Finding, done: _Round) -> None:
        """Act on what a birth says about the journal."""
        if finding is Finding.AHEAD:
            self._log.warning(Event.CLIENT_EPOCH_AHEAD, client_id=client_id)
        if finding not in (Finding.LOST, Finding.NEW_SESSION):
            return
        commands = await self._transitions.lock_handed_out(connection, client_id)
        for command in commands:
            event = lifecycle.JournalLost(finding.value)
            command.fold(lifecycle.decide(command.state, event, command.now))
        await self._transitions.apply(connection, commands)
        done.changed += [command for command in commands if command.changed]
        if finding is Finding.LOST or commands:
            self._log.warning(
                Event.CLIENT_JOURNAL_LOST, client_id=client_id, reason=finding.value, commands=len(commands)
            )

    async def _gone(
        self,
        connection: Connection,
        session: LockedSession,
        sighting: Offline | Will,
        done: _Round,
        *,
        retained: bool,
    ) -> LockedSession:
        kind = ObservationKind.GOOD_BYE if isinstance(sighting, Offline) else ObservationKind.WILL
        observation = Observation(
            kind, clean_text(sighting.session), sighting.connection, session.evidence.level, retained
        )
        evidence = presence.observe(session.evidence, observation, session.now)
        if evidence == session.evidence:
            return session
        await self._save(connection, session.client_id, session.evidence, evidence, done)
        return replace(session, evidence=evidence)

    async def _save(
        self,
        connection: Connection,
        client_id: str,
        old: Evidence,
        new: Evidence,
        done: _Round,
        *,
        shown: int | None = None,
        issued: int | None = None,
    ) -> None:
        await self._sessions.save_presence(connection, client_id, old, new, shown=shown, issued=issued)
        done.moved.append((client_id, new.presence.value, new.reason))

    async def _raise_alarm(
        self,
        connection: Connection,
        session: LockedSession,
        birth: Birth,
        observation: Observation,
        admission: Admission,
        done: _Round,
    ) -> LockedSession:
        """Two machines are proven: stop dispatch, tell people, and send the one away that was not there first."""
        client_id = session.client_id
        leaves = admission.verdict is Verdict.ALARM_LEAVES
        stays = admission.twin if leaves else birth.session
        reason = (
            f"two machines use the identity {client_id} at the same time, or one of them was put back to a snapshot: "
            f"give each its own, then run: floorhub client unfence {client_id}"
        )
        detail = {
            "sessions": sorted({birth.session, str(admission.twin)}),
            "stays": stays,
            "agent": f"{clean_text(birth.agent.name)} {clean_text(birth.agent.version)}",
        }
        await self._sessions.keep_away(connection, client_id, reason, detail)
        done.twins.append((client_id, str(stays)))
        if leaves:
            done.welcomes.append(_welcome(session, birth, session.identity, reason))
            return replace(session, keep_away=reason)
        taken = await self._take(connection, session, birth, observation, admission, done)
        return replace(taken, keep_away=reason)

    # --- liveness --------------------------------------------------------------------------------------------

    async def observe(self, signs: Sequence[Life]) -> None:
        """Take in heartbeats, and what else proves liveness. Whoever was not online comes back; whoever shows the epoch
        of an offer has taken it."""
        if not signs:
            return
        async with self._database.connection() as connection:
            stored = await self._sessions.confirm(connection, signs)
        due = {client_id for client_id, state in stored if state != "online"}
        if not due:
            return
        done = _Round()
        async with self._database.transaction() as connection:
            locked = await self._sessions.lock(connection, sorted(due))
            for life in signs:
                session = locked.get(life.client_id)
                if session is not None and life.connection is not None:
                    locked[life.client_id] = await self._alive(connection, session, life, done)
        self._tell(done)

    async def _alive(self, connection: Connection, session: LockedSession, life: Life, done: _Round) -> LockedSession:
        client_id, old, number = session.client_id, session.evidence, life.connection or 0
        taken = identities.take_offer(session.identity, life.session, life.epoch, life.mark)
        if taken is not None and session.keep_away is None and session.client_status == "active":
            identity, offer, finding = taken
            born = Observation(ObservationKind.BIRTH, offer.session, max(number, offer.connection), Level.FULL)
            evidence = presence.observe(old, born, session.now)
            await self._save(connection, client_id, old, evidence, done)
            await self._found(connection, client_id, finding, done)
            await self._sessions.save_identity(connection, client_id, identity)
            await self._dispatch.offer_again(connection, client_id, identity.journal or "")
            done.woken.add(client_id)
            return replace(session, evidence=evidence, identity=identity)
        observation = Observation(ObservationKind.HEARTBEAT, life.session, number, old.level)
        evidence = presence.observe(old, observation, session.now)
        if evidence.presence is old.presence:
            return session
        await self._save(connection, client_id, old, evidence, done)
        done.woken.add(client_id)
        return replace(session, evidence=evidence)

    async def describe(self, client_id: str, state: dict[str, Any]) -> None:
        """Keep what a client says of itself."""
        async with self._database.connection() as connection:
            await self._sessions.save_state(connection, client_id, clean(state))

    async def age(self) -> None:
        """Who was silent for too long is unknown. Call it every second or so."""
        roll_called_at = None if self.observations_wait() else self.roll_called_at
        done = _Round()
        async with self._database.transaction() as connection:
            now = await self._database.now(connection)
            before = now - presence.SILENCE
            if roll_called_at is not None and now - roll_called_at >= presence.ROLL_CALL_PATIENCE:
                before = max(before, roll_called_at)
            for session in await self._sessions.lock_online(connection, before):
                evidence = presence.age(session.evidence, session.now, roll_called_at)
                if evidence != session.evidence:
                    await self._save(connection, session.client_id, session.evidence, evidence, done)
        self._tell(done)

    async def now(self) -> datetime:
        """The database's clock."""
        async with self._database.connection() as connection:
            return await self._database.now(connection)

    def _tell(self, done: _Round) -> None:
        for client_id, state, reason in done.moved:
            self._log.info(Event.CLIENT_PRESENCE, client_id=client_id, presence=state, reason=reason)
        for client_id, stays in done.twins:
            self._metrics.security_events.labels("two_machines").inc()
            self._log.error(Event.CLIENT_TWO_MACHINES, client_id=client_id, stays=stays)
        for welcome in done.welcomes:
            self._log.info(
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


def _welcome(session: LockedSession, birth: Birth, identity: Identity, keep_away: str | None) -> Welcome:
    return Welcome(
        client_id=session.client_id,
        session=birth.session,
        journal=identity.journal or "",
        epoch=identity.issued,
        hub_time=session.now,
        keep_away=keep_away,
        nonce=birth.nonce,
    )
