"""Programs of a site's own: what they say, how they end, and that nothing of them stays behind."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.config import OwnActionConfig
from device_agent.actions.own import OwnAction, _Run
from device_agent.core.outcome import Outcome
from tests.support.printing import Context, begin, cancel
from tests.support.waiting import eventually


def python(script: str, **more: Any) -> OwnAction:
    script = script.replace("{", "{{").replace("}", "}}")  # the braces of an argv template
    return OwnAction("feed", OwnActionConfig(argv=[sys.executable, "-c", script, "{what}"], **more))


async def run(action: OwnAction, what: object = "x") -> Outcome:
    return await action.execute("feed", {"args": {"what": what}}, Context())


async def test_a_value_with_shell_characters_is_just_a_value(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch()
    value = f"; rm {victim} $(rm {victim}) `rm {victim}` && rm {victim}"
    outcome = await run(python("import sys; print(sys.argv[1])"), value)
    assert (outcome.status, outcome.data["stdout"]) == ("completed", value + "\n")
    assert victim.exists()


async def test_an_exit_code_is_a_failure_that_is_not_tried_again() -> None:
    outcome = await run(python("import sys; sys.stderr.write('no feed'); sys.exit(3)"))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "action_failed", False)
    assert (outcome.data["exit_code"], outcome.data["stderr"]) == (3, "no feed")
    assert (await run(python("raise SystemExit(75)", retryable_exit_codes=[75]))).retryable


async def test_a_missing_program_is_named() -> None:
    outcome = await OwnAction("feed", OwnActionConfig(argv=["/no/such/program"])).execute("feed", {}, Context())
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "program_not_found", False)
    assert "/no/such/program" in outcome.message


async def test_only_the_end_of_a_long_output_is_kept() -> None:
    outcome = await run(python("print('x' * 3_000_000 + 'end')", output_limit=100))
    assert len(outcome.data["stdout"]) == 100
    assert outcome.data["stdout"].endswith("xend\n")
    assert outcome.data["stdout_bytes_cut"] == 3_000_004 - 100


async def test_the_program_sees_only_what_the_site_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOORHUB_SECRET", "s")
    monkeypatch.setenv("SHOP", "7")
    action = python("import os; print(sorted(k for k in os.environ if k not in ('LC_CTYPE',)))", env=["SHOP"])
    outcome = await run(action)
    assert "SHOP" in outcome.data["stdout"]
    assert "FLOORHUB_COMMAND_ID" in outcome.data["stdout"]
    assert "FLOORHUB_SECRET" not in outcome.data["stdout"]
    assert "HOME" not in outcome.data["stdout"]


FAMILY = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import signal, time; {child}; time.sleep(600)"])
{parent}
open(sys.argv[1] + ".part", "w").write(f"{{os.getpid()}} {{child.pid}}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(600)
"""
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
OBLIGING = "signal.signal(signal.SIGTERM, lambda *_: os._exit(0))"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def family(note: Path, parent: str, child: str, **more: Any) -> tuple[asyncio.Task[Outcome], Context, list[int]]:
    """A running program with a child of its own, and their process ids."""
    action, context = python(FAMILY.format(parent=parent, child=child), **more), Context()
    task = begin(action.execute("feed", {"args": {"what": str(note)}}, context))
    await eventually(note.exists)
    return task, context, pids_in(note)


def pids_in(note: Path) -> list[int]:
    return [int(pid) for pid in note.read_text().split()]


async def stopped(task: asyncio.Task[Outcome], pids: list[int]) -> None:
    """The run ends as cancelled, and none of its processes is left."""
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: not any(alive(pid) for pid in pids))


async def test_a_cancel_ends_the_program_and_its_children(tmp_path: Path) -> None:
    task, context, pids = await family(tmp_path / "note", parent="", child=STUBBORN)
    assert all(alive(pid) for pid in pids)
    outcome = await cancel(task, context)
    assert outcome is not None
    assert (outcome.status, outcome.retryable) == ("cancelled", False)
    assert "SIGTERM" in outcome.message
    await eventually(lambda: not any(alive(pid) for pid in pids))


