"""Ports: the wanted one when it is free, the same again next time."""

import os
import socket
from pathlib import Path

from hub.embedded.ports import PortBook, is_free, listens


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_a_taken_port_is_replaced_and_the_replacement_kept(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json")
    with listening() as taken:
        wanted = taken.getsockname()[1]
        chosen = book.choose("mqtt", wanted)
        assert chosen.number != wanted
        assert chosen.instead_of == wanted
    assert is_free(wanted)
    assert PortBook(tmp_path / "ports.json").choose("mqtt", wanted) == chosen


def test_asking_for_another_port_forgets_the_kept_one(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json")
    first = book.choose("mqtt", 0).number
    other = book.choose("postgres", 0).number
    chosen = book.choose("mqtt", other)
    assert (chosen.number, chosen.instead_of) == (other, None)
    assert first != other


def test_a_damaged_file_only_costs_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    for content in ("", "{", "[]", '{"mqtt": 5}', '{"mqtt": {"wanted": 1}}'):
        file.write_text(content)
        assert is_free(PortBook(file).choose("mqtt", 0).number)


def test_a_listener_is_attributed_to_its_process() -> None:
    with listening() as ours:
        port = ours.getsockname()[1]
        assert listens(os.getpid(), port)
        assert not listens(os.getppid(), port)
    assert not listens(os.getpid(), port)
