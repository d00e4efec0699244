"""The checker alone: each way in which the records can disagree is told, and what a crash explains is not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker import check
from tests.chaos.records import Broken, Note, Promise, Records, Row

PROMISE = Promise(1, 100.0, "c1", "pc-1", "plain", None)
ROW = Row("c1", "pc-1", "completed", 4, 1, "unknown", None, None, None, None, None, True, False, 4, 1)
NOTES = [Note(kind, at, "c1", 1, "pc-1") for kind, at in (("began", 101.0), ("effect", 101.1), ("ended", 101.2))]
KILL = Broken(5, "agent_kill", "pc-1", 101.15, 102.0)


def records(*, promise: Promise = PROMISE, row: Row | None = ROW, **changes: Any) -> Records:
    fields: dict[str, Any] = {"promises": [promise], "notes": NOTES, "rows": {} if row is None else {row.id: row}}
    return Records(**fields | changes)


def test_what_agrees_is_kept() -> None:
    verdict = check(records())

    assert verdict.kept
    assert (verdict.accepted, verdict.effects, dict(verdict.statuses)) == (1, 1, {"completed": 1})


@pytest.mark.parametrize(
    ("promise", "found"),
    [
        ("lost", records(row=None)),
        ("lost", records(row=replace(ROW, status="queued"))),
        ("twice", records(notes=[*NOTES, Note("effect", 109.0, "c1", 1, "pc-1")])),
        ("invented", records(promises=[])),
        ("invented", records(rows={"c1": ROW, "c2": replace(ROW, id="c2")})),
        ("untrue", records(notes=[])),
        ("untrue", records(row=replace(ROW, status="failed", code="action_failed"))),
        ("untrue", records(row=replace(ROW, status="expired", started=False))),
        ("unknown", records(row=replace(ROW, status="unknown"))),
        ("unknown", records(row=replace(ROW, status="unknown"), faults=[replace(KILL, began=150.0)])),
        ("unknown", records(row=replace(ROW, status="unknown"), faults=[replace(KILL, target="pc-2")])),
        ("history", records(row=replace(ROW, log_rows=3))),
        ("history", records(row=replace(ROW, completions=2))),
        ("answers", records(promise=replace(PROMISE, problem="one key, two commands"))),
        ("answers", records(promises=[PROMISE, replace(PROMISE, number=2)])),
    ],
)
def test_a_broken_promise_is_told(promise: str, found: Records) -> None:
    assert [name for name, findings in check(found).broken.items() if findings] == [promise]


def test_an_order_key_is_held_to_the_order_in_which_it_was_accepted() -> None:
    promises = [replace(PROMISE, number=n, id=f"c{n}", order_key="k") for n in (1, 2)]
    rows = {p.id: replace(ROW, id=str(p.id), order_key="k") for p in promises}
    notes = [Note("effect", at, command_id, 1, "pc-1") for command_id, at in (("c2", 101.0), ("c1", 102.0))]

    assert check(Records(promises, notes, rows)).broken["order"]  # type: ignore[arg-type]
    assert check(Records(promises, [replace(notes[1], at=100.5), notes[0]], rows)).kept  # type: ignore[arg-type]


def test_a_crash_explains_an_unknown_and_a_repeat_that_was_allowed() -> None:
    unknown = check(records(row=replace(ROW, status="unknown"), faults=[KILL]))
    repeated = [*NOTES, Note("effect", 109.0, "c1", 1, "pc-1")]
    rerun = check(records(row=replace(ROW, on_interrupt="rerun"), notes=repeated, faults=[KILL]))

    assert unknown.kept
    assert "fault 5" in unknown.unknown[0]
    assert rerun.kept
    assert "fault 5" in rerun.reruns[0]
    assert not check(records(row=replace(ROW, on_interrupt="rerun"), notes=repeated)).kept


def test_recovery_counts_from_the_end_of_a_fault_and_not_while_the_next_one_is_at_work() -> None:
    waits = [replace(note, at=note.at + 20) for note in NOTES]  # accepted at 100, began at 121
    cut = Broken(1, "hub_broker_cut", "one", 99.0, 105.0)
    frozen = Broken(2, "agent_freeze", "pc-1", 110.0, 130.0)
    elsewhere = Broken(3, "agent_freeze", "pc-2", 100.0, 120.0)

    assert check(records(notes=waits, faults=[cut, elsewhere])).recovery_s == [pytest.approx(16)]
    assert check(records(notes=waits, faults=[cut, frozen, elsewhere])).recovery_s == [pytest.approx(5)]
    assert check(records(notes=waits, faults=[elsewhere])).recovery_s == []


def test_what_an_agent_stopped_in_the_middle_is_no_lie_though_its_start_came_late() -> None:
    cancelled = replace(ROW, status="cancelled", started=False)

    assert check(records(row=replace(cancelled, code="stopped"))).kept
    assert check(records(row=cancelled)).broken["untrue"]
