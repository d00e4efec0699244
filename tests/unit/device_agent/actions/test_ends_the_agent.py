"""Actions that end the agent, and its own log: what proves them, and what never leaves the machine."""

import asyncio
import gzip
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from device_agent.actions.base import announces_effect
from device_agent.actions.collect_logs import CollectLogs
from device_agent.actions.config import MachineConfig
from device_agent.actions.machine import MachineDriver
from device_agent.core.events import EffectHeld, EffectResumed
from device_agent.core.gate import PayloadError
from device_agent.core.lifetime import Lifetime
from device_agent.logs import files
from schemas.states import OnInterrupt, ReportStatus
from tests.support.agent_bench import Bench, a_run, command_id, effects_in

BEFORE = Lifetime(boot="boot-1", process="p1")


@pytest.mark.parametrize(
    ("action", "began", "now", "status"),
    [
        ("reboot", BEFORE, Lifetime(boot="boot-2", process="p2"), "completed"),
        ("shutdown", BEFORE, Lifetime(boot="boot-2", process="p2"), "completed"),
        ("reboot", BEFORE, Lifetime(boot="boot-1", process="p2"), "unknown"),
        ("reboot", BEFORE, Lifetime(boot="", process="p2"), "unknown"),
        ("reboot", Lifetime(boot="", process=""), Lifetime(boot="boot-2", process="p2"), "unknown"),
        ("restart_agent", BEFORE, Lifetime(boot="boot-1", process="p2"), "completed"),
        ("restart_agent", Lifetime(boot="", process=""), Lifetime(boot="boot-1", process="p2"), "unknown"),
    ],
)
async def test_only_what_is_new_since_the_start_proves_it(
    action: str, began: Lifetime, now: Lifetime, status: str
) -> None:
    context: Any = SimpleNamespace(began=began, now=now)
    assert (await MachineDriver({}).evidence(action, {}, context)).status == status


@pytest.mark.parametrize("delay_s", [-1, 3_601, "5", True, None])
def test_a_delay_that_is_none_is_refused(delay_s: object) -> None:
    with pytest.raises(PayloadError, match="delay_s"):
        MachineDriver({}).check("reboot", {"delay_s": delay_s})


def test_reboot_and_shutdown_are_off_until_the_machine_allows_them() -> None:
    assert MachineConfig().programs == {}
    allowed = msgspec.convert({"reboot": True, "shutdown": ["/sbin/halt", "-p"]}, MachineConfig)
    assert allowed.programs == {"reboot": ["systemctl", "reboot"], "shutdown": ["/sbin/halt", "-p"]}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"reboot": []}, MachineConfig)


def test_what_ends_the_agent_is_never_run_twice_even_when_the_sender_says_so() -> None:
    bench = Bench()
    bench.core._commands._gate = lambda *_: None  # this client does everything
    bench.ready()
    bench.receive(a_run(1, action="reboot", on_interrupt=OnInterrupt.RERUN))
    [report] = bench.reports()
    assert report.error is not None
    assert (report.status, report.error.code) == ("failed", "rerun_refused")
    bench.receive(a_run(2, action="reboot"))
    assert effects_in(bench.take()) == [(2, 1, "execute")]
    assert bench.core._commands.active == 0, "a stop does not wait for it"
    assert bench.disk.attempts[command_id(2)].process == "session-1"
    bench.start()
    assert effects_in(bench.take()) == [(2, 1, "evidence")]


def delayed(action: str) -> Bench:
    """An agent whose driver waits until its delay is over."""
    bench = Bench()
    bench.core._commands._gate = lambda *_: None  # this client does everything
    bench.ready()
    bench.receive(a_run(action=action, payload={"delay_s": 600}))
    bench.feed(EffectHeld(command_id(1), 1, ["delay"], untouched=True))
    return bench


@pytest.mark.parametrize("action", ["restart_agent", "reboot", "shutdown"])
def test_what_ends_the_agent_during_the_delay_is_somebody_elses_doing(action: str) -> None:
    bench = delayed(action)
    assert bench.statuses() == ["accepted", "started", "held"]
    bench.start()
    bench.core._commands._gate = lambda *_: None
    bench.ready()
    assert effects_in(bench.take()) == [], "nothing is asked about: nothing was done"
    bench.receive(a_run(action=action, payload={"delay_s": 600}, heard=ReportStatus.HELD))
    assert effects_in(bench.take()) == [(1, 1, "execute")]


def test_once_the_delay_is_over_it_is_never_begun_anew() -> None:
    bench = delayed("reboot")
    bench.feed(EffectResumed(command_id(1), 1))
    assert bench.statuses()[-1] == "started"
    bench.start()
    assert effects_in(bench.take()) == [(1, 1, "evidence")]


