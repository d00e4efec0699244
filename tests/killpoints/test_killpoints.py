"""A sample of the kill points; `make killpoints` visits all of them."""

from collections.abc import Iterator

import pytest

from tests.killpoints.sweep import SENDS, SYNCS, Point, Sweep, Target, running

SAMPLE: tuple[tuple[Target, str, tuple[int, ...]], ...] = (
    ("agent", SYNCS, (2, 7, 9, 12)),
    ("agent", SENDS, (10, 18, 27, 36)),
    ("hub", SENDS, (60, 105, 150)),
)


@pytest.fixture(scope="module")
def sweep() -> Iterator[Sweep]:
    with running() as sweep:
        yield sweep


@pytest.mark.parametrize(("target", "calls", "numbers"), SAMPLE, ids=lambda value: str(value) if value else "")
def test_a_death_before_any_call_ends_each_command_once(
    sweep: Sweep, target: Target, calls: str, numbers: tuple[int, ...]
) -> None:
    points = [sweep.kill_at(target, calls, when) for when in numbers]
    assert [point for point in points if point.faults] == []
    assert any(point.killed for point in points), points


def test_the_judgement_notices_what_it_must(sweep: Sweep) -> None:
    """An effect too many, and a command without its effect, in the log that the agent cannot write."""
    name, other = sweep._names()[:2]
    ids = sweep._post([name, other])
    sweep._wait(ids)
    with sweep.log.open("a") as log:
        log.write(f"{name}\n")
    lines = sweep.log.read_text().splitlines()
    sweep.log.write_text("\n".join(line for line in lines if line != other) + "\n")
    point = Point("agent", SYNCS, 0)
    sweep._judge(point, ids)
    assert point.faults == [f"{name} took effect 2 times", f"{other} is completed without an effect"]
