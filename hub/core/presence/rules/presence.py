"""Whether a client is there, from evidence alone.

Evidence carries a session (new with each process start of the agent) and a connection (counts up within a session).
What an older connection says cannot take a newer one offline: takeover, will and birth arrive in any order.
"""

import enum
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

from schemas.states import Level, Presence

ROLL_CALL_SPREAD = timedelta(seconds=2)
"""Within which agents answer a roll call, at random."""
ROLL_CALL_PATIENCE = timedelta(seconds=5)
"""Who is silent this long after a roll call is unknown."""
SILENCE = timedelta(seconds=33)
"""Three missed heartbeats or pings: the main loop hangs although its socket lives. They are due every 10 s and written
down within a second, and silence is looked for twice a second, so that it is noticed within 35 s."""
WATCH_GAP = timedelta(seconds=5)
"""When nobody has looked for silence for so long, the hub or its database was away: silence counts anew."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the hub knows of a client's presence; the evidence columns of `client_sessions`."""

    presence: Presence = Presence.OFFLINE
    reason: str = "never_seen"
    session: str | None = None
    connection: int = 0
    level: Level = Level.FULL
    heard_at: datetime | None = None
    """When it last proved to be alive: a birth, a heartbeat, a report."""
    since: datetime | None = None
    """When `presence` last changed."""


class ObservationKind(enum.StrEnum):
    """What was heard of a client."""

    BIRTH = "birth"
    HEARTBEAT = "heartbeat"
    GOOD_BYE = "offline"
    WILL = "will"


@dataclass(frozen=True, slots=True)
class Observation:
    """One sign of a client, fenced by its session and connection."""

    kind: ObservationKind
    session: str
    connection: int
    level: Level = Level.FULL
    retained: bool = False
    """Kept by the broker: it says who was there, and is no proof of life now."""
    asleep: bool = False
    """A good-bye for a while."""


GOOD_BYE = "stopped"
"""Why somebody is offline who said so."""
ASLEEP = "asleep"
"""Why a page is offline that its browser has stopped for a while: it has not ended."""
BY_HUB = frozenset({"secret_rotated", "disabled", "retired"})
"""Why the hub itself ended a session: the broker sends no will then, and what was on its way comes all the same."""
HTTP = "http:"
"""Sessions of clients that speak HTTP are kept with this in front: they follow other rules, and are never taken for a
session of MQTT."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When somebody was heard last of whom there is only a retained birth."""


def over_http(session: str | None) -> bool:
    """Whether this is the session of a client that speaks HTTP: nothing of it comes from the broker."""
    return session is not None and session.startswith(HTTP)


def observe(evidence: Evidence, observation: Observation, now: datetime) -> Evidence:
    """The evidence after a sign. An older connection's sign changes nothing, nor does one that is over: what was said
    before its end may arrive after it."""
    same = observation.session == evidence.session
    if same and _is_over(evidence, observation):
        return evidence
    match observation.kind:
        case ObservationKind.BIRTH:
            if same and observation.connection < evidence.connection:
                return evidence
            born = replace(
                evidence,
                session=observation.session,
                connection=observation.connection,
                level=observation.level,
                heard_at=(evidence.heard_at or NEVER) if observation.retained else now,
            )
            return _to(born, Presence.ONLINE, "birth", now)
        case ObservationKind.HEARTBEAT:
            if not same or observation.connection < evidence.connection:
                return evidence
            return _to(replace(evidence, heard_at=now), Presence.ONLINE, "heartbeat", now)
        case ObservationKind.GOOD_BYE | ObservationKind.WILL:
            if not same and observation.retained and evidence.level is Level.BASIC and not over_http(evidence.session):
                # The last word of a session whose birth nobody heard. Of a full agent the next roll call will tell.
                return _to(evidence, Presence.OFFLINE, "connection_lost", now)
            if not same or observation.connection < evidence.connection:
                return evidence
            if observation.asleep:
                return _to(evidence, Presence.OFFLINE, ASLEEP, now)
            reason = GOOD_BYE if observation.kind is ObservationKind.GOOD_BYE else "connection_lost"
            return _to(evidence, Presence.OFFLINE, reason, now)
    assert_never(observation.kind)


def end(evidence: Evidence, reason: str, now: datetime) -> Evidence:
    """The evidence once the hub has ended the session, for a reason of `BY_HUB`.

    The next connection of a session over HTTP counts as ended, too: a request that was let in before may be about to
    open it.
    """
    if evidence.session is None:
        return evidence
    last = evidence.connection + 1 if over_http(evidence.session) else evidence.connection
    return replace(_to(evidence, Presence.OFFLINE, reason, now), reason=reason, connection=last)


def _is_over(evidence: Evidence, observation: Observation) -> bool:
    """Whether the connection that a sign of the present session is of has ended."""
    if evidence.presence is not Presence.OFFLINE or observation.connection > evidence.connection:
        return False
    if evidence.level is Level.FULL or evidence.reason in BY_HUB:
        return True
    # Silence over HTTP is no end. A basic client may count its connections badly: its birth tells that it is back.
    return observation.kind is ObservationKind.HEARTBEAT and not over_http(evidence.session)


def age(
    evidence: Evidence, now: datetime, roll_called_at: datetime | None, watched_since: datetime | None = None
) -> Evidence:
    """The evidence after silence. A basic client owes no heartbeat, so its silence proves nothing; one that speaks HTTP
    owes pings. While the hub itself was away (before its roll call, and before `watched_since`) nobody was heard."""
    if evidence.presence is not Presence.ONLINE or evidence.heard_at is None:
        return evidence
    heard_at = max(evidence.heard_at, watched_since or evidence.heard_at)
    if over_http(evidence.session):
        silent_from = max(heard_at, roll_called_at or heard_at)
        return _to(evidence, Presence.OFFLINE, "silent", now) if now - silent_from >= SILENCE else evidence
    if evidence.level is Level.BASIC:
        return evidence
    if roll_called_at is not None and evidence.heard_at < roll_called_at and now - roll_called_at >= ROLL_CALL_PATIENCE:
        return _to(evidence, Presence.UNKNOWN, "silent_at_roll_call", now)
    if now - heard_at >= SILENCE:
        return _to(evidence, Presence.UNKNOWN, "no_heartbeat", now)
    return evidence


def recorded_at(old: Evidence, new: Evidence) -> datetime | None:
    """The time of the row in the history that a change of evidence makes; None when it makes none, for neither presence
    nor connection changed."""
    if (new.presence, new.session, new.connection) == (old.presence, old.session, old.connection):
        return None
    return new.heard_at if new.presence is old.presence else new.since


def _to(evidence: Evidence, presence: Presence, reason: str, now: datetime) -> Evidence:
    if evidence.presence is presence:
        return evidence
    return replace(evidence, presence=presence, reason=reason, since=now)
