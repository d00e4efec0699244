"""Which job at a printer is ours."""

import pytest

from device_agent.actions.printing.own_job import OwnJob, is_cut
from device_agent.ipp.message import Group, Tag, attribute

NAME = "floorhub-0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-1"


def shown(name: str = "", uuid: str = "", user: str = "") -> Group:
    said = {"job-name": (Tag.NAME, name), "job-uuid": (Tag.URI, uuid), "job-originating-user-name": (Tag.NAME, user)}
    return Group(2, tuple(attribute(key, tag, text) for key, (tag, text) in said.items() if text))


@pytest.mark.parametrize("name", [NAME, f"{NAME} title", NAME[:40], NAME[:32]])
def test_our_name_is_ours_whole_or_cut(name: str) -> None:
    assert OwnJob(NAME, 7, fresh=False).is_shown_by(shown(name))


@pytest.mark.parametrize("name", [f"{NAME}2", NAME[:31], "floorhub-", NAME[:-1] + "2", "Letter", NAME.upper()])
def test_another_name_is_anothers(name: str) -> None:
    assert not OwnJob(NAME, 7, fresh=False).is_shown_by(shown(name))
    assert not OwnJob(NAME, 7).is_shown_by(shown(name))


def test_what_was_never_looked_at_is_not_believed_without_a_name_after_a_restart() -> None:
    known = OwnJob.recall(NAME, {"job_id": 7})
    assert known is not None
    assert not known.is_shown_by(shown())


@pytest.mark.parametrize("first", [shown(), shown(NAME), shown(NAME, "urn:a"), shown("", "urn:a")])
def test_what_is_remembered_says_the_same_after_a_restart(first: Group) -> None:
    own = OwnJob(NAME, 7)
    assert own.learn(first)
    again = OwnJob.recall(NAME, own.remembered())
    assert again is not None
    for later in (first, shown(), shown("Letter"), shown("", "urn:b"), shown("", "urn:a")):
        assert own.is_shown_by(later) is again.is_shown_by(later)
    assert again.is_shown_by(first)
    assert not again.is_shown_by(shown("Letter", "urn:b", "alice"))


def test_only_a_fresh_number_is_believed_under_a_name_of_the_printers_own() -> None:
    renamed = shown("GUEST", user="floorhub")
    assert OwnJob(NAME, 7).is_shown_by(renamed)
    own = OwnJob(NAME, 7)
    own.doubt()
    assert not own.is_shown_by(renamed)


@pytest.mark.parametrize("broken", [{}, {"job_id": "7"}, {"job_id": True}, {"job_id": None}])
def test_what_is_no_number_is_not_recalled(broken: dict[str, object]) -> None:
    assert OwnJob.recall(NAME, broken) is None


def test_a_cut_name_does_not_begin_elsewhere() -> None:
    assert not is_cut("Letter" * 10, NAME)
