"""`python -m tests.simulation`: many seeds over the cores, or one with its trace."""

import argparse
import sys
import time

from tests.simulation.many import explain, run_many

SHOWN = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, help="processes (default: one for each core)")
    parser.add_argument("--seed", type=int, help="run this one alone and print its trace")
    options = parser.parse_args()
    if options.seed is not None:
        print(explain(options.seed, whole=True))  # noqa: T201
        return 0
    began = time.monotonic()
    results = run_many(options.first, options.seeds, options.jobs)
    broken = [result for result in results if result.violation]
    for result in broken[:SHOWN]:
        print(explain(result.seed), end="\n\n")  # noqa: T201
    print(  # noqa: T201
        f"{len(results)} seeds in {time.monotonic() - began:.0f} s: {sum(r.commands for r in results)} commands, "
        f"{sum(r.faults for r in results)} faults, {sum(r.effects for r in results)} effects, "
        f"{sum(r.ends.get('unknown', 0) for r in results)} unknown; {len(broken)} seeds broke a promise"
        + (f": {[result.seed for result in broken[:50]]}" if broken else "")
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
