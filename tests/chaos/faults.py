"""Carries a plan out: begins each fault at its time, ends it at its own, and brings back who died unasked.

Belongs to the main thread, which must be the one that starts children.
"""

import contextlib
import heapq
import os
import signal
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import psycopg

from tests.chaos.plan import HUBS, Fault
from tests.chaos.records import Broken
from tests.support.fault_proxy import GOOD, HALF_OPEN, Conditions, FaultProxy
from tests.support.testbed import Testbed

Undo = Callable[[], None]
BRING_BACK_S = 1.0
AGAIN_S = 0.2
STOP_S = 60.0
"""How long a process may take to stop: a hub finishes the statement that has begun, as long as the database may take to
answer."""
SHIFT_S = 90.0
"""The range of the hub's wrong clock: half of it back, half of it ahead."""


class _NotYetError(Exception):
    """The fault cannot end before others have ended."""


class Breaker:
    """Breaks a testbed by a plan. `happened` is what really took place, with true times."""

    def __init__(self, testbed: Testbed) -> None:
        self._testbed = testbed
        self.happened: list[Broken] = []
        self._down: set[str] = set()
        """Who is meant to be down just now."""
        self._extra = count(1)

    def run(self, faults: list[Fault], seconds: float, say: Callable[[str], None]) -> None:
        """Carry out the plan; returns after `seconds`, when every fault has ended."""
        began = time.monotonic()
        ends: list[tuple[float, int, Broken, Undo]] = []
        waiting = list(reversed(faults))
        while waiting or ends or time.monotonic() - began < seconds:
            now = time.monotonic() - began
            if ends and ends[0][0] <= now:
                _, number, broken, undo = heapq.heappop(ends)
                try:
                    self._end(broken, undo)
                except _NotYetError:
                    heapq.heappush(ends, (now + AGAIN_S, number, broken, undo))
            elif waiting and waiting[-1].at_s <= now:
                fault = waiting.pop()
                broken, undo = self._begin(fault)
                what = f"{fault.kind} {fault.target} for {fault.lasts_s:.1f} s {broken.said}"
                say(f"{now:7.1f} s  {fault.number:4d} {what}".rstrip())
                heapq.heappush(ends, (now + fault.lasts_s, fault.number, broken, undo))
            else:
                self.bring_back()
                time.sleep(0.02)

    def bring_back(self) -> None:
        """Start again who ended without being told to, as a service manager would; it counts as a fault."""
        for name, process in self._testbed.processes.items():
            code = process.process.poll()
            if name in self._down or code is None:
                continue
            kind = "hub_died" if name in HUBS else "agent_died"
            now = time.time()
            said = f"exit {code}: {process.tail()[-400:]}"
            self.happened.append(Broken(-next(self._extra), kind, name, now, now + BRING_BACK_S, said))
            time.sleep(BRING_BACK_S)
            process.start()

    def _begin(self, fault: Fault) -> tuple[Broken, Undo]:
        broken = Broken(fault.number, fault.kind, fault.target, time.time(), 0.0)
        self.happened.append(broken)
        try:
            undo = self._break(fault, broken)
        except (psycopg.Error, AssertionError, OSError) as problem:
            # Another fault stands in the way, such as a database that is down when its sessions are to be ended.
            broken.said = f"could not: {type(problem).__name__}"
            undo = _nothing
        return broken, undo

    def _end(self, broken: Broken, undo: Undo) -> None:
        undo()
        broken.ended = time.time()

    def _break(self, fault: Fault, broken: Broken) -> Undo:
        testbed, (who, _, what) = self._testbed, fault.kind.partition("_")
        if fault.kind.startswith("hub_database"):
            return self._line(testbed.to_database[fault.target], what.removeprefix("database_"), fault)
        if fault.kind.startswith("hub_broker"):
            return self._line(testbed.to_broker[fault.target], what.removeprefix("broker_"), fault)
        if who in ("agent", "hub") and what in ("kill", "freeze", "stop"):
            return self._process(fault.target, what)
        if who == "agent":
            return self._line(testbed.to_broker[fault.target], what, fault)
        if who == "broker":
            return self._broker(what, fault, broken)
        if who == "postgres":
            return self._postgres(what)
        assert fault.kind == "clock_shift"
        shift = (fault.amount - 0.5) * SHIFT_S
        testbed.shift_clock(shift)
        broken.said = f"{shift:+.0f} s"
        return lambda: _until_done(lambda: testbed.shift_clock(0))

    def _process(self, name: str, what: str) -> Undo:
        process = self._testbed.processes[name]
        assert process.process.poll() is None
        if what == "freeze":
            process.process.send_signal(signal.SIGSTOP)
            return lambda: process.process.send_signal(signal.SIGCONT)
        self._down.add(name)
        if what == "kill":
            process.kill()
        else:
            process.process.send_signal(signal.SIGTERM)

        give_up = time.monotonic() + STOP_S

        def back() -> None:
            if what == "stop":
                # Its stop may wait for a database that this plan has frozen, and that only this loop thaws.
                if process.process.poll() is None and time.monotonic() < give_up:
                    raise _NotYetError
                process.stop()
            process.start()
            self._down.discard(name)

        return back

    def _line(self, proxy: FaultProxy, what: str, fault: Fault) -> Undo:
        conditions = {
            "half_open": HALF_OPEN,
            "deaf": Conditions(down_silent=True),
            "mute": Conditions(up_silent=True),
            "slow": Conditions(delay_s=0.05 + fault.amount, bytes_per_s=8_000),
            "slices": Conditions(slice_bytes=1, bytes_per_s=4_000),
            "refused": Conditions(refuse=True),
        }
        if what in ("cut", "reset"):
            proxy.cut(reset=what == "reset")
            return _nothing
        proxy.set(conditions[what])
        if what == "refused":
            proxy.cut(reset=True)

        def well() -> None:
            proxy.set(GOOD)
            if what == "half_open" and fault.amount < 0.5:
                # Half of the silent lines never come back: a router that forgot the connection.
                proxy.cut(reset=True)

        return well

    def _broker(self, what: str, fault: Fault, broken: Broken) -> Undo:
        broker = self._testbed.stack.broker
        assert broker is not None
        assert broker.pid is not None
        pid = broker.pid
        if what == "repeats":
            broken.said = f"{self._testbed.repeat_commands(fault.amount)} commands"
            return _nothing
        if what == "freeze":
            _signal([pid], signal.SIGSTOP)
            return lambda: _signal([pid], signal.SIGCONT)
        broker.kill()
        if what == "wipe":
            broker.wipe()
        return lambda: _ignore(broker.start())

    def _postgres(self, what: str) -> Undo:
        postgres = self._testbed.stack.postgres
        assert postgres is not None
        if what == "sessions":
            self._testbed.end_sessions()
            return _nothing
        if what == "freeze":
            assert postgres.pid is not None
            frozen = [postgres.pid, *children(postgres.pid)]
            _signal(frozen, signal.SIGSTOP)
            return lambda: _signal(reversed(frozen), signal.SIGCONT)
        postgres.kill()
        return lambda: _ignore(postgres.start())


def children(pid: int) -> list[int]:
    return [int(c) for f in Path(f"/proc/{pid}/task").glob("*/children") for c in f.read_text().split()]


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _until_done(step: Callable[[], None]) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            step()
        except psycopg.Error:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _ignore(_: object) -> None:
    """For steps whose answer nobody needs."""


def _nothing() -> None:
    """For faults that end by themselves."""
