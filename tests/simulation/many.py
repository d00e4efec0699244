"""Many seeds over the cores, and one of them explained."""

import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.world import Result, World

CHUNK = 50
TAIL = 120


def run_seeds(seeds: Iterable[int]) -> list[Result]:
    """Their worlds, one after the other."""
    return [World(seed).run() for seed in seeds]


def run_many(first: int, count: int, jobs: int | None = None) -> list[Result]:
    """Consecutive seeds over the cores, in order."""
    chunks = [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]
    with ProcessPoolExecutor(jobs or os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        return [result for results in pool.map(run_seeds, chunks) for result in results]


def explain(seed: int, *, whole: bool = False) -> str:
    """The trace of a seed, its violation, and how to see it again."""
    world = World(seed, traced=True)
    result = world.run()
    lines = world.lines if whole else world.lines[-TAIL:]
    last = f"seed {seed}: {result.violation or 'every promise held'}"
    return "\n".join([*lines, last, f"again: .venv/bin/python -m tests.simulation --seed {seed}"])
