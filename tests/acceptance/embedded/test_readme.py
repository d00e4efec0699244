"""The README as a new user follows it: `floorhub up`, the example pasted as it is, stop, and start again."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.folders import open_folder
from tests.support.paths import ROOT
from tests.support.site import Process
from tests.support.waiting import until

Start = Callable[..., Process]


@pytest.fixture(autouse=True)
def _printer_is_well() -> None:
    """This module has a printer of its own."""


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with open_folder("the readme") as folder:
        yield folder


@pytest.fixture
def start(data: Path, tmp_path: Path) -> Iterator[Start]:
    """Start `floorhub up`, its output in a file. What a test leaves running ends with it."""
    started: list[Process] = []

    def begin(*arguments: str, **environment: str) -> Process:
        started.append(launch(data, tmp_path, *arguments, **environment))
        return started[-1]

    yield begin
    for process in started:
        process.stop()


def launch(data: Path, tmp_path: Path, *arguments: str, **environment: str) -> Process:
    """`floorhub up` as a process."""
    packages = {name: value for name, value in os.environ.items() if name in ("FLOORHUB_PACKAGES", "HOME")}
    argv = [sys.executable, "-m", "hub", "up", *arguments]
    log = tmp_path / f"up-{time.monotonic_ns()}.log"
    environment |= {**packages, "FLOORHUB_DATA_DIR": str(data), "LANG": "C.UTF-8"}
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
        env={"PATH": os.environ["PATH"], "FLOORHUB_DATA_DIR": str(data), "LANG": "C.UTF-8"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def paste(script: str, data: Path, tmp_path: Path, options: str = "-euo") -> subprocess.CompletedProcess[str]:
    """Run a script as a person pastes it, on a machine whose way to the internet is a proxy that is not there."""
    proxy = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    return subprocess.run(
        ["bash", options, "pipefail", "-c", script],
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path),
            "FLOORHUB_DATA_DIR": str(data),
            "LANG": "C.UTF-8",
            **proxy,
        },
        cwd=tmp_path,
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


def test_once_prints_a_page_and_ends(data: Path, start: Start) -> None:
    process = start("--once")

    assert process.process.wait(90) == 0, process.tail()
    output = process.log.read_text()
    for step in ("stored by the hub", "handed out", "in the agent's journal", "started", "completed"):
        assert step in output
    effects = (data / "printer" / "effects.jsonl").read_text().splitlines()
    assert len(effects) == 1


@pytest.mark.parametrize("file", ["README.md", "README.ko.md"])
def test_the_example_pasted_as_it_is_prints_the_same_bytes(data: Path, start: Start, tmp_path: Path, file: str) -> None:
    process = start()
    assert str(data / "admin.key") in wait_for(process, "Stop with Ctrl-C")
    done = paste(example("print", file), data, tmp_path)
    process.process.send_signal(signal.SIGINT)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("completed ")
    assert "2 copies, two-sided-long-edge" in done.stdout
    assert process.process.wait(30) == 0
    for folder in (data, tmp_path):  # a hub that was stopped, and one that never was
        without = paste(example("print", file), folder, tmp_path)
        assert without.returncode == 1
        assert "make run" in without.stderr
        assert "Traceback" not in without.stderr


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


def test_the_quick_start_followed_command_by_command(data: Path, start: Start, tmp_path: Path) -> None:
    wait_for(start(), "Stop with Ctrl-C")
    effects = data / "printer" / "effects.jsonl"
    before = len(effects.read_text().splitlines())

    def follow(*names: str, code: int = 0) -> str:
        blocks = "\n".join(example(name, "docs/quick-start.md") for name in names)
        done = paste(f"umask 077\nDATA='{data}'\ncd '{ROOT}'\n{blocks}", data, tmp_path, options="-uo")
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    assert "online (birth)" in follow("look")
    assert len(re.findall("^completed(?:: .*)?$", follow("send", "send-any"), re.MULTILINE)) == 4
    assert "failed (job_aborted): " in follow("fail")
    last = follow("kill")
    assert "completed: " in last
    assert [json.loads(line)["copies"] for line in effects.read_text().splitlines()[before:]] == [1, 2, 1, 1]
    assert "Start its agent:" in follow("add", "printer")
    waiting, running = example("start", "docs/quick-start.md").splitlines()
    assert "pending: not ended yet" in paste(waiting, data, tmp_path).stdout
    printed = tmp_path / "pc-2" / "out"
    agent = f"{running} & trap 'kill $!; wait' EXIT; until ls '{printed}' | grep -q pdf; do sleep 0.1; done"
    assert paste(agent, data, tmp_path).returncode == 0
    assert len(list(printed.glob("*.pdf"))) == 1


def names_of(pids: set[int]) -> dict[int, str]:
    """The programs of those processes that have not ended meanwhile."""
    names = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            names[pid] = Path(f"/proc/{pid}/comm").read_text().strip()
    return names


def runs(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def test_killed_in_mid_print_it_leaves_no_process_and_starts_again(data: Path, start: Start) -> None:
    process = start()
    wait_for(process, "Stop with Ctrl-C")
    printed = (data / "printer" / "effects.jsonl").read_text()
    seconds = data / "printer" / "control" / "seconds"
    seconds.write_text("600")
    seconds.chmod(0o644)
    sent = floorhub(data, "print", "--test-page", "--wait", "0", "--json")
    command_id = json.loads(sent.stdout)["id"]
    until(lambda: "running" in floorhub(data, "show", command_id).stdout, "it prints")
    names = names_of(descendants(process.process.pid))
    assert {"postgres", "mosquitto", "ippeveprinter", "print_command.s", "timeout"} <= set(names.values())

    process.kill()

    # Far less than what agent, hub and printer take to end in peace while they have work.
    until(lambda: not [name for pid, name in names.items() if runs(pid)], "all gone", 5)
    seconds.unlink()
    again = start("--once")
    assert again.process.wait(90) == 0, again.tail()
    assert f"The command before it: print {command_id}," in again.log.read_text()
    assert (data / "printer" / "effects.jsonl").read_text().startswith(printed)
    assert command_id not in (data / "printer" / "effects.jsonl").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["hub.programs.cli\n", "Starting Postgres"])
def test_stopped_during_its_start_it_shows_no_stack(start: Start, moment: str, number: signal.Signals) -> None:
    # Python tells each module that it has read; the first of ours come long before the last.
    loading = {"PYTHONPROFILEIMPORTTIME": "1"} if moment.startswith("hub") else {}
    process = start("--once", **loading)
    wait_for(process, moment)
    process.process.send_signal(number)

    code = process.process.wait(30)

    # Before the program begins, the signal itself ends it.
    assert code == (-number if loading else 130), process.tail()
    assert "Traceback" not in process.log.read_text()


def test_it_prints_from_named_folders_and_a_second_one_says_who_holds_the_data(
    data: Path, start: Start, tmp_path: Path
) -> None:
    label = tmp_path / "label.txt"
    label.write_text("order 7")
    process = start(FLOORHUB_DOCUMENT_FOLDERS=str(tmp_path), FLOORHUB_KEEP_AUDIT_DAYS="9")
    said = wait_for(process, "Stop with Ctrl-C")
    assert "Ignored, since `make run` decides them itself: FLOORHUB_KEEP_AUDIT_DAYS." in said
    payload = json.dumps({"printer": "office", "document": {"path": str(label)}})
    done = floorhub(data, "send", "front-desk", "print", "--payload", payload)
    assert done.returncode == 0, done.stderr

    second = start()

    assert second.process.wait(30) == 2
    assert f"in use by process {process.process.pid}" in second.log.read_text()
    assert "Starting Postgres" not in second.log.read_text()
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(30) == 0


def assert_refused_to_restore(data: Path, tmp_path: Path, because: str) -> None:
    keys = (data / "keys/command.key").read_bytes()
    block = example("restore", "docs/how-to/operate.md")
    done = paste(block, data, tmp_path, "-o")
    assert done.returncode == 2
    assert because in done.stderr
    assert "Traceback" not in done.stderr
    assert (data / "keys/command.key").read_bytes() == keys


def test_a_backup_is_restored_into_the_same_and_a_new_folder_as_the_page_says(
    data: Path, start: Start, tmp_path: Path
) -> None:
    def follow(folder: Path, *names: str) -> str:
        blocks = "\n".join(example(name, "docs/how-to/operate.md") for name in names)
        done = paste(f"DATA='{folder}'\n{blocks}", folder, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    process = start()
    wait_for(process, "Stop with Ctrl-C")
    sent = floorhub(data, "print", "--test-page", "--json")
    follow(data, "address", "backup")

    # As a person pastes it, into a shell that goes on after a failure: nothing is replaced beside a hub that runs.
    rotated = floorhub(data, "keys", "rotate", "command")
    assert rotated.returncode == 0, rotated.stderr
    wait_for(process, "hub runs again")
    until(lambda: floorhub(data, "print", "--test-page").returncode == 0, "a page with the new key", 30)
    assert_refused_to_restore(data, tmp_path, f"The data folder {data} is in use by process")
    process.process.send_signal(signal.SIGINT)
    assert process.process.wait(30) == 0
    stopped = floorhub(data, "backup", str(tmp_path / "stopped.backup"))  # Postgres is started for it alone
    assert stopped.returncode == 0, stopped.stderr
    (tmp_path / "stopped.backup").unlink()
    backup = tmp_path / "floorhub.backup"
    assert backup.stat().st_mode & 0o077 == 0
    assert sorted(file.name for file in tmp_path.iterdir() if not file.name.startswith("up-")) == ["floorhub.backup"]

    # Nor by a file that ends early.
    whole = backup.read_bytes()
    backup.write_bytes(whole[: len(whole) // 2])
    assert_refused_to_restore(data, tmp_path, "Nothing was changed")
    backup.write_bytes(whole)

    # The agent knows the key that is newer than the backup, and obeys the hub that has the one of before.
    said = follow(data, "restore")
    assert "Lost: 1 command (1 completed)." in said, said
    again = launch(data, tmp_path)
    try:
        said = wait_for(again, "Stop with Ctrl-C")
        assert f"The command before it: print {json.loads(sent.stdout)['id']}, completed" in said
        assert floorhub(data, "print", "--test-page").returncode == 0
    finally:
        again.stop()

    with open_folder("restored") as folder:
        follow(folder, "restore")
        again = launch(folder, tmp_path)
        try:
            # The client, its secret, the keys that its agent trusts and the commands are those of before.
            said = wait_for(again, "Stop with Ctrl-C")
            assert f"The command before it: print {json.loads(sent.stdout)['id']}, completed" in said
            assert (folder / "admin.key").read_bytes() == (data / "admin.key").read_bytes()
            assert floorhub(folder, "print", "--test-page").returncode == 0
            examined = floorhub(folder, "doctor", "--json")
            levels = {item["code"]: item["level"] for item in json.loads(examined.stdout)["findings"]}
            assert examined.returncode == 0, examined.stdout
            assert {"hub_ok", "database_ok", "rules_ok", "published_ok", "keys_ok", "admin_ok"} <= set(levels)
        finally:
            again.stop()


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        *(
            ("PORT", port, "use a whole number from 0 to 65535")
            for port in ("eighty", "-1", "65536", "8080.5", "\u0661")
        ),
        ("FETCH_PRIVATE", "maybe", "use true or false"),
        ("DOCUMENT_FOLDERS", "here", "give absolute paths of folders, not the root"),
    ],
)
def test_a_setting_that_is_wrong_is_said_before_anything_starts(
    tmp_path: Path, name: str, value: str, remedy: str
) -> None:
    with open_folder("no port") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "hub", "up"],
            env={**os.environ, "FLOORHUB_DATA_DIR": str(folder), f"FLOORHUB_{name}": value, "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert f"FLOORHUB_{name} is {value!r}: {remedy}." in done.stderr
        assert list(folder.iterdir()) == []
