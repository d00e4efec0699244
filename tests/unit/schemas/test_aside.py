"""What is moved aside overwrites nothing, whatever the clock says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub import staged_files
from schemas import aside

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)


def make(path: Path, kind: str, word: str) -> None:
    if kind == "folder":
        path.mkdir()
        (path / "note").write_text(word)
    elif kind == "link":
        path.symlink_to(word)
    else:
        path.write_text(word)


def read(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return ((path / "note") if path.is_dir() else path).read_text()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_two_in_one_second_and_a_clock_set_back_keep_all(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "root.key"
    kept = []
    for number, at in enumerate((NOW, NOW, NOW + timedelta(seconds=1), NOW, NOW + timedelta(seconds=1))):
        make(path, kind, f"no. {number}")
        kept.append(aside.move(path, "replaced", at=at))
        assert not path.exists()
    assert [read(one) for one in kept] == [f"no. {number}" for number in range(5)]
    assert [one.name.removeprefix("root.key.replaced-") for one in kept] == [
        "20261129T080000Z",
        "20261129T080000Z_2",
        "20261129T080001Z",
        "20261129T080000Z_3",
        "20261129T080001Z_2",
    ]


def test_kinds_do_not_mix_and_a_dangling_link_keeps_its_name(tmp_path: Path) -> None:
    for kind in ("link", "folder", "file"):
        make(tmp_path / "key", kind, kind)
        aside.move(tmp_path / "key", "replaced", at=NOW)
    assert sorted(read(one) for one in tmp_path.glob("key.replaced-*") if one.is_symlink() or one.exists()) == [
        "file",
        "folder",
        "link",
    ]


def test_parts_stay_together_also_when_a_part_of_an_earlier_one_is_all_that_is_left(tmp_path: Path) -> None:
    (tmp_path / "journal.db.unreadable-20261129T080000Z-wal").write_text("earlier")
    for suffix in ("", "-wal"):
        (tmp_path / f"journal.db{suffix}").write_text(f"now{suffix}")
    kept = aside.move(tmp_path / "journal.db", "unreadable", ("-wal", "-shm"), at=NOW)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {
        "journal.db.unreadable-20261129T080000Z-wal": "earlier",
        kept.name: "now",
        f"{kept.name}-wal": "now-wal",
    }


def test_what_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        aside.move(tmp_path / "nothing", "replaced")


def test_keys_that_are_replaced_faster_than_a_clock_ticks_are_all_kept(tmp_path: Path) -> None:
    file = tmp_path / "root.key"
    for number in range(50):
        staged_files.stage(file, str(number))
        staged_files.finish(file, keep_old=True)
    kept = sorted(int(one.read_text()) for one in tmp_path.glob("root.key.replaced-*"))
    assert (kept, file.read_text()) == ([*range(49)], "49")
