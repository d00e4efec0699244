"""Telling about an effect does not decide its exit code, nor does the name of a file."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.support import cli
from tests.support.paths import ROOT
from tests.support.site import Site


def shell(site: Site, line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of a shell in which `$F` is the program; its exit code is what the line wrote to descriptor 3."""
    return subprocess.run(
        ["/bin/bash", "-c", f"exec 3>&1; {line}"],
        capture_output=True,
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "F": f"{sys.executable} -m hub",
            "FLOORHUB_URL": site.url,
            "FLOORHUB_KEY": site.key,
            **environment,
        },
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("line", "environment"),
    [
        ("$F client set {id} --zone '1층 ①🙂'; echo $? >&3", {"PYTHONIOENCODING": "latin-1", "LANG": "ko_KR"}),
        (
            "$F client set {id} --zone '1층 ①🙂'; echo $? >&3",
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        ),
        ("$F client set {id} --zone '1층 ①🙂' >/dev/full; echo $? >&3", {}),
        ("$F client set {id} --zone '1층 ①🙂' <&- >&- 2>&-; echo $? >&3", {}),
        ("( $F client set {id} --zone '1층 ①🙂' --json; echo $? >&3 ) | true", {}),
    ],
    ids=["latin_1", "posix_locale", "disk_full", "closed", "reader_gone"],
)
def test_a_change_ends_as_the_change_did(site: Site, line: str, environment: dict[str, str]) -> None:
    client = site.client()["id"]
    done = shell(site, line.format(id=client), **environment)
    assert b"Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1] == b"0"
    assert site.http.get(f"/api/clients/{client}").json()["zone"] == "1층 ①🙂"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("$F client list >/dev/full; echo $? >&3", b"1", b"Standard output does not take everything"),
        ("( $F client list; echo $? >&3 ) | true", b"0", b""),
        ("$F client limits nobody >/dev/full 2>/dev/full; echo $? >&3", b"7", b""),
    ],
    ids=["disk_full", "reader_gone", "an_error_stays_one"],
)
def test_a_question_whose_answer_is_lost_has_failed(site: Site, line: str, code: bytes, said: bytes) -> None:
    done = shell(site, line)
    assert done.stdout.splitlines()[-1] == code
    assert said in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (b"plain.txt", "plain.txt"),
        ("라벨-1001.txt".encode("cp949"), "라벨-1001.txt"),
        (b"\xff\xfe-1.txt", "\ufffd\ufffd-1.txt"),
        ("주문\\라벨.txt".encode(), "주문_라벨.txt"),
        (unicodedata.normalize("NFD", "주문.txt").encode(), "주문.txt"),
        (b"line\nbreak\x1b[2J\r.txt", "line break [2J .txt"),
        ("txt.\u202egpj\u200b".encode(), "txt. gpj"),
        (b"a" * 210 + b".txt", "a" * 200),
        (("가" * 80 + ".txt").encode(), "가" * 80 + ".txt"),
        (b"-n.txt", "-n.txt"),
        ("\u200b\u200b".encode(), "Untitled"),
    ],
)
def test_a_file_is_printed_whatever_its_name_is(site: Site, name: bytes, title: str, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(name)
    file.write_text("%PDF-1.4 Order 1001\n")
    client = site.client()["id"]
    where = ("--client", client, "--printer", "office", "--wait", "0", "--content-type", "application/pdf")
    command = cli.floorhub(site, "print", str(file), *where)
    assert command["payload"]["title"] == title


def test_an_empty_title_is_the_file_s_name(site: Site, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_text("%PDF-1.4")
    where = ("--client", site.client()["id"], "--printer", "office", "--wait", "0")
    command = cli.floorhub(site, "print", str(tmp_path / "page.pdf"), "--title", "", *where)
    assert command["payload"]["title"] == "page.pdf"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ('{"a": "\\ud800"}', "--payload has half of a character"),
        ("[1]", "--payload must be a JSON object"),
        ("[" * 100_000, "--payload is not JSON"),
        ("{", "--payload is not JSON"),
    ],
)
def test_a_payload_that_is_none_is_refused_in_a_sentence(site: Site, payload: str, said: str) -> None:
    done = cli.run(site, "send", "pc-1", "status", "--payload", payload)
    assert (done.exit_code, done.output.startswith(said)) == (2, True), done.output


@pytest.mark.parametrize("typed", ["{id}?b", "{id}/b", "..", "{id}#b", "\x1b[2J", "a\nb", "앞", "%2e"])
def test_what_is_typed_as_an_id_stays_one_part_of_the_path(site: Site, typed: str) -> None:
    client = site.client()["id"]
    before = site.http.get("/api/clients", params={"limit": 200}).json()["items"]
    done = cli.run(site, "client", "retire", typed.replace("{id}", client), "--yes")
    assert done.exit_code in (5, 7)
    assert not isinstance(done.exception, ValueError)
    assert "\x1b" not in done.output
    assert site.http.get("/api/clients", params={"limit": 200}).json()["items"] == before
