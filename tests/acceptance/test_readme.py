"""The README as a new user follows it: `floorhub up`, the example pasted as it is, stop, and start again."""

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


def start(data: Path, tmp_path: Path, *arguments: str) -> Process:
    """`floorhub up`, its output in a file."""
    packages = {name: value for name, value in os.environ.items() if name in ("FLOORHUB_PACKAGES", "HOME")}
    argv = [sys.executable, "-m", "hub", "up", *arguments]
    log = tmp_path / f"up-{time.monotonic_ns()}.log"
    return Process("floorhub up", argv, {**packages, "FLOORHUB_DATA": str(data), "LANG": "C.UTF-8"}, log).start()


def wait_for(process: Process, text: str) -> str:
    """The output once it has `text`."""

    def found() -> str | None:
        output = process.log.read_text()
        assert process.process.poll() is None, output
        return output if text in output else None

    return until(found, text, 90)


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


def test_killed_it_leaves_no_child_and_starts_again(data: Path, tmp_path: Path) -> None:
    process = start(data, tmp_path)
    wait_for(process, "Stop with Ctrl-C")
    children = [int(note.read_text().split()[0]) for note in (data / "run").iterdir()]
    assert len(children) >= 5

    process.kill()

    until(lambda: not [pid for pid in children if Path(f"/proc/{pid}").exists()], "every child gone")
    again = start(data, tmp_path, "--once")
    assert again.process.wait(90) == 0, again.tail()


def test_a_second_one_on_the_same_folder_says_who_holds_it(data: Path, tmp_path: Path) -> None:
    process = start(data, tmp_path)
    wait_for(process, "Stop with Ctrl-C")

    second = start(data, tmp_path)

    assert second.process.wait(30) == 2
    assert f"in use by process {process.process.pid}" in second.log.read_text()
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(30) == 0
