"""What others notice while a broker learns clients one by one: commands of a client that is there, in turns with and
without an import, with a broker that knows few clients and one that knows ten thousand.

Run by `make acceptance PART=many`: it takes minutes, and its figures need a machine that does nothing else.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

import pytest

from hub.programs.embedded.data_folder import DataFolder
from tests.support.importing import Import, may_restart, write_list
from tests.support.site import Site, open_site

MANY = int(os.environ.get("FLOORHUB_TEST_IMPORTS", "10000"))
SLOWLY = int(os.environ.get("FLOORHUB_TEST_IMPORTS_SLOWLY", "300"))
ROUNDS = 3
MOST_TIMES = 1.5
NOISE_S = 0.002
"""What a machine adds to a few of a hundred commands, whoever does what."""


@pytest.fixture(scope="module")
def site(cluster: DataFolder) -> Iterator[Site]:
    with open_site("import-latency", cluster=cluster) as running:
        may_restart(running)
        running.agent(running.client(id="worker"))
        yield running


def _asked(site: Site, going: Callable[[], bool]) -> list[float]:
    """How long each command of the agent took from its POST to its end, in seconds, one after the other."""
    took = []
    while going():
        began = time.perf_counter()
        assert site.send("worker", "status", {}, wait=20)["status"] == "completed"
        took.append(time.perf_counter() - began)
    return took


def _percentile(took: list[float], place: int) -> float:
    return quantiles(took, n=100, method="inclusive")[place - 1]


def _measure(site: Site, folder: Path, prefix: str, number: int) -> None:
    """Turns of an import and of none, as long as each other; the figures are said."""
    quiet: list[float] = []
    during: list[float] = []
    learned_s = 0.0
    for turn in range(ROUNDS):
        run = Import(site, write_list(folder / f"{prefix}{turn}.csv", f"{prefix}{turn}", number), "--gradual")
        run.when(lambda: site.http.get("/api/broker").json()["imports_waiting"])
        began = time.perf_counter()
        during += _asked(site, lambda run=run: run.process.poll() is None)  # type: ignore[misc]
        assert run.end() == 0, run.log.read_text()
        lasted = time.perf_counter() - began
        learned_s += lasted
        end = time.perf_counter() + lasted
        quiet += _asked(site, lambda end=end: time.perf_counter() < end)  # type: ignore[misc]
    for place, name in ((50, "p50"), (99, "p99")):
        with_, without = _percentile(during, place), _percentile(quiet, place)
        print(  # noqa: T201 - what this is for
            f"{prefix}: {ROUNDS} x {number} clients in {learned_s:.0f} s ({ROUNDS * number / learned_s:.1f}/s): "
            f"commands of others {name} {with_ * 1000:.1f} ms, without an import {without * 1000:.1f} ms "
            f"({with_ / without:.2f} x; {len(during)} and {len(quiet)} commands)",
            flush=True,
        )
    assert _percentile(during, 99) <= MOST_TIMES * _percentile(quiet, 99) + NOISE_S


def test_others_do_not_notice_some_hundred_new_clients(site: Site, tmp_path: Path) -> None:
    _measure(site, tmp_path, "few", SLOWLY)


def test_others_do_not_notice_new_clients_beside_ten_thousand(site: Site, tmp_path: Path) -> None:
    # Few: a broker with so many rules gets one in some seconds.
    run = Import(site, write_list(tmp_path / "many.csv", "many", MANY), "--yes")
    assert run.end(300) == 0, run.log.read_text()
    _measure(site, tmp_path, "large", SLOWLY // 30)
