"""The hub's Unix socket: who may open it, and what lies where it should be."""

import socket
import stat
from pathlib import Path

import pytest

from hub.api import unix_socket
from hub.errors import SetupError


def test_only_the_hubs_user_may_open_it(tmp_path: Path) -> None:
    path = tmp_path / "s"
    sock = unix_socket.listen(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
    unix_socket.close(sock, path)
    assert not path.exists()


def test_what_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    sock = unix_socket.listen(path)
    unix_socket.close(sock, path)


def test_one_that_another_hub_has_stays_its(tmp_path: Path) -> None:
    path = tmp_path / "s"
    sock = unix_socket.listen(path)
    with pytest.raises(SetupError, match="Another hub listens") as refused:
        unix_socket.listen(path)
    assert "다른 허브" in refused.value.korean
    path.unlink()
    another = unix_socket.listen(path)
    unix_socket.close(sock, path)
    assert path.exists()
    unix_socket.close(another, path)


def test_a_path_that_cannot_be_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path, sentence in (
        (tmp_path / "file", "is no socket"),
        (tmp_path / "none" / "s", "create its folder"),
        (tmp_path / ("x" * 100), "too long"),
    ):
        with pytest.raises(SetupError, match=sentence):
            unix_socket.listen(path)
    assert (tmp_path / "file").read_text() == "mine"
