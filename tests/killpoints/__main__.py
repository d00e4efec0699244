"""`python -m tests.killpoints`: the whole sweep, its table and a summary."""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.killpoints.sweep import SENDS, SYNCS, WRITES, Point, Sweep, Target, running, write

FILE = Path("build/killpoints.json")
SWEEPS: tuple[tuple[Target, str, int, int], ...] = (
    ("agent", SYNCS, 1, 1),
    ("agent", SENDS, 1, 1),
    # A hub's start takes seconds, and most of its sends are its start: every sixth of those, every second of the run's.
    ("hub", SENDS, 6, 2),
    ("hub", WRITES, 12, 2),
)
"""What is killed before which calls; every how manieth while it starts, and while it works."""


def sweep_over(
    sweep: Sweep, target: Target, calls: str, start_step: int, step: int, most: int | None
) -> Iterator[Point]:
    """Each K from the first call to the end of a run, or `most` of them spread over it."""
    begin, end = sweep.measure(target, calls)
    numbers = [*range(1, begin, start_step), *range(begin, end + 1, step)]
    if most is not None and most < len(numbers):
        numbers = [numbers[place * len(numbers) // most] for place in range(most)]
    for when in numbers:
        point = sweep.kill_at(target, calls, when)
        for fault in point.faults:
            print(f"{target} {calls} {when}: {fault}", flush=True)  # noqa: T201
        yield point


def summary(points: list[Point]) -> str:
    """For people: how many points, where, and what became of the commands."""
    lines = [
        f"{'killed before':34} {'points':>6} {'commands':>8} {'completed':>9} {'unknown':>7} {'twice':>5} {'faults':>6}"
    ]
    groups: defaultdict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in points:
        if point.killed:
            kind = "sync of" if point.calls == SYNCS else "send to"
            groups[point.target, f"{kind} {point.place or 'what came next'}"].append(point)
    for (target, where), members in sorted(groups.items()):
        ends = Counter(end for point in members for end in point.ends.values())
        twice = sum(effects > 1 for point in members for effects in point.effects.values())
        faults = sum(bool(point.faults) for point in members)
        lines.append(
            f"{f'{target}: {where}'[:34]:34} {len(members):>6} {sum(ends.values()):>8} {ends['completed']:>9} "
            f"{ends['unknown']:>7} {twice:>5} {faults:>6}"
        )
    killed = [point for point in points if point.killed]
    bad = [point for point in points if point.faults]
    lines.append(
        f"{len(killed)} kill points, {len(bad)} with a fault; {len(points) - len(killed)} runs ended before theirs"
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.killpoints", description=__doc__)
    parser.add_argument("--only", choices=["agent", "hub"])
    parser.add_argument("--points", type=int, help="at most so many of each sweep")
    options = parser.parse_args()
    began = time.monotonic()
    points: list[Point] = []
    with running() as sweep:
        for target, calls, start_step, step in SWEEPS:
            if options.only in (None, target):
                for point in sweep_over(sweep, target, calls, start_step, step, options.points):
                    points.append(point)
                    write(points, FILE)
    print(f"{summary(points)}\n{time.monotonic() - began:.0f} s; each point: {FILE}")  # noqa: T201
    return 1 if any(point.faults for point in points) else 0


if __name__ == "__main__":
    sys.exit(main())
