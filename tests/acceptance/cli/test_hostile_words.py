"""Whatever words a client, a sender or a printer uses, every command of `floorhub` shows them as text.

The answers are the hub's own; a proxy puts hostile words into each text of them.
"""

import json
import re
import threading
import unicodedata
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from hub.programs.cli.main import OLD_SPELLINGS, app
from hub.programs.cli.reference import commands
from tests.support import plain_http
from tests.support.command_lines import ASKED, NOT_HERE, made
from tests.support.site import Site

HOSTILE = "[/x][red]\x1b[2J\x9b31m\u202e\u200b\n\r\t\x00\x7f\u2028\ufeff{0}%s" + "long" * 100
"""Markup, escape sequences, C1, directions, zero width, line ends, formats, and too much of it."""
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
MEANT = re.compile(r"\d{4}-\d\d-\d\dT|[0-9a-f]{8}-[0-9a-f]{4}-")
"""Times and ids, which are no words of others."""
OLD = {"client release"} | {
    f"{old} {words}" for old, group in OLD_SPELLINGS.items() for words, _ in commands(get_command(group))
}
"""Words of before: those that are only told their new word, and other words for the same commands."""


def hostile(value: Any) -> Any:
    """The same JSON with hostile words behind each text."""
    if isinstance(value, dict):
        return {key: hostile(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return value + HOSTILE if isinstance(value, str) and not MEANT.match(value) else value


@pytest.fixture(scope="module")
def proxy(site: Site) -> Iterator[str]:
    """The URL of a hub whose every word is hostile."""

    class Passing(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
            answer = plain_http.request(self.command, f"{site.url}{self.path}", headers=kept, content=body)
            sent = answer.content
            if "json" in answer.headers["Content-Type"]:
                told = hostile(answer.json())
                if "next_cursor" in told:
                    told["next_cursor"] = None
                sent = json.dumps(told).encode()
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(sent)))
            self.send_header("X-Request-ID", answer.headers["X-Request-ID"])
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def there(site: Site) -> Iterator[dict[str, str]]:
    """Something of each kind that commands can be asked about."""
    with made(site, "hostile") as found:
        yield found


def test_every_command_is_tried() -> None:
    assert {words for words, _ in commands(get_command(app), hidden=True)} - OLD == {*ASKED, *NOT_HERE}


@pytest.mark.parametrize("options", [[], ["--json"], ["-o", "yaml"]], ids=["text", "json", "yaml"])
def test_words_of_others_are_shown_as_text(
    site: Site, proxy: str, there: dict[str, str], tmp_path: Path, options: list[str]
) -> None:
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps([{"client_id": there["client"], "action": "status"}]))
    places = {**there, "file": str(listed)}
    shown = 0
    for words, line in ASKED.items():
        arguments = [*words.split(), *(part.format(**places) for part in line), *options]
        environment = {"FLOORHUB_URL": proxy, "FLOORHUB_KEY": site.key, "LANG": "C"}
        done = CliRunner().invoke(app, arguments, env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.exception)
        assert done.exit_code in (0, 1, 5, 7), (arguments, done.output)
        obeyed = {char for char in done.output if unicodedata.category(char) in OBEYED}
        assert obeyed <= {"\n"}, (arguments, done.output)
        shown += "[/x][red]" in done.output
        if not options:
            assert max(map(len, done.output.split("\n"))) < 5_000
    assert shown >= 30  # most of them show words of others
