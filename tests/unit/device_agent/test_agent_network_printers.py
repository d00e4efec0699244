"""Printers that announce themselves: what `avahi-browse` writes, and what strangers in the network may write there."""

from pathlib import Path

import pytest

from device_agent.pairing import network_printers

LINE = '=;eth0;IPv4;{name};{service};local;{host};192.0.2.9;631;"txtvers=1" "rp={path}" "ty=HP LaserJet" "pdl={pdl}"'
OFFICE = {"name": r"Office\0322F", "service": "_ipp._tcp", "host": "office.local", "path": "ipp/print"}


def announce(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A program that says these lines, of the service that it is asked for."""
    (folder / "lines").write_text("\n".join([*lines, ""]))
    program = folder / network_printers.PROGRAM
    program.write_text(f'#!/bin/sh\nfor last; do :; done\nexec grep -F ";$last;" "{folder}/lines"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def line(pdl: str = "application/pdf,image/urf", **fields: str) -> str:
    return LINE.format(**{**OFFICE, "pdl": pdl, **fields})


def test_a_printer_that_prints_pdf_is_found_once_and_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    announce(tmp_path, monkeypatch, line(), line(service="_ipps._tcp"), line(), "+;eth0;IPv4;Office;_ipp._tcp;local")
    (found,) = network_printers.hear()
    assert (found.name, found.uri, found.model) == ("Office 2F", "ipps://office.local:631/ipp/print", "HP LaserJet")


def test_a_printer_that_cups_has_already_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    announce(tmp_path, monkeypatch, line(), line(name="Labels", host="labels.local"))
    known = ["ipp://office.local:631/ipp/print", "LABELS"]
    assert network_printers.hear(known) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"pdl": "image/pwg-raster"},
        {"path": "ipp/print\x1b[2J"},
        {"path": "a b"},
        {"host": "evil host"},
        {"host": "x@y"},
        {"name": " "},
        {"name": r"\027\027"},
    ],
)
def test_what_strangers_announce_is_no_line_of_a_configuration(
    fields: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(tmp_path, monkeypatch, line(**fields))
    assert network_printers.hear() == []


def test_without_a_program_that_hears_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert network_printers.hear() == []
