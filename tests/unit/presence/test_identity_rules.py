"""Whether a client's journal is the one the hub knows, and whether one machine is two."""

from dataclasses import replace
from typing import Any

import pytest

from hub.core.presence.rules.identity import Claim, Finding, Identity, Lived, Offer, identify, lives_beside, take_offer
from schemas.states import Level

KNOWN = Identity("j1", issued=5, confirmed=4, session="s1")
MARKED = replace(KNOWN, mark=20)


def a_claim(**changes: Any) -> Claim:
    """The birth of another process on the journal that the hub knows."""
    fields = {"level": Level.FULL, "session": "s2", "connection": 1, "journal": "j1", "epoch": 5, "mark": None}
    return Claim(**fields | changes)


def essence(identity: Identity) -> tuple[str | None, int, int, str | None]:
    return identity.journal, identity.issued, identity.confirmed, identity.session


@pytest.mark.parametrize(
    ("journal", "epoch", "finding", "after"),
    [
        ("j1", 5, Finding.SAME, ("j1", 6, 4, "s2")),
        # The one before the last stays valid until the last is confirmed.
        ("j1", 4, Finding.SAME, ("j1", 6, 4, "s2")),
        ("j1", 3, Finding.LOST, ("fresh", 6, 4, "s2")),
        ("j1", None, Finding.LOST, ("fresh", 6, 4, "s2")),
        (None, None, Finding.LOST, ("fresh", 6, 4, "s2")),
        ("j0", 5, Finding.LOST, ("fresh", 6, 4, "s2")),
        ("j1", 9, Finding.AHEAD, ("j1", 10, 4, "s2")),
    ],
)
def test_what_the_birth_of_an_agent_without_marks_says_about_its_journal(
    journal: str | None, epoch: int | None, finding: Finding, after: Any
) -> None:
    identity, found = identify(KNOWN, a_claim(journal=journal, epoch=epoch), fresh="fresh")
    assert (essence(identity), found) == (after, finding)


def test_the_first_birth_gets_a_journal() -> None:
    identity, finding = identify(Identity(), a_claim(journal=None, epoch=None, mark=3), fresh="fresh")
    assert (essence(identity), identity.mark, finding) == (("fresh", 1, 0, "s2"), 3, Finding.FIRST)


def test_a_process_that_has_never_taken_a_welcome_has_lost_nothing() -> None:
    """Its first connection broke before the welcome: what was handed out to its journal meanwhile cannot have begun."""
    claim = a_claim(journal=None, epoch=None, mark=1)
    first, _ = identify(Identity(), claim, fresh="f1")
    again, finding = identify(first, replace(claim, connection=2), fresh="f2")
    assert (essence(again), finding) == (("f1", 2, 0, "s2"), Finding.SAME)
    # It shows what the second welcome gave it like any other.
    taken, finding = identify(again, replace(claim, connection=3, journal="f1", epoch=2, mark=2), fresh="f3")
    assert (taken.journal, finding) == ("f1", Finding.SAME)


def test_a_basic_client_that_starts_anew_has_forgotten_everything() -> None:
    claim = a_claim(level=Level.BASIC, journal=None, epoch=None)
    first, finding = identify(Identity(), claim, fresh="f1")
    assert (first.journal, finding) == ("f1", Finding.SAME)
    same, finding = identify(first, claim, fresh="f2")
    assert (same.journal, finding) == ("f1", Finding.SAME)
    anew, finding = identify(same, replace(claim, session="s3"), fresh="f3")
    assert (anew.journal, finding) == ("f1", Finding.NEW_SESSION)