class Steps:
    """A context that notes in which order its driver does things."""

    def __init__(self, done: Path) -> None:
        self.stop_reason = None
        self.told: list[str] = []
        self._done = done

    async def progress(self, data: dict[str, Any]) -> None:
        """Not of interest."""

    async def held(self, reasons: list[str], *, untouched: bool = False) -> None:
        self.told.append(f"{reasons[0]} {untouched} {self._done.exists()}")

    async def begins(self) -> None:
        self.told.append(f"begins {self._done.exists()}")

    async def resumed(self) -> None:
        self.told.append(f"resumed {self._done.exists()}")


@pytest.mark.parametrize(
    ("delay_s", "told"), [(0.01, ["delay True False", "resumed False"]), (0.0, ["begins False"])], ids=["later", "now"]
)
async def test_the_machine_goes_down_only_after_the_journal_knows(
    tmp_path: Path, delay_s: float, told: list[str]
) -> None:
    done = tmp_path / "done"
    steps: Any = Steps(done)
    driver = MachineDriver({"reboot": ["sh", "-c", f"echo >{done}; exit 3"]})
    outcome = await driver.execute("reboot", {"delay_s": delay_s}, steps)
    assert outcome.code == "action_failed"
    assert steps.told == told
    assert done.exists()


@pytest.mark.parametrize("action", ["reboot", "shutdown"])
async def test_a_machine_that_only_says_it_goes_down_proves_nothing(tmp_path: Path, action: str) -> None:
    steps: Any = Steps(tmp_path / "done")
    driver = MachineDriver({action: ["true"]}, comes_within_s=0.01)
    async with asyncio.timeout(20):
        outcome = await driver.execute(action, {"delay_s": 0}, steps)
    assert (outcome.status, outcome.code, outcome.retryable) == ("unknown", "not_proven", False)
    assert "still running" in outcome.message


async def test_a_child_of_the_program_that_lives_on_is_not_waited_for(tmp_path: Path) -> None:
    """It holds the program's standard error open."""
    pid = tmp_path / "pid"
    steps: Any = Steps(tmp_path / "done")
    driver = MachineDriver({"shutdown": ["sh", "-c", f"sleep 600 & echo $! >{pid}; echo refused >&2; exit 3"]})
    try:
        async with asyncio.timeout(20):
            outcome = await driver.execute("shutdown", {"delay_s": 0}, steps)
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)
    assert (outcome.status, outcome.code) == ("failed", "action_failed")
    assert outcome.message.endswith("(exit code 3): refused\n")


def test_what_ends_the_agent_announces_its_effect() -> None:
    assert announces_effect(MachineDriver({}))


class Taking:
    """A context that keeps what is brought up."""

    def __init__(self) -> None:
        self.content = b""

    async def upload(self, file: Path, content_type: str) -> dict[str, Any]:
        assert content_type == "application/gzip"
        self.content = gzip.decompress(file.read_bytes())  # noqa: ASYNC240 - a test
        return {"id": "d"}


async def collect(folder: Path, **payload: Any) -> bytes:
    taking: Any = Taking()
    outcome = await CollectLogs(files(folder), ["s3cret/+value"]).execute("collect_logs", payload, taking)
    assert outcome.status == "completed", outcome
    assert outcome.data["document"] == {"id": "d"}
    return bytes(taking.content)


async def test_the_log_goes_up_without_what_is_secret(tmp_path: Path) -> None:
    older, file = files(tmp_path)
    older.write_text('{"event": "first", "message": "it was s3cret/+value, twice s3cret/+value"}\n')
    file.write_text(
        '{"event": "second", "password": "one two", "order_key": "kept"}\n'
        "GET ipp://user:hunter2@printer/ token=abc, Authorization: Basic\n"
        '{"message": "{\\"secret\\": \\"deep\\"}"}\n'
    )
    content = await collect(tmp_path)
    for secret in (b"s3cret", b"one two", b"hunter2", b"abc", b"deep"):
        assert secret not in content
    for kept in (b"first", b"second", b"kept", b"@printer/"):
        assert kept in content


async def test_only_the_end_of_the_log_goes_up_in_whole_lines(tmp_path: Path) -> None:
    *_, file = files(tmp_path)
    file.write_text("".join(f"line {number}\n" for number in range(1_000)))
    assert await collect(tmp_path, max_bytes=25) == b"line 998\nline 999\n"
    assert await collect(tmp_path / "empty") == b""
    with pytest.raises(PayloadError, match="max_bytes"):
        CollectLogs([], []).check("collect_logs", {"max_bytes": 0})
