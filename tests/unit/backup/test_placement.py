"""The files of a restore overwrite nothing, whatever the clock says, and go back as they were."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.errors import SetupError
from hub.programs.backup.placement import Placement
from hub.programs.backup.restoring import names_beside

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)


def staged(folder: Path, word: str) -> Path:
    (folder / word).mkdir()
    for name in ("admin.key", "settings.env"):
        (folder / word / name).write_text(word)
    return folder / word


def test_restores_of_one_second_keep_what_each_found(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "admin.key").write_text("first")
    (data / "before-restore-20260101T000000Z").mkdir()
    found = []
    for word in ("second", "third", "fourth"):
        placement = Placement(staged(tmp_path, word), data, NOW, embedded=False)
        kept = placement.put()
        assert placement.settings is not None
        found.append(((kept / "admin.key").read_text(), placement.settings.read_text()))
    assert found == [("first", "second"), ("second", "third"), ("third", "fourth")]
    assert sorted(one.name for one in data.glob("before-restore-20261129*")) == [
        "before-restore-20261129T080000Z",
        "before-restore-20261129T080000Z_2",
        "before-restore-20261129T080000Z_3",
    ]
    assert sorted(one.read_text() for one in data.glob("settings-*.env")) == ["fourth", "second", "third"]


def test_settings_of_an_earlier_restore_stay_when_its_folder_was_deleted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "settings-20261129T080000Z.env").write_text("compared later")
    kept = Placement(staged(tmp_path, "new"), data, NOW, embedded=False).put()
    assert kept.name == "before-restore-20261129T080000Z_2"
    assert (data / "settings-20261129T080000Z.env").read_text() == "compared later"
    assert (data / "settings-20261129T080000Z_2.env").read_text() == "new"


def test_what_is_taken_back_names_no_settings(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "admin.key").write_text("first")
    placement = Placement(staged(tmp_path, "new"), data, NOW, embedded=False)
    (data / "archive").write_text("a file where a folder belongs")
    (tmp_path / "new" / "archive").mkdir()
    (tmp_path / "new" / "archive" / "day.jsonl").write_text("{}")
    with pytest.raises(SetupError):
        placement.put()
    assert (placement.settings, (data / "admin.key").read_text()) == (None, "first")


def test_what_is_kept_belongs_to_the_user_of_the_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "keys").mkdir(parents=True)
    (data / "keys" / "root.key").write_text("first")
    new = staged(tmp_path, "new")
    (new / "keys").mkdir()
    (new / "keys" / "root.key").write_text("second")
    if os.geteuid() == 0:
        os.chown(data, 4_321, 4_321)
    placement = Placement(new, data, NOW, embedded=False)

    kept = placement.put()

    owner = data.stat().st_uid
    assert {path.stat().st_uid for path in (kept, *kept.rglob("*"), data / "keys" / "root.key")} == {owner}


def test_what_a_killed_restore_moved_comes_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "admin.key").write_text("first")
    kept = Placement(staged(tmp_path, "killed"), data, NOW, embedded=False).put()
    (kept / "lost.jsonl").write_text("{}")

    Placement(staged(tmp_path, "next"), data, NOW, embedded=False).take_back(kept)

    assert (data / "admin.key").read_text() == "first"
    assert not kept.exists()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "admin.key").write_text("not ours")
    Placement(staged(tmp_path, "third"), data, NOW, embedded=False).take_back(elsewhere)
    assert (data / "admin.key").read_text() == "first"


@pytest.mark.parametrize("name", ["floorhub", "Floorhub", "x" * 63, "데이터" * 7, "İ" * 31])
def test_names_of_databases_keep_their_time_and_fit(name: str) -> None:
    made = [one for stamp in ("20261129T080000Z", "20261129T080000Z_9999") for one in names_beside(name, stamp)]
    assert len(set(made)) == 4
    assert all(len(one.encode()) <= 63 and one != name and one == one.lower() for one in made)
    assert all(one.startswith(names_beside(name, "")[0]) for one in made[::2])


def test_an_authority_takes_the_place_of_the_one_here_and_goes_back_with_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    new = staged(tmp_path, "new")
    for folder, word in ((data, "here"), (new, "of the backup")):
        (folder / "authority").mkdir(parents=True)
        for name in ("authority.key", "authority.pem"):
            (folder / "authority" / name).write_text(word)
    placement = Placement(new, data, NOW, embedded=True)

    kept = placement.put()

    assert {file.read_text() for file in (data / "authority").iterdir()} == {"of the backup"}
    assert {file.read_text() for file in (kept / "authority").iterdir()} == {"here"}
    placement.undo()
    assert {file.read_text() for file in (data / "authority").iterdir()} == {"here"}
    assert not kept.exists()
