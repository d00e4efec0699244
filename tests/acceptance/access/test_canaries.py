"""Secrets that went through every way in stand only where they belong.

They are in no log, URL, error, metric, process list or other table. Each canary is looked for as it is, in hex (how a
table shows bytes), in base64 and percent-encoded. A subject that takes a new kind of secret adds it to `canaries`, and
the requests that carry it to `drive`.
"""

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.support import people, plain_http
from tests.support.site import NOWHERE, Site


def _canary(kind: str) -> str:
    return f"canary-{kind}-{secrets.token_hex(12)}"


@dataclass
class Canary:
    """A secret, and the tables that may have it."""

    text: str
    tables: frozenset[str] = frozenset()
    shown_by: set[str] = field(default_factory=set)
    """Requests whose answer may show it."""

    def forms(self) -> list[bytes]:
        raw = self.text.encode()
        encoded = {base64.b64encode(bytes(before) + raw)[before and 4 : -4] for before in range(3)}
        return [raw, raw.hex().encode(), quote(self.text, safe="").encode(), *encoded]

    def is_in(self, where: bytes) -> bool:
        return any(form in where for form in self.forms())


@pytest.fixture(scope="module")
def canaries(site: Site) -> dict[str, Canary]:
    """By kind; those that the hub makes are filled in by what gets them."""
    return {
        "administrator's key": Canary(site.key),
        "wrong key": Canary(_canary("key")),
        "wrong client secret": Canary(_canary("secret")),
        "password": Canary(_canary("password")),
        "token": Canary(_canary("token")),
        "download address": Canary(_canary("download")),
        "upload address": Canary(_canary("upload")),
        "document text": Canary(_canary("document"), tables=frozenset({"document_chunks"})),
        "nonce": Canary(_canary("nonce")),
    }


def drive(site: Site, canaries: dict[str, Canary]) -> Iterator[tuple[str, httpx.Response]]:
    """Requests that carry each canary, right and wrong ones, with what came back."""
    of = {kind: canary.text for kind, canary in canaries.items()}
    with plain_http.client(site.url) as stranger:
        client = site.client()
        canaries["client secret"] = Canary(client["secret"], shown_by={"register", "rotate"})
        answer = site.http.post(f"/api/clients/{client['id']}/secret")
        canaries["new client secret"] = Canary(answer.json()["secret"], shown_by={"rotate"})
        yield "rotate", answer
        secret = answer.json()["secret"]

        pdf = b"%PDF-1.4\n% " + of["document text"].encode() + b"\n%%EOF\n"
        document = site.http.post("/api/documents", content=pdf, headers={"Content-Type": "application/pdf"})
        yield "upload", document
        command = {
            "client_id": client["id"],
            "action": "print",
            "payload": {"document": document.json()["id"], "printer": "office"},
        }
        sent = site.http.post("/api/commands", json=command, headers={"X-Request-Nonce": of["nonce"]})
        yield "command", sent
        yield "a nonce twice", site.http.get("/api/clients", headers={"X-Request-Nonce": of["nonce"]})

        basic = httpx.BasicAuth(client["id"], secret)
        yield "as the client", stranger.get(f"/api/clients/{client['id']}/commands", auth=basic)
        yield "its own in a wrong place", stranger.get("/api/clients", auth=basic)
        yield "its secret as a key", stranger.get("/api/clients", headers={"X-API-Key": secret})
        for place in ("Authorization", "X-API-Key", "Cookie"):
            shown = f"Bearer {of['wrong key']}" if place == "Authorization" else of["wrong key"]
            yield f"a wrong key in {place}", stranger.get("/api/clients", headers={place: shown})
            yield f"a token in {place}", stranger.post("/api/commands", headers={place: of["token"]}, json=command)
        wrong = httpx.BasicAuth(client["id"], of["wrong client secret"])
        yield "a wrong secret", stranger.get(f"/api/clients/{client['id']}/commands", auth=wrong)
        yield "a key in a query", site.http.get("/api/clients", params={"key": of["wrong key"]})
        body = {"client_id": client["id"], "action": "status", "password": of["password"]}
        yield "a password in a wrong field", site.http.post("/api/commands", json=body)
        yield "what is no JSON", site.http.post("/api/commands", content=f'{{"password": "{of["password"]}"')
        yield "a download", stranger.get(f"/api/downloads/{of['download address']}")
        yield "an upload", stranger.put(f"/api/uploads/{of['upload address']}", content=b"x", auth=basic)
        yield "nowhere", stranger.get(f"/api/commands/{NOWHERE}", headers={"Authorization": f"Bearer {of['token']}"})
        for name in ("administrator", "nobody"):
            body = {"login": name, "password": of["password"]}
            yield "sign in", stranger.post("/api/auth/login", json=body)
        yield "refresh", stranger.post("/api/auth/refresh", json={"refreshToken": of["token"]})
        yield from drive_person(site, stranger, canaries)
        yield from drive_integration(site, stranger, canaries)
        yield "metrics", site.http.get("/metrics")
        yield "description", site.http.get("/openapi.json")


