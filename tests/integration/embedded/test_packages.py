"""Unpacked programs: the same on every machine, reachable for who runs them, whole or not there at all."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hub.programs.embedded import debian, service_user
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.mosquitto import flaw
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.postgres import shared_memory
from tests.support.folders import open_folder

INSTALLED = """\
Package: {name}
Status: install ok installed
Version: 999
Architecture: {architecture}
Description: as if it were installed

"""


def test_what_is_unpacked_does_not_depend_on_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has a library must not get a folder without it."""
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout
    status = tmp_path / "status"
    status.write_text(INSTALLED.format(name="libunwind8", architecture=architecture.strip()))
    config = tmp_path / "apt.conf"
    config.write_text(f'Dir::State::status "{status}";\n')
    monkeypatch.setenv("APT_CONFIG", str(config))
    target = tmp_path / "unpacked"
    target.mkdir()

    debian.unpack("strace", target)

    assert (target / "usr/bin/strace").exists()
    assert list(target.rglob("libunwind.so.8")) != []
    assert list(target.rglob("libc.so.*")) == []  # a process has one C library: the machine's


def test_a_strict_umask_closes_the_folder_to_nobody_who_runs_its_programs() -> None:
    fill = "\n".join(
        (
            "import os, pathlib, sys",
            "from hub.programs.embedded.packages import Packages",
            "os.umask(0o077)",
            "root = pathlib.Path(sys.argv[1])",
            "made = Packages(root).folder('thing', lambda folder: (folder / 'file').touch())",
        )
    )
    with open_folder("umask") as base:
        root = base / "new" / "packages"
        subprocess.run([sys.executable, "-c", fill, str(root)], check=True)
        assert (root / "thing" / "file").exists()
        # Root's programs run as another user; an ordinary user's own run as itself.
        as_root = os.geteuid() == 0
        assert service_user.blocked_at(root / "thing") == (None if as_root else base / "new")

        root.chmod(0o700)  # as an earlier version left it
        subprocess.run([sys.executable, "-c", fill, str(root)], check=True)
        assert stat.S_IMODE(root.stat().st_mode) == (0o701 if as_root else 0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's programs run as another user")
def test_a_folder_in_somebodys_closed_home_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(EmbeddedError, match="FLOORHUB_PACKAGES") as refused:
        Packages(tmp_path / "packages").folder("thing", lambda _: pytest.fail("it was filled"))
    assert "closed" in refused.value.sentence
    assert "FLOORHUB_PACKAGES" in refused.value.korean


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_done() -> None:
    def run_out(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with open_folder("full") as root:
        with pytest.raises(EmbeddedError, match="No space left"):
            Packages(root).folder("thing", run_out)
        assert [entry.name for entry in root.iterdir()] == [".lock"]


def test_what_a_killed_start_left_behind_is_removed_by_the_next() -> None:
    with open_folder("killed") as root:
        die = (
            "import os, pathlib, signal, sys; from hub.programs.embedded.packages import Packages\n"
            "Packages(pathlib.Path(sys.argv[1])).folder('thing', lambda _: os.kill(os.getpid(), signal.SIGKILL))"
        )
        subprocess.run([sys.executable, "-c", die, str(root)], check=False)
        assert len([entry for entry in root.iterdir() if entry.is_dir()]) == 1
        Packages(root).folder("thing", lambda folder: (folder / "whole").touch())
        assert sorted(entry.name for entry in root.iterdir()) == [".lock", "thing"]


@pytest.mark.parametrize("name", ["a\nb", "a\x7fb", "caf\udce9", "a:b"])
def test_a_name_that_settings_cannot_contain_is_refused(name: str) -> None:
    with open_folder("odd") as base:
        with pytest.raises(EmbeddedError, match="FLOORHUB_PACKAGES") as refused:
            Packages(base / name).folder("thing", lambda _: None)
        assert refused.value.sentence.isascii()  # whatever the terminal can show
        assert refused.value.sentence.isprintable()


@pytest.mark.parametrize(
    ("says", "wrong"),
    [
        ("mosquitto version 1.6.12", "too old"),
        ("error while loading shared libraries", "does not run"),
        ("mosquitto version 2.0.11", ""),
        ("mosquitto version 2.1.0", ""),
    ],
)
def test_an_installed_broker_that_is_of_no_use_is_not_used(tmp_path: Path, says: str, wrong: str) -> None:
    program = tmp_path / "mosquitto"
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit 3\n")
    program.chmod(0o755)
    assert wrong in flaw(program)
    assert bool(flaw(program)) is bool(wrong)


def test_which_program_is_used_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with open_folder("own") as base:
        program = base / "a-broker"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f".:{base}:{os.environ['PATH']}")
        packages = Packages(base / "packages", said.append)
        assert packages.program("a-broker", "none").path == program
        assert packages.program("a-broker", "none").path == program
        assert said == [f"a-broker is installed on this machine and is used: {program}"]


def test_postgres_does_not_rely_on_shared_memory_that_is_missing_or_tiny(tmp_path: Path) -> None:
    assert shared_memory(tmp_path / "missing") == "mmap"
    assert shared_memory(Path("/proc")) == "mmap"  # a file system without any room
