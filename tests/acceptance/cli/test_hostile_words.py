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
import typer.main
from typer.testing import CliRunner

from hub.programs.cli.main import app
from tests.support import plain_http
from tests.support.site import Site

HOSTILE = "[/x][red]\x1b[2J\x9b31m\u202e\u200b\n\r\t\x00\x7f\u2028\ufeff{0}%s" + "long" * 100
"""Markup, escape sequences, C1, directions, zero width, line ends, formats, and too much of it."""
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
MEANT = re.compile(r"\d{4}-\d\d-\d\dT|[0-9a-f]{8}-[0-9a-f]{4}-")
"""Times and ids, which are no words of others."""
NOT_HERE = {
    ("up",): "starts a site; what it shows comes through the same functions",
    ("serve",): "shows log lines only",
    ("migrate",): "asks no hub",
    ("cleanup",): "asks no hub",
    ("backup",): "asks no hub",
    ("restore",): "asks no hub",
    ("doctor",): "asks the hub of this machine by its settings; what it shows comes through the same functions",
    ("support-bundle",): "writes a file, and shows its name",
    ("conformance",): "asks a client on the wire",
    ("simulate",): "asks the hub by another path; see the test of its own",
    ("broker", "render"): "asks no hub",
    ("schema", "export"): "asks no hub",
    ("keys", "show"): "asks no hub",
    ("keys", "rotate"): "asks no hub",
    ("keys", "adopt"): "asks no hub",
    ("client", "release"): "an old word, answered without asking",
}


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
            told = hostile(answer.json())
            if "next_cursor" in told:
                told["next_cursor"] = None
            sent = json.dumps(told).encode()
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(sent)))
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
def there(site: Site) -> dict[str, str]:
    """Something of each kind that commands can be asked about."""
    client = site.client()["id"]
    away = site.client()["id"]
    command = site.send(client, "status", {})["id"]
    dead = site.send(client, "status", {}, expires_in_s=1)["id"]
    site.wait_status(dead, "expired")
    site.http.post("/api/groups", json={"id": "press", "clients": [client]}).raise_for_status()
    target = {"target": {"clients": [client]}, "command": {"action": "status"}}
    batch = site.http.post("/api/batches", json=target, headers={"Idempotency-Key": "hostile"}).json()["id"]
    made = {"name": "nightly", "cron": "0 3 * * *", "time_zone": "UTC", "request": target}
    schedule = site.http.post("/api/schedules", json=made)
    assert schedule.status_code == 201, schedule.text
    return {
        "client": client,
        "away": away,
        "command": command,
        "dead": dead,
        "batch": batch,
        "schedule": schedule.json()["id"],
    }


ASKED: dict[tuple[str, ...], list[str]] = {
    ("send",): ["{client}", "status", "--wait", "0"],
    ("print",): ["--test-page", "--client", "{client}", "--printer", "office", "--wait", "0"],
    ("show",): ["{command}"],
    ("explain",): ["{command}"],
    ("client", "add"): ["hostile-1", "--name", "[/x][red]"],
    ("client", "list"): [],
    ("client", "set"): ["{client}", "--zone", "a"],
    ("client", "show"): ["{client}"],
    ("client", "limits"): ["{client}"],
    ("client", "set-limits"): ["--client", "{client}", "--rate-limit", "5000"],
    ("client", "disable"): ["{away}"],
    ("client", "enable"): ["{away}"],
    ("client", "unfence"): ["{away}"],
    ("client", "rotate-secret"): ["{away}"],
    ("client", "retire"): ["{away}", "--yes"],
    ("group", "add"): ["other"],
    ("group", "list"): [],
    ("group", "show"): ["press"],
    ("group", "join"): ["press", "{client}"],
    ("group", "leave"): ["press", "{client}"],
    ("group", "remove"): ["other"],
    ("batch", "send"): ["status", "--client", "{client}", "--dry-run"],
    ("batch", "send-list"): ["{file}"],
    ("batch", "show"): ["{batch}"],
    ("batch", "list"): [],
    ("batch", "pause"): ["{batch}"],
    ("batch", "resume"): ["{batch}"],
    ("batch", "cancel"): ["{batch}"],
    ("schedule", "add"): ["daily", "0 4 * * *", "status", "--client", "{client}"],
    ("schedule", "list"): [],
    ("schedule", "show"): ["{schedule}"],
    ("schedule", "set"): ["{schedule}", "--grace-s", "60"],
    ("schedule", "enable"): ["{schedule}"],
    ("schedule", "disable"): ["{schedule}"],
    ("schedule", "remove"): ["{schedule}"],
    ("actions", "list"): [],
    ("actions", "set"): ["status", "--max-retries", "2"],
    ("actions", "reset"): ["status"],
    ("dead-letters",): [],
    ("dead-letters", "replay"): ["{dead}"],
    ("dead-letters", "dismiss"): ["{dead}"],
    ("command", "decide"): ["{command}", "completed", "--note", "x"],
}
"""The arguments of each command; {words} are filled with what is there."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                yield (*path, name)
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def test_every_command_is_tried() -> None:
    assert set(commands(typer.main.get_command(app))) == {*ASKED, *NOT_HERE}


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_words_of_others_are_shown_as_text(
    site: Site, proxy: str, there: dict[str, str], tmp_path: Path, options: list[str]
) -> None:
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps([{"client_id": there["client"], "action": "status"}]))
    places = {**there, "file": str(listed)}
    shown = 0
    for path, line in ASKED.items():
        arguments = [*path, *(part.format(**places) for part in line), *options]
        environment = {"FLOORHUB_URL": proxy, "FLOORHUB_KEY": site.key, "LANG": "C"}
        done = CliRunner().invoke(app, arguments, env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.exception)
        assert done.exit_code in (0, 1), (arguments, done.output)
        obeyed = {char for char in done.output if unicodedata.category(char) in OBEYED}
        assert obeyed <= {"\n"}, (arguments, done.output)
        shown += "[/x][red]" in done.output
        if not options:
            assert max(map(len, done.output.split("\n"))) < 5_000
    assert shown >= 30  # most of them show words of others
