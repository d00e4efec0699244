"""`python -m tests.chaos`: a run of CHAOS_MINUTES (5) by CHAOS_SEED (a new one). Exit code 1: a promise broke."""

import argparse
import os
import secrets
import sys
from pathlib import Path

from tests.chaos.report import text, write
from tests.chaos.run import run

BUILD = Path("build")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000)))
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("CHAOS_MINUTES") or 5))
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--rate", type=float, default=17.5, help="requests a second")
    parser.add_argument("--gap", type=float, default=4.2, help="seconds between two faults, on average")
    parser.add_argument("--plant", help="a bug of tests.chaos.plants that the processes shall have")
    options = parser.parse_args()
    outcome = run(
        options.seed,
        options.minutes,
        agents=options.agents,
        rate=options.rate,
        gap_s=options.gap,
        plant=options.plant,
        say=lambda line: print(line, flush=True),  # noqa: T201
    )
    files = write(outcome, BUILD)
    print(f"\n{text(outcome)}\nAlso in {' and '.join(map(str, files))}.")  # noqa: T201
    return 0 if outcome.verdict.kept else 1


if __name__ == "__main__":
    sys.exit(main())
