"""The three records of posted commands, compared."""

from typing import Any
from uuid import UUID

import pytest

from hub.programs.simulator.reconciliation import KINDS, Account, Posts, Verdict, compare

MARK = "simulate-1"


def posts() -> Posts:
    """Two accepted, one refused, one without answer."""
    accounts = {
        0: Account("sim-0001", "status", command_id=str(ident(0))),
        1: Account("sim-0002", "pick", command_id=str(ident(1))),
        2: Account("sim-0001", "status", refused="rate_limited"),
        3: Account("sim-0002", "pick"),
    }
    return Posts(mark=MARK, accounts=accounts)


def ident(number: int) -> UUID:
    return UUID(int=number + 1)


def row(number: int, status: str = "completed", **fields: Any) -> dict[str, Any]:
    """The command of a post as the hub lists it."""
    client_id, action = ("sim-0001", "status") if number in (0, 2) else ("sim-0002", "pick")
    values = {"id": str(ident(number)), "client_id": client_id, "action": action, "status": status}
    return {**values, "payload": {"simulate": MARK, "number": number}, **fields}


def did(number: int, client_id: str, mark: str = MARK) -> dict[UUID, tuple[str, dict[str, Any]]]:
    return {ident(number): (client_id, {"simulate": mark, "number": number})}


GOOD = [row(0), row(1, "failed")]
DONE = did(0, "sim-0001")


def judged(rows: list[dict[str, Any]], times: dict[int, int], done: dict[UUID, Any] = DONE) -> Verdict:
    return compare(posts(), {ident(number): count for number, count in times.items()}, done, rows)


def test_what_was_accepted_and_ended_as_it_went_is_in_order() -> None:
    verdict = judged(GOOD, {0: 1})
    assert verdict.found == {kind: [] for kind in KINDS}
    assert (verdict.accepted, dict(verdict.refused), verdict.unanswered) == (2, {"rate_limited": 1}, 1)
    assert verdict.broken(open_too=True) == []


@pytest.mark.parametrize(
    "case",
    [
        ("lost", [row(1, "failed")], {0: 1}, DONE),  # accepted, and gone
        ("lost", GOOD, {}, {}),  # completed without an effect
        ("twice", GOOD, {0: 2}, DONE),
        ("twice", [*GOOD, row(0, "failed", id=str(ident(9)))], {0: 1}, DONE),  # one post, two commands
        ("invented", [*GOOD, row(2, "expired")], {0: 1}, DONE),  # refused, and stored all the same
        ("invented", [*GOOD, row(7, "expired")], {0: 1}, DONE),  # never posted
        ("invented", [row(0, client_id="sim-0003"), GOOD[1]], {0: 1}, DONE),  # stored for another client
        ("invented", GOOD, {0: 1}, did(0, "sim-0003")),  # carried out by another client
        ("invented", GOOD, {0: 1, 2: 1}, DONE | did(2, "sim-0001")),  # refused, and carried out
        ("wrong_end", [row(0, "expired"), GOOD[1]], {0: 1}, DONE),
        ("open", [row(0), row(1, "running")], {0: 1}, DONE),
    ],
    ids=lambda case: case[0],
)
def test_each_broken_promise_is_named(case: tuple[str, list[dict[str, Any]], dict[int, int], Any]) -> None:
    kind, rows, times, done = case
    verdict = judged(rows, times, done)
    assert {found for found, ids in verdict.found.items() if ids} == {kind}
    [told] = verdict.broken(open_too=True)
    assert told.startswith(kind.replace("_", " "))


def test_what_is_open_is_no_broken_promise_of_a_run_that_was_cut_short() -> None:
    assert judged([row(0), row(1, "running")], {0: 1}).broken(open_too=False) == []
    [told] = judged([row(0), row(1, "running")], {}, {}).broken(open_too=False)
    assert told.startswith("lost")


def test_a_post_without_answer_may_be_stored_and_carried_out_or_not() -> None:
    done = DONE | did(3, "sim-0002")
    assert not judged([*GOOD, row(3)], {0: 1, 3: 1}, done).broken(open_too=True)
    # Its effect may come before the hub lists it.
    assert not judged(GOOD, {0: 1, 3: 1}, done).broken(open_too=True)


def test_commands_of_others_are_left_alone() -> None:
    assert not judged(GOOD, {0: 1, 5: 1}, DONE | did(5, "sim-0001", mark="another")).broken(open_too=True)


def test_unknown_is_neither_lost_nor_a_wrong_end() -> None:
    for times in ({}, {0: 1}):
        assert not judged([row(0, "unknown"), GOOD[1]], times, DONE if times else {}).broken(open_too=True)
