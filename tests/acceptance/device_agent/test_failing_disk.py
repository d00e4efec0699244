"""The agent's disk is full, or fails, while a page prints and a program runs: both go on to their end, once, and the
hub hears what the printer says. Nothing is cancelled, since nobody cancelled anything.

strace lets the agent's own system calls about its journal and its log fail, from the n-th on or only that one, as root
and as an ordinary user. `FLOORHUB_TEST_DISK_POINTS` says at how many points (40 in `make acceptance PART=agent-disk`).
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from tests.support.site import Site
from tests.support.traced import Traced
from tests.support.waiting import until

POINTS = int(os.environ.get("FLOORHUB_TEST_DISK_POINTS", "3"))
PRINTS_S, PROGRAM_S, STOP_S = 4.0, 1.0, 2.0
"""The page still prints when the agent has waited for it in vain; the program has ended by then."""
SYNCS, WRITES = "fsync,fdatasync", "pwrite64,write,ftruncate,fallocate"
NEVER = "65000"


@dataclass(frozen=True)
class Fault:
    """Which calls fail, how, and whether the disk recovers at once."""

    calls: str
    error: str
    lasts: bool

    def when(self, number: int) -> str:
        """As strace calls it: the `number`-th call, and those that follow if it lasts."""
        return f"{number}+" if self.lasts else str(number)


FAULTS = [
    Fault(WRITES, "ENOSPC", lasts=True),
    Fault(SYNCS, "EIO", lasts=True),
    Fault(WRITES, "EIO", lasts=False),
    Fault(SYNCS, "ENOSPC", lasts=False),
]
STEP = {WRITES: 4, SYNCS: 1}
"""A commit takes about four writes and one sync."""
ALL = [(fault, place) for place, fault in product(range(10), FAULTS)]
CHOSEN = [ALL[number * len(ALL) // POINTS + number % len(FAULTS)] for number in range(POINTS)] if POINTS < 40 else ALL
PROGRAM = '#!/bin/sh\necho "begins $2" >>"$1"\nsleep {}\necho "ends $2" >>"$1"\n'


class FailingDisk:
    """An agent that prints a page and runs a program, on a disk of its own."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.data = folder / "data"
        self.notes = folder / "strace"
        self.log = folder / "programs"
        program = folder / "program"
        program.write_text(PROGRAM.format(PROGRAM_S))
        program.chmod(0o755)
        self.client: str = (registered := site.client())["id"]
        extra = f'{site.office()}\n[actions.slow]\nargv = ["{program}", "{self.log}", "{{n}}"]\n'
        config = folder / "agent.toml"
        site.configure(registered, extra, file=config)
        text = config.read_text()
        config.write_text(f"stop_timeout_s = {STOP_S}\n{text}")
        argv = [sys.executable, "-m", "device_agent", "run", "--config", str(config), "--data", str(self.data)]
        self.agent = Traced("agent", argv, {}, folder / "agent.log")

    @property
    def files(self) -> list[Path]:
        return [self.data / name for name in ("journal.db", "journal.db-wal", "journal.db-journal", "agent.log")]

    def start(self, fault: Fault, when: str) -> None:
        self.agent.fail(fault.calls, fault.error, when, self.files, self.notes)
        self.agent.start()

    def online(self) -> None:
        self.site.wait_online(self.client, self.agent)

    def calls_of_a_start(self, fault: Fault) -> int:
        """How many such calls the busiest thread makes until the hub has welcomed the agent."""
        self.start(fault, NEVER)
        self.online()
        until(lambda: b'"welcomed"' in self.agent.log.read_bytes(), "the welcome")
        number = self.agent.calls()
        self.agent.kill()
        return number

    def program(self, line: str) -> list[str]:
        """The programs that wrote this line."""
        lines = self.log.read_text().split("\n") if self.log.exists() else []
        return [said.partition(" ")[2] for said in lines if said.startswith(f"{line} ")]


@pytest.fixture
def testbed(site: Site, tmp_path: Path) -> Iterator[FailingDisk]:
    testbed = FailingDisk(site, tmp_path)
    yield testbed
    testbed.agent.stop()


@pytest.mark.fault("F25")
@pytest.mark.parametrize(("fault", "place"), CHOSEN, ids=lambda value: getattr(value, "error", str(value)))
def test_a_page_that_prints_comes_out_once_and_is_completed(
    site: Site, testbed: FailingDisk, fault: Fault, place: int
) -> None:
    first = testbed.calls_of_a_start(fault)
    site.control_printer(seconds=PRINTS_S)
    testbed.start(fault, fault.when(first + 1 + place * STEP[fault.calls]))
    testbed.online()

    page = site.print_page(testbed.client)["id"]
    program = site.send(testbed.client, "slow", {"args": {"n": "1"}})["id"]
    small = [page]  # the commits of further commands bring the fault about
    until(lambda: _ended(testbed) or small.append(site.send(testbed.client, "status", {})["id"]), "the fault", 60)
    assert testbed.agent.process.wait(20) == 1
    assert "journal_failed" in testbed.agent.log.read_text()
    ends = set(testbed.program("ends"))

    if fault.lasts:  # The service manager starts it again, and the disk is as it was.
        testbed.start(fault, fault.when(1))
        assert testbed.agent.process.wait(20) == 1, testbed.agent.tail()
    testbed.agent.leave_alone()
    testbed.agent.start()
    printed = site.wait_status(page, "completed", "failed", "cancelled", "expired", "unknown", deadline_s=60)
    ran = site.wait_status(program, "completed", "failed", "cancelled", "expired", "unknown", deadline_s=60)

    assert printed["status"] == "completed", printed
    assert len(site.effects(page)) == 1
    assert ran["status"] in ("completed", "unknown"), ran
    assert testbed.program("begins") == ["1"]
    assert ends == {"1"}, "the agent ended the program, which nobody had asked for"
    for command in small:
        site.wait_status(command, "completed", "unknown", deadline_s=60)
    unasked = site.http.get("/api/dead-letters", params={"client_id": testbed.client, "reason": "cancel_not_requested"})
    assert unasked.json()["items"] == []


def _ended(testbed: FailingDisk) -> bool:
    return testbed.agent.process.poll() is not None
