"""The simulation itself: it holds, it repeats exactly, it is no empty shell, and it finds bugs that are planted."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.many import explain, run_many
from tests.simulation.plants import PLANTS, hunt
from tests.simulation.world import World

SEEDS = 600
"""`make acceptance PART=simulation` takes 10,000."""
TRIED = 600
"""Seeds in which a planted bug must be found; most are found in the first few."""


def test_no_seed_breaks_a_promise() -> None:
    results = run_many(0, SEEDS)
    for result in results:
        assert result.violation is None, explain(result.seed)
    # All this did happen: a world in which nothing goes wrong proves nothing.
    assert sum(result.commands for result in results) > 5 * SEEDS
    assert sum(result.faults for result in results) > 2 * SEEDS
    ends = sum((Counter(result.ends) for result in results), Counter[str]())
    assert set(ends) == {"completed", "failed", "cancelled", "expired", "unknown"}
    assert ends["completed"] > ends["unknown"] > 0


def test_a_seed_is_the_same_run_in_every_process() -> None:
    """Also with other hashes, and so another order of sets."""
    runs = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "7"],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hashes in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert "every promise held" in runs[0]
    assert explain(7, whole=True) in runs[0]


def test_a_violation_names_its_seed_and_the_way_back() -> None:
    with PLANTS["a repeated run is not recognised"]():
        found = next(result for seed in range(TRIED) if (result := World(seed).run()).violation)
        text = explain(found.seed)
    assert f"seed {found.seed}: an effect begins once" in text
    assert f"python -m tests.simulation --seed {found.seed}" in text
    assert "executes" in text


@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_is_found(bug: str) -> None:
    assert hunt(bug, most=TRIED).check is not None, f"{TRIED} seeds did not find it: {bug}"