@pytest.mark.parametrize(
    ("claim", "finding"),
    [
        (a_claim(mark=21), Finding.SAME),
        # A process start raises the mark, so that the same one again is a copy.
        (a_claim(mark=20), Finding.DOUBTFUL),
        (a_claim(mark=7), Finding.DOUBTFUL),
        (a_claim(mark=30, epoch=3), Finding.DOUBTFUL),
        (a_claim(mark=30, journal="j0"), Finding.DOUBTFUL),
        (a_claim(mark=1, journal=None, epoch=None), Finding.DOUBTFUL),
        # The same process says itself what became of its journal: nothing can be late of a connection that is newer.
        (a_claim(session="s1", connection=2, mark=20), Finding.SAME),
        (a_claim(session="s1", connection=2, mark=19), Finding.LOST),
        (a_claim(session="s1", connection=2, mark=25, journal=None), Finding.LOST),
    ],
)
def test_what_a_mark_says_about_the_journal(claim: Claim, finding: Finding) -> None:
    identity, found = identify(MARKED, claim, fresh="fresh")
    assert found is finding
    assert identity.issued == 6
    if finding is Finding.DOUBTFUL:
        assert essence(replace(identity, issued=5)) == essence(MARKED)
        assert identity.offers == (Offer("s2", 1, "fresh", 6, claim.mark or 0),)


def test_a_doubted_session_counts_once_it_shows_the_epoch_of_its_offer() -> None:
    doubted, _ = identify(MARKED, a_claim(mark=7), fresh="fresh")
    assert take_offer(doubted, "s2", 5, 7) is None
    assert take_offer(doubted, "s3", 6, 7) is None
    taken = take_offer(doubted, "s2", 6, 9)
    assert taken is not None
    identity, offer, finding = taken
    assert (essence(identity), identity.mark, finding) == (("fresh", 6, 6, "s2"), 9, Finding.LOST)
    assert offer.connection == 1


def test_a_doubted_session_counts_also_by_its_next_birth_and_that_of_the_next_process() -> None:
    doubted, _ = identify(MARKED, a_claim(mark=7), fresh="fresh")
    again, finding = identify(doubted, a_claim(connection=2, journal="fresh", epoch=6, mark=8), fresh="other")
    assert (again.journal, again.session, finding) == ("fresh", "s2", Finding.LOST)


def test_an_offer_is_outdated_by_whoever_was_heard_with_a_newer_epoch() -> None:
    doubted, _ = identify(MARKED, a_claim(mark=7), fresh="fresh")
    assert take_offer(replace(doubted, confirmed=6), "s2", 6, 9) is None


def test_a_session_that_a_late_birth_took_over_from_comes_back_without_a_loss() -> None:
    living, _ = identify(MARKED, a_claim(mark=21), fresh="f1")
    late, finding = identify(living, a_claim(session="s0", mark=30), fresh="f2")
    assert finding is Finding.SAME  # its mark is of commits that were put back
    taken = take_offer(late, "s2", 6, 22)
    assert taken is not None
    identity, _, finding = taken
    assert (identity.journal, identity.session, finding) == ("j1", "s2", Finding.SAME)


@pytest.mark.parametrize(
    ("mine", "other", "beside"),
    [
        # A restart: the other one was never heard again after this one.
        (Lived("s2", first_issued=9, shown=8), Lived("s1", first_issued=3, shown=7), False),
        (Lived("s1", first_issued=3, shown=7), Lived("s2", first_issued=9, shown=8), False),
        (Lived("s1", first_issued=3, shown=9), Lived("s2", first_issued=9, shown=3), True),
        (Lived("s1", first_issued=3, shown=9), Lived("s2", first_issued=9, shown=2), False),
        (Lived("s1", first_issued=3, shown=None), Lived("s2", first_issued=9, shown=12), False),
        (Lived("s1", first_issued=3, shown=9), Lived("s1", first_issued=3, shown=9), False),
    ],
)
def test_two_sessions_live_beside_each_other_when_each_showed_what_was_made_after_the_other_was_heard(
    mine: Lived, other: Lived, *, beside: bool
) -> None:
    assert (lives_beside(mine, [mine, other]) == other) is beside
