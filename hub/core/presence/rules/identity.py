"""Which journal commands were handed out to, whether a birth belongs to it, and whether two machines use one identity.

Messages arrive late, twice and, over several workers, out of order, so that a birth alone proves little. What proves
something is an epoch: the hub makes it, and who shows it was alive after the hub made it.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.states import Level

MAX_OFFERS = 32
"""More births than this, of processes that are gone, do not arrive late together."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a welcome carried. A session that is not the present one, be it doubted or taken over by a late message of
    one that is gone, becomes it by showing `epoch`, which only a living one can."""

    session: str
    connection: int
    journal: str
    epoch: int
    mark: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What the hub knows of a client's journal. `issued` is the epoch of the last welcome, `confirmed` the highest
    that the agent has shown back in a heartbeat or with reports."""

    journal: str | None = None
    issued: int = 0
    confirmed: int = 0
    session: str | None = None
    mark: int = 0
    """The highest mark that was heard of the present journal."""
    since: int = 0
    """The first epoch that the present journal was offered with."""
    offers: tuple[Offer, ...] = ()
    """The welcomes of late, the present session's too; those that the confirmed epoch outdates are left out."""

    @property
    def is_known_to_exist(self) -> bool:
        """Whether the agent has shown an epoch of its present journal. Until then nothing is handed out to that: an
        agent that dies before the welcome is on its disk begins nothing, but nobody could prove which one it was."""
        return self.journal is not None and self.confirmed >= self.since


class Finding(enum.StrEnum):
    """What a birth says about the journal."""

    SAME = "same"
    FIRST = "first"
    """No journal was ever assigned."""
    LOST = "journal_lost"
    """The agent has none, an older one (rolled back, restored) or somebody else's."""
    AHEAD = "hub_restored"
    """The agent knows a newer epoch than the hub: the hub's database came from a backup."""
    NEW_SESSION = "session_lost"
    """A basic client, which keeps no journal, started anew."""
    DOUBTFUL = "doubtful"
    """Another process than the present one, whose journal is not certain to be the newer: it was made an offer, and
    nothing changes until it takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a birth says of its journal."""

    level: Level
    session: str
    connection: int
    journal: str | None
    epoch: int | None
    mark: int | None


def identify(identity: Identity, claim: Claim, *, fresh: str) -> tuple[Identity, Finding]:
    """The identity after a birth and what it means. `fresh` is the id for a new journal, should one be due."""
    issued = max(identity.issued, claim.epoch or 0) + 1
    if claim.level is Level.BASIC:
        changed = identity.session is not None and identity.session != claim.session
        kept = replace(identity, journal=identity.journal or fresh, issued=issued, session=claim.session, since=0)
        return kept, Finding.NEW_SESSION if changed else Finding.SAME
    mark = claim.mark or 0
    if identity.journal is None:
        first = replace(identity, journal=fresh, issued=issued, session=claim.session, mark=mark, since=issued)
        return _offered(first, claim, fresh), Finding.FIRST
    if _is_newer(identity, claim):
        finding = Finding.AHEAD if claim.epoch is not None and claim.epoch > identity.issued else Finding.SAME
        same = replace(identity, issued=issued, session=claim.session, mark=max(mark, identity.mark))
        return _offered(same, claim, identity.journal), finding
    if claim.session == identity.session and claim.journal is None and claim.epoch is None and claim.mark is not None:
        # No welcome has reached this process yet, so that it has begun nothing of what its journal was sent.
        same = replace(identity, issued=issued, mark=max(mark, identity.mark))
        return _offered(same, claim, identity.journal), Finding.SAME
    offer = _taken(identity, claim.session, claim.epoch)
    if offer is not None and claim.journal == offer.journal:
        accepted = replace(_accept(identity, offer, offer.epoch, mark), issued=issued)
        return _offered(accepted, claim, offer.journal), _finding(identity, offer)
    if claim.session == identity.session or claim.mark is None:
        # The same process says itself that it has another journal. Without marks nothing tells late from lost.
        lost = replace(identity, journal=fresh, issued=issued, session=claim.session, mark=mark, since=issued)
        return _offered(lost, claim, fresh), Finding.LOST
    return _offered(replace(identity, issued=issued), claim, fresh), Finding.DOUBTFUL


def take_offer(
    identity: Identity, session: str, epoch: int | None, mark: int | None
) -> tuple[Identity, Offer, Finding] | None:
    """The identity after an observation of another session than the present one, when the epoch that it shows proves
    that it lives; else None."""
    offer = _taken(identity, session, epoch)
    if offer is None or session == identity.session:
        return None
    return _accept(identity, offer, epoch or 0, mark or 0), offer, _finding(identity, offer)


def _is_newer(identity: Identity, claim: Claim) -> bool:
    """Whether the journal is the present one and not an older copy. A process start raises the mark, so that another
    process on the same journal shows more than any before it."""
    if claim.journal != identity.journal or claim.epoch is None or claim.epoch < identity.confirmed:
        return False
    if claim.mark is None:
        return True
    return claim.mark >= identity.mark if claim.session == identity.session else claim.mark > identity.mark


def _offered(identity: Identity, claim: Claim, journal: str) -> Identity:
    """With the welcome that answers a birth."""
    offer = Offer(claim.session, claim.connection, journal, identity.issued, claim.mark or 0)
    return replace(
        identity,
        offers=(*(known for known in identity.offers if known.epoch > identity.confirmed), offer)[-MAX_OFFERS:],
    )


def _taken(identity: Identity, session: str, epoch: int | None) -> Offer | None:
    """The latest welcome that a session proves to have by the epoch it shows. Whoever was heard with a newer epoch
    since then lives later than this session is known to."""
    had = [
        offer
        for offer in identity.offers
        if offer.session == session and epoch is not None and epoch >= offer.epoch > identity.confirmed
    ]
    return max(had, key=lambda offer: offer.epoch, default=None)


def _accept(identity: Identity, offer: Offer, confirmed: int, mark: int) -> Identity:
    return replace(
        identity,
        journal=offer.journal,
        confirmed=min(max(confirmed, offer.epoch), identity.issued),
        session=offer.session,
        mark=max(offer.mark, mark),
        since=identity.since if offer.journal == identity.journal else offer.epoch,
    )


def run_ahead(identity: Identity, epoch: int | None) -> Identity | None:
    """The identity after a sign of the present session that shows an epoch which the hub has not made: its database
    came from a backup. None where it shows no such one."""
    if epoch is None or epoch <= identity.issued:
        return None
    return replace(identity, issued=epoch, confirmed=epoch)


def _finding(identity: Identity, offer: Offer) -> Finding:
    """What taking an offer means for what was handed out to the present journal."""
    return Finding.SAME if offer.journal == identity.journal else Finding.LOST


# --- two machines ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lived:
    """What the births of one session tell: the first epoch that was made after it was heard, and the highest that it
    has shown."""

    session: str
    first_issued: int
    shown: int | None


def lives_beside(one: Lived, others: Sequence[Lived]) -> Lived | None:
    """A session that lived at the same time as `one`, when that is proven; else None.

    Processes of one machine follow each other: the journal's lock sees to that. If each of two has shown an epoch that
    was made after the other was heard, neither had ended before the other began. No order of messages feigns that.
    """
    for other in others:
        if other.session == one.session or one.shown is None or other.shown is None:
            continue
        if one.shown >= other.first_issued and other.shown >= one.first_issued:
            return other
    return None
