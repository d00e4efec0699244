"""The archive: whole lines, on the disk, for its owner alone."""

import fcntl
import gzip
import os
import stat
import threading
from datetime import date
from pathlib import Path

import pytest

from hub.features.retention.service.archive import Archive, ArchiveError

DAY = date(2026, 11, 21)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def test_only_its_owner_may_read_it(archive: Archive) -> None:
    archive.append("commands", DAY, ["{}"])
    [file] = archive.folder.iterdir()
    assert stat.S_IMODE(archive.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_a_crash_cut_off_in_the_middle_of_a_line_is_no_line(archive: Archive) -> None:
    archive.append("commands", DAY, ['{"id": 1}', '{"id": 2}'])
    file = archive.folder / "commands-2026-11-21.jsonl"
    with file.open("ab") as torn:
        torn.write(b'{"id": 3, "row": "' + b"x" * 100_000)
    archive.append("commands", DAY, ['{"id": 3}'])
    assert file.read_text() == '{"id": 1}\n{"id": 2}\n{"id": 3}\n'
    file.write_bytes(b'{"id"')
    archive.append("commands", DAY, ['{"id": 1}'])
    assert file.read_text() == '{"id": 1}\n'


def test_lines_that_could_not_be_synced_are_not_in_the_file(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.append("keys", DAY, ["1"])
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(ArchiveError) as caught:
            archive.append("keys", DAY, ["2"])
    assert caught.value.params["reason"] == "No space left on device"
    assert (archive.folder / "keys-2026-11-21.jsonl").read_text() == "1\n"


def test_a_folder_that_cannot_be_made_is_told_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError):
        Archive(tmp_path / "file" / "archive").probe()


def test_days_that_are_over_are_packed_and_nothing_is_lost_when_one_comes_again(archive: Archive) -> None:
    archive.append("commands", date(2026, 11, 20), ["1"])
    archive.append("commands", DAY, ["3"])
    archive.pack(DAY)
    archive.append("commands", date(2026, 11, 20), ["2"])
    archive.pack(DAY)
    files = sorted(file.name for file in archive.folder.iterdir())
    assert files == [
        "commands-2026-11-20.jsonl.2.gz",
        "commands-2026-11-20.jsonl.gz",
        "commands-2026-11-21.jsonl",
    ]
    packed = [gzip.decompress((archive.folder / name).read_bytes()) for name in files[:2]]
    assert packed == [b"2\n", b"1\n"]
    assert stat.S_IMODE((archive.folder / files[0]).stat().st_mode) == 0o600


def test_what_another_writes_just_now_is_not_taken_for_a_torn_line(archive: Archive) -> None:
    archive.append("commands", DAY, ["1"])
    file = archive.folder / "commands-2026-11-21.jsonl"
    second = threading.Thread(target=archive.append, args=("commands", DAY, ["3"]))
    with file.open("a", buffering=1) as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write('"two')
        first.flush()
        second.start()
        while second.is_alive() and not _waits_for(file):
            pass
        first.write(' halves"\n')
    second.join(10)
    assert file.read_text() == '1\n"two halves"\n3\n'


def _waits_for(file: Path) -> bool:
    """Whether a process waits for a lock of this file; see proc_locks(5)."""
    waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return any(words[-3].endswith(f":{file.stat().st_ino}") for words in waiting)