async def test_a_stop_in_the_middle_of_the_start_ends_the_program_as_any_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """asyncio would kill a program whose start is cancelled, and could take its exit code away from itself."""
    made, note = _Run.connection_made, tmp_path / "note"

    def stop_now(self: _Run, transport: asyncio.BaseTransport) -> None:
        made(self, transport)
        while not note.exists():  # The program is at work, and the loop has not heard of its start yet.
            os.sched_yield()
        task.cancel()

    monkeypatch.setattr(_Run, "connection_made", stop_now)
    action, context = python(FAMILY.format(parent=OBLIGING.replace("_exit(0)", "_exit(3)"), child="pass")), Context()
    task = begin(action.execute("feed", {"args": {"what": str(note)}}, context))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert context.cancelled_outcome is not None
    assert (context.cancelled_outcome.status, context.cancelled_outcome.code) == ("cancelled", "stopped")
    assert context.cancelled_outcome.data["exit_code"] == 3


async def test_a_program_that_cannot_be_started_and_is_stopped_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> None:
        task.cancel()
        await asyncio.sleep(0)
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(asyncio.get_running_loop(), "subprocess_exec", never)
    context = Context()
    task = begin(python("").execute("feed", {"args": {"what": "x"}}, context))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert context.cancelled_outcome is not None
    assert (context.cancelled_outcome.status, context.cancelled_outcome.code) == ("cancelled", "")


async def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    task, context, pids = await family(tmp_path / "note", parent=STUBBORN, child=STUBBORN)
    outcome = await cancel(task, context)
    assert outcome is not None
    assert (outcome.status, outcome.data["exit_code"]) == ("cancelled", -9)
    await eventually(lambda: not any(alive(pid) for pid in pids))


async def test_one_that_ends_well_when_told_to_is_in_doubt(tmp_path: Path) -> None:
    task, context, _ = await family(tmp_path / "note", parent=OBLIGING, child="pass")
    outcome = await cancel(task, context)
    assert outcome is not None
    assert outcome.status == "unknown"


async def test_the_agents_end_ends_the_program(tmp_path: Path) -> None:
    task, context, pids = await family(tmp_path / "note", parent="", child="pass")
    await cancel(task, context, None)
    await eventually(lambda: not any(alive(pid) for pid in pids))


@pytest.mark.parametrize("steps", [0, 1, 5, 50])
async def test_the_agents_end_in_the_middle_of_a_cancel_leaves_nothing_running(tmp_path: Path, steps: int) -> None:
    task, _, pids = await family(tmp_path / "note", parent=STUBBORN, child=STUBBORN)
    task.cancel()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await stopped(task, pids)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
async def test_two_stops_in_the_middle_of_the_start_leave_nothing_running(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    made, pids = _Run.connection_made, list[int]()

    def note(self: _Run, transport: asyncio.BaseTransport) -> None:
        made(self, transport)
        assert isinstance(transport, asyncio.SubprocessTransport)
        pids.append(transport.get_pid())

    monkeypatch.setattr(_Run, "connection_made", note)
    task = begin(python("import time; time.sleep(600)").execute("feed", {"args": {"what": "x"}}, Context()))
    for _ in range(2):
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
    await stopped(task, pids)


async def test_its_own_time_out_ends_it_with_its_children(tmp_path: Path) -> None:
    task, _, pids = await family(tmp_path / "note", parent="", child=STUBBORN, timeout_s=0.7)
    outcome = await task
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "timed_out", False)
    await eventually(lambda: not any(alive(pid) for pid in pids))


async def test_a_child_that_keeps_the_output_open_does_not_hold_the_answer(tmp_path: Path) -> None:
    script = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
print("done")
"""
    try:
        async with asyncio.timeout(5):
            outcome = await run(python(script))
        assert (outcome.status, outcome.data["stdout"]) == ("completed", "done\n")
    finally:
        os.kill(pids_in(tmp_path / "pid")[0], 9)


async def test_nobody_remembers_what_a_program_did() -> None:
    outcome = await python("pass").evidence("feed", {"args": {"what": "x"}}, Context())
    assert (outcome.status, outcome.retryable) == ("unknown", False)
