"""Which hub a command line means; what it says if there is none, if it may not look, or if something else answers."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.programs.cli.exits import ExitCode, of_answer
from hub.programs.cli.main import app

NOBODY = 65_534
AWAY = "http://127.0.0.1:1"


def run(*arguments: str, **environment: str) -> Result:
    names = ("FLOORHUB_URL", "FLOORHUB_KEY", "FLOORHUB_DATA", "FLOORHUB_DATA_DIR", "FLOORHUB_DATABASE_URL")
    return CliRunner().invoke(app, arguments, env={**dict.fromkeys(names), "LANG": "C", **environment})


@contextmanager
def without_rights_to(keys: Path) -> Iterator[None]:
    """As a user who may not read the keys of this data folder."""
    keys.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(os.getuid())
        keys.chmod(0o700)


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The data folder of `make run`, which does not run."""
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "postgres-18.json").write_text('{"postgres": "x", "floorhub": "y"}')
    (tmp_path / "keys" / "postgres-18.json").chmod(0o600)
    (tmp_path / "ports.json").write_text('{"postgres": {"wanted": 0, "port": 1}}')
    (tmp_path / "admin.key").write_text("k")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [["doctor"], ["support-bundle", "b.tar.gz"], ["backup", "b"], ["cleanup", "--dry-run"], ["key", "show"]],
)
@pytest.mark.parametrize(("language", "words"), [("C", "may not read"), ("ko_KR.UTF-8", "권한이 없습니다")])
def test_another_users_folder_is_told_as_such(
    stopped: Path, arguments: list[str], language: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*arguments, FLOORHUB_DATA_DIR=str(stopped / "none"))  # what it imports is read with rights
    monkeypatch.chdir(stopped)
    with without_rights_to(stopped / "keys"):
        done = run(*arguments, FLOORHUB_DATA_DIR=str(stopped), LANG=language)
    assert done.exit_code == (1 if arguments == ["doctor"] else 2), done.output
    assert words in done.output
    assert "make run" not in done.output


@pytest.mark.parametrize("note", [None, '{"url": "http://127.0.0.1:1", "process": 4194304}'])
def test_a_stopped_hub_has_one_code_however_it_ended(stopped: Path, note: str | None) -> None:
    if note is not None:
        (stopped / "hub.json").write_text(note)
    done = run("client", "list", FLOORHUB_DATA_DIR=str(stopped))
    assert done.exit_code == ExitCode.UNREACHABLE
    assert done.stderr.startswith(f"The hub of {stopped} is not running: start it with `make run`")
    korean = run("client", "list", FLOORHUB_DATA=str(stopped), LANG="ko_KR.UTF-8")
    assert (korean.exit_code, "실행 중이 아닙니다" in korean.stderr) == (ExitCode.UNREACHABLE, True)


def test_a_folder_without_a_hub_is_a_wrong_set_up(tmp_path: Path) -> None:
    done = run("client", "list", FLOORHUB_DATA_DIR=str(tmp_path))
    assert (done.exit_code, "No hub is known" in done.stderr) == (ExitCode.USAGE, True)


def test_the_doctor_ends_with_a_hub_that_does_not_run(stopped: Path) -> None:
    for language, words in (("C", "The hub is not running."), ("ko_KR.UTF-8", "허브가 실행 중이 아닙니다.")):
        done = run("doctor", FLOORHUB_DATA_DIR=str(stopped), FLOORHUB_URL="http://127.0.0.1:1", LANG=language)
        assert done.stdout.splitlines()[-1].endswith(words), done.output
        assert "(s)" not in done.stdout


class Foreign(BaseHTTPRequestHandler):
    """A web server that is no hub: it answers with the status that its address names."""

    def do_GET(self) -> None:
        status = int(self.path.split("/")[1])
        content = b'{"items": []}' if status == 200 else b"<h1>hello</h1>"
        self.send_response(status)
        if status == 301:
            self.send_header("Location", "https://elsewhere.example/")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (200, ExitCode.USAGE, "is no Floorhub hub"),
        (301, ExitCode.USAGE, "redirects to https://elsewhere.example/"),
        (404, ExitCode.USAGE, "is no Floorhub hub"),
        (405, ExitCode.USAGE, "is no Floorhub hub"),
        (401, ExitCode.NOT_PERMITTED, "is no Floorhub hub"),
        (500, ExitCode.FAILED, "is no Floorhub hub"),
        (502, ExitCode.UNREACHABLE, "a proxy answered 502"),
    ],
)
def test_another_web_server_is_no_hub(foreign: str, status: int, code: ExitCode, words: str) -> None:
    url = f"{foreign}/{status}"
    done = run("client", "list", FLOORHUB_URL=url, FLOORHUB_KEY="k")
    assert (done.exit_code, words in done.stderr, url in done.stderr) == (code, True, True), done.output
    korean = run("client", "list", FLOORHUB_URL=url, FLOORHUB_KEY="k", LANG="ko_KR.UTF-8")
    assert "answer" not in korean.stderr


@pytest.mark.parametrize(
    ("code", "exits"),
    [
        *((code, ExitCode.NOT_PERMITTED) for code in ("forbidden", "not_your_client", "client_may_not")),
        *((code, ExitCode.REFUSED) for code in ("action_not_allowed", "client_disabled", "url_not_allowed")),
        *((code, ExitCode.REFUSED) for code in ("address_not_allowed", "path_not_allowed")),
    ],
)
def test_only_a_key_that_is_refused_is_not_permitted(code: str, exits: ExitCode) -> None:
    assert of_answer(403, {"code": code, "detail": "x"}) is exits


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (
            {"FLOORHUB_URL": "http://127.0.0.1:1", "FLOORHUB_KEY": "\ud0a4"},
            ("The key from FLOORHUB_KEY", "FLOORHUB_KEY의 키"),
        ),
        ({"FLOORHUB_URL": "127.0.0.1", "FLOORHUB_KEY": "k"}, ("The hub's address must be", "허브의 주소는")),
    ],
    ids=["key", "address"],
)
def test_what_is_wrong_of_address_and_key_is_named(environment: dict[str, str], words: tuple[str, str]) -> None:
    for language, sentence in zip(("C", "ko_KR.UTF-8"), words, strict=True):
        done = run("client", "list", **environment, LANG=language)
        assert (done.exit_code, done.stderr.startswith(sentence)) == (ExitCode.USAGE, True), done.output


def test_a_file_that_is_missing_is_told_before_any_printer_is_looked_for(tmp_path: Path) -> None:
    away = {"FLOORHUB_URL": "http://127.0.0.1:1", "FLOORHUB_KEY": "k"}
    for arguments in (["print"], ["send", "pc", "print", "--file"], ["batch", "send", "print", "--all", "--file"]):
        done = run(*arguments, str(tmp_path / "none.pdf"), **away)
        assert (done.exit_code, "none.pdf cannot be read" in done.stderr) == (ExitCode.USAGE, True), done.output
