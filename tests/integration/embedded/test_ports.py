"""Ports: the wanted one when it is free, the same again next time."""

import json
import os
import socket
from pathlib import Path

from hub.programs.embedded.ports import ChosenPort, PortBook, is_free, listens


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_a_taken_port_is_replaced_and_the_replacement_kept(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    with listening() as taken:
        wanted = taken.getsockname()[1]
        chosen = PortBook(file).choose("mqtt", wanted)
        assert chosen.number != wanted
        assert (chosen.instead_of, chosen.why) == (wanted, f"Port {wanted} is taken, so mqtt uses {chosen.number}.")
        assert PortBook(file).choose("mqtt", wanted) == chosen

    kept = PortBook(file).choose("mqtt", wanted)

    assert (kept.number, kept.instead_of) == (chosen.number, wanted)
    assert f"Port {wanted} is free again" in kept.why
    assert f"delete {file}" in kept.why
    file.unlink()
    assert PortBook(file).choose("mqtt", wanted) == ChosenPort(wanted)


def test_a_replacement_that_is_taken_gives_way_to_the_wanted_port(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json")
    with listening() as taken:
        wanted = taken.getsockname()[1]
        replacement = book.choose("mqtt", wanted).number
    with socket.create_server(("127.0.0.1", replacement)):
        assert book.choose("mqtt", wanted) == ChosenPort(wanted)


def test_asking_for_another_port_forgets_the_kept_one(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json")
    first = book.choose("mqtt", 0).number
    with listening() as free:
        other = free.getsockname()[1]
    chosen = book.choose("mqtt", other)
    assert (chosen.number, chosen.instead_of) == (other, None)
    assert first != other


def test_no_two_services_get_the_same_port(tmp_path: Path) -> None:
    """The neighbour of a port that is taken is another service's own one, and nobody listens yet."""
    book = PortBook(tmp_path / "ports.json")
    with listening() as taken:
        wanted = taken.getsockname()[1]
        https = book.choose("https", wanted).number
        status = book.choose("edge-status", https)
        assert status.number != https
        assert status.why == f"Port {https} is taken, so edge-status uses {status.number}."
        assert book.choose("https", wanted).number == https
        kept = {"https": {"wanted": wanted, "port": https}, "edge-status": {"wanted": https, "port": https}}
        (tmp_path / "ports.json").write_text(json.dumps(kept))
        again = book.choose("https", wanted).number, book.choose("edge-status", https).number
        assert again[0] != again[1], "of a version that gave both the same"


def test_a_damaged_file_only_costs_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    for content in ("", "{", "[]", '{"mqtt": 5}', '{"mqtt": {"wanted": 1}}', "[" * 50_000):
        file.write_text(content)
        chosen = PortBook(file).choose("mqtt", 0)
        assert is_free(chosen.number)
        assert f"{file} is damaged" in chosen.why
        assert PortBook(file).choose("mqtt", 0).why == ""


def test_a_listener_is_attributed_to_its_process() -> None:
    with listening() as ours:
        port = ours.getsockname()[1]
        assert listens(os.getpid(), port)
        assert not listens(os.getppid(), port)
    assert not listens(os.getpid(), port)
