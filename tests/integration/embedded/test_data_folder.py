"""The data folder: who may enter, and that two hubs never share one."""

import os
import pwd
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hub.programs.embedded import data_folder as module
from hub.programs.embedded.data_folder import DataFolder, default_root, write_private
from hub.programs.embedded.errors import EmbeddedError
from tests.support.folders import open_folder

AS_ROOT = os.geteuid() == 0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_closed_to_others(data_folder: DataFolder) -> None:
    folders = [data_folder.postgres, data_folder.broker, data_folder.printer, data_folder.keys, data_folder.agent]
    assert {folder.name: mode(folder) for folder in folders} == dict.fromkeys([f.name for f in folders], 0o700)


def test_children_own_their_folders_and_ours_stay_ours(data_folder: DataFolder) -> None:
    children = data_folder.user.uid if data_folder.user else os.geteuid()
    assert (children == 0) is False
    assert {f.stat().st_uid for f in (data_folder.postgres, data_folder.broker, data_folder.printer)} == {children}
    assert {f.stat().st_uid for f in (data_folder.keys, data_folder.logs, data_folder.run)} == {os.geteuid()}


def test_preparing_twice_changes_nothing(data_folder: DataFolder) -> None:
    (data_folder.keys / "kept").write_text("x")
    assert DataFolder.prepare(data_folder.root) == data_folder
    assert (data_folder.keys / "kept").read_text() == "x"


def test_the_lock_names_its_holder_and_ends_with_it(data_folder: DataFolder) -> None:
    hold = (
        "import sys, pathlib; from hub.programs.embedded.data_folder import DataFolder\n"
        "with DataFolder.prepare(pathlib.Path(sys.argv[1])).locked(): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(data_folder.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(EmbeddedError, match=f"in use by process {holder.pid}"), data_folder.locked():
            pass
        holder.kill()
    with data_folder.locked():
        pass


@pytest.mark.skipif(not AS_ROOT, reason="only root hands folders to another user")
def test_a_folder_that_children_cannot_reach_is_refused_and_no_parent_is_opened() -> None:
    with tempfile.TemporaryDirectory() as closed:  # mode 0700
        with pytest.raises(EmbeddedError, match="may not enter"):
            DataFolder.prepare(Path(closed) / "data")
        assert mode(Path(closed)) == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="only root hands folders to another user")
def test_a_link_left_by_a_child_is_not_given_to_it(data_folder: DataFolder, tmp_path: Path) -> None:
    (data_folder.broker / "persistence").symlink_to(tmp_path)
    with pytest.raises(OSError, match="persistence"):
        module.own_folder(data_folder.broker / "persistence", data_folder.user)
    assert tmp_path.stat().st_uid == 0


def test_a_private_file_replaces_a_link_instead_of_following_it(data_folder: DataFolder, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("untouched")
    target = data_folder.broker / "file"
    target.symlink_to(precious)
    write_private(target, "new", data_folder.user)
    assert (precious.read_text(), target.read_text(), mode(target)) == ("untouched", "new", 0o600)


def test_the_place_follows_the_environment() -> None:
    assert default_root({"FLOORHUB_DATA": "/srv/hub"}) == Path("/srv/hub")
    if not AS_ROOT:
        assert default_root({"XDG_DATA_HOME": "/home/x/share"}) == Path("/home/x/share/floorhub")
    else:
        assert default_root({}) == Path("/var/lib/floorhub")


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b[2Jb", "caf\udce9"])
def test_a_name_that_files_of_settings_cannot_contain_is_refused(name: str) -> None:
    with open_folder("odd") as base:
        with pytest.raises(EmbeddedError, match=module.VARIABLE) as refused:
            DataFolder.prepare(base / name)
        assert refused.value.sentence.isprintable()
        assert list(base.iterdir()) == []


def test_a_strict_umask_does_not_close_folders_that_were_made_for_it() -> None:
    prepare = (
        "import os, pathlib, sys; from hub.programs.embedded.data_folder import DataFolder\n"
        "os.umask(0o077); DataFolder.prepare(pathlib.Path(sys.argv[1]))"
    )
    with open_folder("umask") as base:
        subprocess.run([sys.executable, "-c", prepare, str(base / "new" / "data")], check=True)
        assert mode(base / "new") == (0o755 if AS_ROOT else 0o700)


def test_a_home_is_found_without_the_variable_and_relative_names_do_not_count() -> None:
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    expected = Path("/var/lib/floorhub") if AS_ROOT else home / ".local" / "share" / "floorhub"
    assert [default_root(env) for env in ({}, {"HOME": ""}, {"HOME": str(home), "XDG_DATA_HOME": "x"})] == [
        expected
    ] * 3