def drive_person(
    site: Site, stranger: httpx.Client, canaries: dict[str, Canary]
) -> Iterator[tuple[str, httpx.Response]]:
    """A person with a right password: all that is got by it, and all that may go wrong with it."""
    password, other = (canaries.setdefault(kind, Canary(_canary(kind))).text for kind in ("pass", "other-pass"))
    person = people.add(site, "viewer", password=password)
    yield "add a person", site.http.get(f"/api/users/{person['id']}")
    signed_in = {"sign in rightly", "refresh rightly", "sign in on a page", "who", "change the password"}

    def got(kind: str, text: str) -> str:
        canaries[kind] = Canary(text, shown_by=signed_in)
        return text

    answer = people.sign_in(site.url, person["login"], password)
    yield "sign in rightly", answer
    access, refresh = (got(kind, answer.json()[kind]) for kind in ("accessToken", "refreshToken"))
    bearer = {"Authorization": f"Bearer {access}"}
    yield "with a token", stranger.get("/api/clients", headers=bearer)
    yield "forbidden with a token", stranger.post("/api/groups", json={"id": "x"}, headers=bearer)
    yield "a token in a query", stranger.get("/api/clients", params={"access_token": access})
    answer = people.refresh(site.url, refresh)
    yield "refresh rightly", answer
    yield "refresh again", people.refresh(site.url, refresh)
    got("second refreshToken", answer.json()["refreshToken"])
    body = {"login": person["login"], "password": password, "session": "page"}
    answer = stranger.post("/api/auth/login", json=body)
    yield "sign in on a page", answer
    csrf = {"X-CSRF-Token": got("csrfToken", answer.json()["csrfToken"])}
    got("cookie", answer.headers["set-cookie"].partition("=")[2].partition(";")[0])
    yield "who", stranger.get("/api/auth/whoami")
    yield "sessions", stranger.get("/api/auth/sessions")
    yield "a page without its token", stranger.post("/api/groups", json={"id": "x"})
    change = {"currentPassword": password, "newPassword": other}
    yield "change the password", stranger.post("/api/auth/password", json=change, headers=csrf)
    yield "the old one", stranger.post("/api/auth/password", json=change, headers=csrf)
    yield "sign out", stranger.post("/api/auth/logout", json={}, headers=csrf)
    stranger.cookies.clear()
    answer = site.http.post(f"/api/users/{person['id']}/password-link")
    canaries["link"] = Canary(answer.json()["token"], shown_by={"make a link"})
    yield "make a link", answer
    for what in ("use the link", "use the link again"):
        yield what, stranger.post("/api/auth/password-link", json={"token": answer.json()["token"], "password": other})


def drive_integration(
    site: Site, stranger: httpx.Client, canaries: dict[str, Canary]
) -> Iterator[tuple[str, httpx.Response]]:
    """An integration's key, and the one that takes its place."""
    made = site.http.post("/api/integrations", json={"name": "canary", "role": "viewer"})
    yield "make an integration", made
    answer = site.http.post(f"/api/integrations/{made.json()['integration']['id']}/keys", json={})
    canaries["integration's key"] = Canary(answer.json()["key"], shown_by={"make a key"})
    yield "make a key", answer
    answer = site.http.post(f"/api/keys/{answer.json()['id']}/rotate", json={})
    canaries["rotated key"] = Canary(answer.json()["key"], shown_by={"rotate a key"})
    yield "rotate a key", answer
    for place in ({"Authorization": f"Bearer {answer.json()['key']}"}, {"X-API-Key": answer.json()["key"]}):
        yield "with a key", stranger.get("/api/clients", headers=place)
        yield "forbidden with a key", stranger.post("/api/groups", json={"id": "x"}, headers=place)
    yield "list keys", site.http.get("/api/keys")


def hidden(site: Site) -> dict[str, bytes]:
    """The secrets of the hub's own files, which no request carries."""
    found = {}
    for file in sorted(site.folder.keys.glob("*.key")):
        for number, word in enumerate(file.read_text().split()):
            if len(word) == 64:
                found[f"{file.name}-{number}"] = word.encode()
    return found


def tables(database: psycopg.Connection[Any]) -> dict[str, bytes]:
    """Every table as text."""
    names = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    query = sql.SQL("SELECT coalesce(string_agg(row_to_json(t)::text, ' '), '') FROM {} t")
    found: dict[str, bytes] = {}
    for (name,) in names:
        row = database.execute(query.format(sql.Identifier(name))).fetchone()
        assert row is not None
        found[name] = row[0].encode()
    return found


def processes() -> bytes:
    """How every process was called, as anybody on this machine can see it."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes())
        except OSError:
            continue  # it has ended
    return b"\n".join(lines)


def test_secrets_are_nowhere_but_where_they_belong(
    site: Site, database: psycopg.Connection[Any], canaries: dict[str, Canary]
) -> None:
    answers = list(drive(site, canaries))
    assert [(what, answer.text) for what, answer in answers if answer.status_code // 100 not in (2, 4)] == []
    logs = {str(file): file.read_bytes() for file in site.folder.logs.rglob("*") if file.is_file()}
    stored = tables(database)
    assert b"http.request" in b"".join(logs.values())
    assert canaries["document text"].is_in(stored["document_chunks"])  # so what is looked for would be found

    for name, word in hidden(site).items():
        canaries[name] = Canary(word.decode())
    found = []
    for kind, canary in canaries.items():
        for what, answer in answers:
            shown = answer.content + str(answer.headers).encode()
            if what not in canary.shown_by and canary.is_in(shown):
                found.append((kind, f"answer to {what}"))
        found += [(kind, name) for name, text in logs.items() if canary.is_in(text)]
        found += [(kind, name) for name, text in stored.items() if name not in canary.tables and canary.is_in(text)]
        if canary.is_in(processes()):
            found.append((kind, "process list"))
    assert found == []
