"""Commands that name their document by URL or by path: it is stored first, and what cannot be had leaves nothing."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from hub.programs.cli import testpage
from tests.support.site import Site
from tests.support.tables import contents

pytestmark = pytest.mark.own_site("compares whole tables")

INVOICE = testpage.page(["an invoice that lies elsewhere"])


class Files(BaseHTTPRequestHandler):
    """Serves the invoice and counts."""

    asked: list[str]

    def do_GET(self) -> None:
        """The invoice, or what the path asks for."""
        self.asked.append(self.path)
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/html" if self.path == "/page" else "application/pdf")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>Log in</title>" if self.path == "/page" else INVOICE)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture(scope="module")
def files() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Counted", (Files,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="module")
def fetching(site: Site, files: tuple[str, list[str]]) -> Iterator[httpx.Client]:
    """A second hub of the site, which may fetch from the server of files and from one folder."""
    folder = site.folder.root / "labels"
    folder.mkdir()
    (folder / "invoice.pdf").write_bytes(INVOICE)
    settings = {
        "FLOORHUB_FETCH_ALLOW": files[0].removeprefix("http://"),
        "FLOORHUB_FETCH_PRIVATE": "true",
        "FLOORHUB_DOCUMENT_FOLDERS": str(folder),
    }
    with site.another_hub("fetching", **settings), site.http_at("fetching") as client:
        yield client


def printing(client: dict[str, Any], document: Any) -> dict[str, Any]:
    payload = {"printer": "office", "document": document}
    return {"client_id": client["id"], "action": "print", "payload": payload}


def test_a_document_by_url_is_printed_byte_for_byte(
    site: Site, fetching: httpx.Client, files: tuple[str, list[str]]
) -> None:
    client = site.client()
    site.agent(client)
    body = printing(client, {"url": f"{files[0]}/invoices/42.pdf"})

    answer = fetching.post("/api/commands", json=body, params={"wait": 30}, headers={"Idempotency-Key": "url-1"})
    again = fetching.post("/api/commands", json=body, headers={"Idempotency-Key": "url-1"})

    command = answer.json()
    assert (answer.status_code, command["status"]) == (201, "completed"), command
    document = command["payload"]["document"]
    assert document["sha256"] == hashlib.sha256(INVOICE).hexdigest()
    (effect,) = site.effects(command["id"])
    assert site.stack.printer is not None
    printed = Path(site.stack.printer.effects_file).parent / "out" / effect["file"]
    assert printed.read_bytes() == INVOICE
    assert (again.status_code, again.json()["id"]) == (200, command["id"])
    assert files[1].count("/invoices/42.pdf") == 1, "a repeat fetches nothing"


def test_a_document_by_path_is_stored_like_any_other(site: Site, fetching: httpx.Client) -> None:
    client = site.client()
    path = str(site.folder.root / "labels" / "invoice.pdf")
    for named in ({"path": path}, {"url": f"file://{path}"}):
        answer = fetching.post("/api/commands", json=printing(client, named))
        assert answer.status_code == 201, answer.text
        stored = fetching.get(answer.json()["payload"]["document"]["path"])
        assert stored.content == INVOICE
        assert stored.headers["content-type"] == "application/pdf"


@pytest.mark.parametrize(
    ("named", "status", "code"),
    [
        ({"url": "{files}/missing"}, 502, "fetch_failed"),
        ({"url": "{files}/page"}, 415, "content_type_not_allowed"),
        ({"url": "http://127.0.0.1:1/x"}, 403, "url_not_allowed"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, 403, "url_not_allowed"),
        ({"url": "gopher://x"}, 422, "validation_error"),
        ({"url": ""}, 422, "validation_error"),
        ({"url": 7}, 422, "validation_error"),
        ({"url": "{files}/x", "path": "/x"}, 422, "validation_error"),
        ({"url": "{files}/x", "headers": {}}, 422, "validation_error"),
        ({}, 422, "validation_error"),
        ({"path": "/etc/passwd"}, 403, "path_not_allowed"),
        ({"url": "file:///etc/passwd"}, 403, "path_not_allowed"),
        ({"url": "FILE:/etc/passwd"}, 403, "path_not_allowed"),
        ({"path": "{folder}/../keys/root.key"}, 403, "path_not_allowed"),
        ({"path": "{folder}/missing.pdf"}, 404, "file_not_found"),
    ],
)
def test_what_cannot_be_had_leaves_nothing(
    site: Site, fetching: httpx.Client, files: tuple[str, list[str]], named: Any, status: int, code: str
) -> None:
    client = site.client()
    folder = site.folder.root / "labels"
    named = {
        name: value.format(files=files[0], folder=folder) if isinstance(value, str) else value
        for name, value in named.items()
    }
    with psycopg.connect(site.stack.database_url, autocommit=True) as database:
        before = contents(database)
        answer = fetching.post("/api/commands", json=printing(client, named), headers={"Accept-Language": "ko"})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert not answer.json()["detail"].isascii()
        assert contents(database) == before


def test_a_command_that_is_refused_keeps_no_document(
    site: Site, fetching: httpx.Client, files: tuple[str, list[str]]
) -> None:
    full = site.client(max_commands_per_day=0)
    with psycopg.connect(site.stack.database_url, autocommit=True) as database:
        before = contents(database)
        answer = fetching.post("/api/commands", json=printing(full, {"url": f"{files[0]}/refused"}))
        assert (answer.status_code, answer.json()["code"]) == (429, "quota_exceeded")
        assert contents(database) == before
    assert "/refused" in files[1]


def test_a_hub_that_was_told_nothing_fetches_nothing(site: Site, files: tuple[str, list[str]]) -> None:
    client = site.client()
    for named, code in (
        ({"url": f"{files[0]}/untold"}, "url_not_allowed"),
        ({"path": str(site.folder.root / "labels" / "invoice.pdf")}, "path_not_allowed"),
    ):
        answer = site.http.post("/api/commands", json=printing(client, named))
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert "/untold" not in files[1]
