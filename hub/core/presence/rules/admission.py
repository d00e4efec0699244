"""What a birth leads to, by all that is known of its client: the one place that decides who the client is now.

Pure, so that a property test can drive it through every order of births, wills, late copies and restarts.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.core.presence.rules.identity import Claim, Finding, Identity, Lived, identify, lives_beside
from hub.core.presence.rules.presence import Evidence


class Verdict(enum.StrEnum):
    """What becomes of a birth."""

    LATE = "late"
    """It says nothing new. Where an offer is open for it, it is answered with that again."""
    REPEATED = "repeated"
    """The present connection's birth once more: its welcome may have been lost."""
    TAKEN = "taken"
    """It is the present connection from now on."""
    DOUBTED = "doubted"
    """It is made an offer, and nothing changes until the session shows the offer's epoch."""
    TURNED_AWAY = "turned_away"
    """Two machines are known to use this identity, and this is not the one that may stay."""
    ALARM_STAYS = "alarm_stays"
    """This proves two machines; the one that says it was there first, may stay, and is taken."""
    ALARM_LEAVES = "alarm_leaves"
    """This proves two machines; the present one was there first and may stay."""


@dataclass(frozen=True, slots=True)
class Admission:
    """`identity` and `finding` count where the verdict changes something; `twin` is the session that lives beside."""

    verdict: Verdict
    identity: Identity
    finding: Finding = Finding.SAME
    twin: str | None = None


def admit(
    evidence: Evidence,
    identity: Identity,
    claim: Claim,
    *,
    kept_away: bool,
    superseded: bool,
    follows: bool,
    lives: Sequence[Lived],
    fresh: str,
) -> Admission:
    """Judge a birth.

    `superseded`: this connection was heard before, and then another session. `follows`: the worker that hears it now
    heard the present connection's birth before it, so that it is no late copy; asked of clients without marks only.
    `lives`: what the births of late tell of each session. `fresh`: the id for a new journal, should one be due.
    """
    if claim.session == evidence.session:
        if claim.connection < evidence.connection:
            return Admission(Verdict.LATE, identity)
        if claim.connection == evidence.connection:
            return Admission(Verdict.REPEATED, identity)
    elif superseded and not follows:
        # Every worker hears every birth; one that lags must not take the older for the newer one.
        return Admission(Verdict.LATE, identity)
    after, finding = identify(identity, claim, fresh=fresh)
    if kept_away:
        stays = claim.session == evidence.session or (finding is Finding.SAME and claim.mark is not None)
        return Admission(Verdict.TAKEN if stays else Verdict.TURNED_AWAY, after if stays else identity, finding)
    if claim.session != evidence.session:
        alarm = _alarm(evidence, identity, claim, lives, fresh)
        if alarm is not None:
            return alarm
    return Admission(Verdict.DOUBTED if finding is Finding.DOUBTFUL else Verdict.TAKEN, after, finding)


def _alarm(
    evidence: Evidence, identity: Identity, claim: Claim, lives: Sequence[Lived], fresh: str
) -> Admission | None:
    mine = next((life for life in lives if life.session == claim.session), None)
    if mine is None:
        return None
    other = lives_beside(replace(mine, shown=max(mine.shown or 0, claim.epoch or 0)), lives)
    if other is None:
        return None
    if other.session == evidence.session and other.first_issued < mine.first_issued:
        return Admission(Verdict.ALARM_LEAVES, identity, twin=other.session)
    # Its journal gets a name of its own, so that the other one's cannot pass for it.
    issued = max(identity.issued, claim.epoch or 0) + 1
    own = replace(
        identity,
        journal=fresh,
        issued=issued,
        session=claim.session,
        mark=claim.mark or 0,
        since=issued,
        offers=(),
    )
    return Admission(Verdict.ALARM_STAYS, own, Finding.LOST, twin=other.session)
