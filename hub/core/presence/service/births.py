"""Births: who a client is now, what became of its journal, and the welcomes that answer."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never
from uuid import UUID

from hub.api.text import clean_text
from hub.core.commands.rules import lifecycle
from hub.core.commands.store.ports import Dispatch, Transitions
from hub.core.presence.rules import presence
from hub.core.presence.rules.admission import Admission, Verdict, admit
from hub.core.presence.rules.identity import Claim, Finding, Identity
from hub.core.presence.rules.presence import Observation, ObservationKind
from hub.core.presence.service.farewells import Farewells
from hub.core.presence.service.rounds import Round
from hub.core.presence.store import LockedSession
from hub.core.presence.telemetry import Event
from hub.telemetry.log import Log
from schemas.messages import Birth, Welcome

REMEMBERED_BIRTHS = 8


class Births:
    """Takes births in, within a transaction that has locked the client's session."""

    def __init__(
        self,
        transitions: Transitions,
        dispatch: Dispatch,
        farewells: Farewells,
        new_id: Callable[[], UUID],
        log: Log,
    ) -> None:
        self._farewells = farewells
        self._transitions = transitions
        self._dispatch = dispatch
        self._new_id = new_id
        self._log = log
        self._stream: dict[str, deque[tuple[str, int]]] = {}

    async def take_in(self, session: LockedSession, birth: Birth, done: Round, *, retained: bool) -> LockedSession:
        """Take a birth in; the session as it stands then."""
        observation = Observation(
            ObservationKind.BIRTH, clean_text(birth.session), birth.connection, birth.level, retained
        )
        admission = await self._admit(session, birth, done, retained=retained)
        match admission.verdict:
            case Verdict.LATE:
                return self._offer_again(session, birth, done)
            case Verdict.REPEATED:
                return await self._repeated(session, birth, observation, done)
            case Verdict.TURNED_AWAY:
                done.welcomes.append(_welcome(session, birth, session.identity, session.keep_away))
                return session
            case Verdict.DOUBTED:
                return await self._doubt(session, birth, admission.identity, done)
            case Verdict.TAKEN:
                return await self._take(session, birth, observation, admission, done)
            case Verdict.ALARM_STAYS | Verdict.ALARM_LEAVES:
                return await self._raise_alarm(session, birth, observation, admission, done)
        assert_never(admission.verdict)

    async def _admit(self, session: LockedSession, birth: Birth, done: Round, *, retained: bool) -> Admission:
        client_id, follows = session.client_id, self._follows(session, birth)
        if retained and presence.over_http(session.evidence.session):
            follows = False  # The broker still keeps what the client said before it left MQTT.
        superseded, lives = False, []
        if birth.session != session.evidence.session:
            superseded = await done.sessions.superseded(done.connection, client_id, birth.session, birth.connection)
            lives = await done.sessions.lives(done.connection, client_id, session.watched_from)
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
        self, session: LockedSession, birth: Birth, observation: Observation, done: Round
    ) -> LockedSession:
        """The present birth once more: another worker's copy, the broker's, or the agent waits for its welcome."""
        old, identity = session.evidence, session.identity
        evidence = presence.observe(old, observation, session.now)
        if evidence == old:
            return session  # its connection is over
        await done.save(session.client_id, old, evidence)
        if identity.confirmed < identity.issued:
            # Its welcome may have been lost; the epoch stays the same.
            done.welcomes.append(_welcome(session, birth, identity, None))
        await self._dispatch.offer_again(done.connection, session.client_id, identity.journal or "")
        done.woken.add(session.client_id)
        return replace(session, evidence=evidence)

    async def _take(
        self,
        session: LockedSession,
        birth: Birth,
        observation: Observation,
        admission: Admission,
        done: Round,
    ) -> LockedSession:
        """A new connection of the client: from now on it is the present one."""
        client_id, old, identity = session.client_id, session.evidence, admission.identity
        evidence = presence.observe(old, observation, session.now)
        await done.save(client_id, old, evidence, shown=birth.epoch, issued=identity.issued)
        await self.found(client_id, admission.finding, done)
        await done.sessions.save_identity(done.connection, client_id, identity)
        await done.sessions.save_birth(
            done.connection,
            client_id,
            agent_name=clean_text(birth.agent.name),
            agent_version=clean_text(birth.agent.version),
            clock_skew=birth.clock - session.now,
            boot=birth.boot,
        )
        await self._farewells.booted(session, birth, done)
        done.welcomes.append(_welcome(session, birth, identity, None))
        await self._dispatch.offer_again(done.connection, client_id, identity.journal or "")
        done.woken.add(client_id)
        return replace(session, evidence=evidence, identity=replace(identity, session=birth.session))

    async def _doubt(self, session: LockedSession, birth: Birth, identity: Identity, done: Round) -> LockedSession:
        """A birth that may be late: whoever lives takes the offer and shows it, and then counts."""
        seen = replace(
            session.evidence, session=clean_text(birth.session), connection=birth.connection, reason="another_session"
        )
        await done.sessions.save_identity(done.connection, session.client_id, identity)
        await done.sessions.record_doubt(
            done.connection, session.client_id, seen, session.now, shown=birth.epoch, issued=identity.issued
        )
        self._log.seldom(session.client_id).warning(
            Event.CLIENT_UNVERIFIED, client_id=session.client_id, session=seen.session
        )
        return self._offer_again(replace(session, identity=identity), birth, done)

    def _offer_again(self, session: LockedSession, birth: Birth, done: Round) -> LockedSession:
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

    async def found(self, client_id: str, finding: Finding, done: Round) -> None:
        """Act on what a birth says about the journal."""
        if finding is Finding.AHEAD:
            self._log.seldom(client_id).warning(Event.CLIENT_EPOCH_AHEAD, client_id=client_id)
        if finding not in (Finding.LOST, Finding.NEW_SESSION):
            return
        commands = await self._transitions.lock_handed_out(done.connection, client_id)
        if finding is Finding.LOST:
            commands += await self._transitions.lock_restored(done.connection, client_id)
        for command in commands:
            event = lifecycle.JournalLost(finding.value)
            command.fold(lifecycle.decide(command.state, event, command.now))
        await self._transitions.apply(done.connection, commands)
        done.changed += [command for command in commands if command.changed]
        if finding is Finding.LOST or commands:
            self._log.seldom(client_id).warning(
                Event.CLIENT_JOURNAL_LOST, client_id=client_id, reason=finding.value, commands=len(commands)
            )

    async def _raise_alarm(
        self,
        session: LockedSession,
        birth: Birth,
        observation: Observation,
        admission: Admission,
        done: Round,
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
        await done.sessions.keep_away(done.connection, client_id, reason, detail)
        done.twins.append((client_id, str(stays)))
        if leaves:
            done.welcomes.append(_welcome(session, birth, session.identity, reason))
            return replace(session, keep_away=reason)
        taken = await self._take(session, birth, observation, admission, done)
        return replace(taken, keep_away=reason)


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
