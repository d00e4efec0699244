"""The README as a new user follows it: `floorhub up`, the example pasted as it is, stop, and start again."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.floor import ROOT, Process, until


@pytest.fixture(autouse=True)
def _printer_is_well() -> None:
    """This module has a printer of its own."""


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    # Not pytest's own folder: root's is closed to the user that runs Postgres, broker and printer.
    folder = Path(tempfile.mkdtemp(prefix="floorhub readme "))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def start(data: Path, tmp_path: Path, *arguments: str, **environment: str) -> Process:
    """`floorhub up`, its output in a file."""
    packages = {name: value for name, value in os.environ.items() if name in ("FLOORHUB_PACKAGES", "HOME")}
    argv = [sys.executable, "-m", "hub", "up", *arguments]
    log = tmp_path / f"up-{time.monotonic_ns()}.log"
    environment |= {**packages, "FLOORHUB_DATA": str(data), "LANG": "C.UTF-8"}
    return Process("floorhub up", argv, environment, log).start()


def wait_for(process: Process, text: str) -> str:
    """The output once it has `text`."""

    def found() -> str | None:
        output = process.log.read_text()
        assert process.process.poll() is None, output
        return output if text in output else None

    return until(found, text, 90)


def floorhub(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program beside it."""
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        env={"PATH": os.environ["PATH"], "FLOORHUB_DATA": str(data), "LANG": "C.UTF-8"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def example(name: str, file: str) -> str:
    """The fenced block after its marker."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found = re.search(rf"<!-- example: {name} -->\n```sh\n(.*?)\n```", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_once_prints_a_page_and_ends(data: Path, tmp_path: Path) -> None:
    process = start(data, tmp_path, "--once")

    assert process.process.wait(90) == 0, process.tail()
    output = process.log.read_text()
    for hop in ("stored by the hub", "handed out", "in the agent's journal", "started", "completed"):
        assert hop in output
    effects = (data / "printer" / "effects.jsonl").read_text().splitlines()
    assert len(effects) == 1


@pytest.mark.parametrize("file", ["README.md", "README.ko.md"])
def test_the_example_pasted_as_it_is_prints_the_same_bytes(data: Path, tmp_path: Path, file: str) -> None:
    process = start(data, tmp_path)
    output = wait_for(process, "Stop with Ctrl-C")

    assert "The command before it: print" in output
    assert str(data / "admin.key") in output
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example("print", file)],
        env={"PATH": os.environ["PATH"], "FLOORHUB_DATA": str(data), "LANG": "C.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    process.process.send_signal(signal.SIGINT)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("completed ")
    assert "2 copies, two-sided-long-edge" in done.stdout
    assert process.process.wait(30) == 0


def descendants(pid: int) -> set[int]:
    """The processes below a process, at any depth."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(entry.parent.name)] = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
    found, new = set[int](), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def test_killed_in_mid_print_it_leaves_no_process_and_starts_again(data: Path, tmp_path: Path) -> None:
    process = start(data, tmp_path)
    wait_for(process, "Stop with Ctrl-C")
    printed = (data / "printer" / "effects.jsonl").read_text()
    seconds = data / "printer" / "control" / "seconds"
    seconds.write_text("600")
    seconds.chmod(0o644)
    sent = floorhub(data, "print", "--test-page", "--wait", "0", "--json")
    command_id = json.loads(sent.stdout)["id"]
    until(lambda: "running" in floorhub(data, "show", command_id).stdout, "it prints")
    names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in descendants(process.process.pid)}
    assert {"postgres", "mosquitto", "ippeveprinter", "print_command.s", "timeout"} <= set(names.values())

    process.kill()

    # Far less than what agent, hub and printer take to end in peace while they have work.
    until(lambda: not [name for pid, name in names.items() if Path(f"/proc/{pid}").exists()], "all gone", 5)
    seconds.unlink()
    again = start(data, tmp_path, "--once")
    assert again.process.wait(90) == 0, again.tail()
    assert (data / "printer" / "effects.jsonl").read_text().startswith(printed)
    assert command_id not in (data / "printer" / "effects.jsonl").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["hub.cli\n", "Starting Postgres"])
def test_stopped_during_its_start_it_shows_no_stack(
    data: Path, tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    # Python tells each module that it has read; the first of ours come long before the last.
    loading = {"PYTHONPROFILEIMPORTTIME": "1"} if moment.startswith("hub") else {}
    process = start(data, tmp_path, "--once", **loading)
    wait_for(process, moment)
    process.process.send_signal(number)

    code = process.process.wait(30)

    # Before the program begins, the signal itself ends it.
    assert code == (-number if loading else 130), process.tail()
    assert "Traceback" not in process.log.read_text()


def test_a_second_one_on_the_same_folder_says_who_holds_it(data: Path, tmp_path: Path) -> None:
    process = start(data, tmp_path)
    wait_for(process, "Stop with Ctrl-C")

    second = start(data, tmp_path)

    assert second.process.wait(30) == 2
    assert f"in use by process {process.process.pid}" in second.log.read_text()
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(30) == 0
