"""Things of a site, made for tests of who may see and do what: each with who made it and where its client stands."""

import itertools
import json
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import psycopg

from tests.support import access, plain_http
from tests.support.access import at_once
from tests.support.site import Site

Database = psycopg.Connection[Any]
TEXT = b"%PDF-1.4 one and the same page"
_numbers = itertools.count()


class Maker:
    """Makes things at a site, over HTTP as somebody, or in the database where HTTP would take long."""

    def __init__(self, site: Site, database: Database) -> None:
        self.site = site
        self.database = database
        self._opened: list[httpx.Client] = []

    def close(self) -> None:
        """End every connection."""
        for opened in self._opened:
            opened.close()

    def http(self, key: str | None = None, auth: tuple[str, str] | None = None) -> httpx.Client:
        """HTTP of somebody with a key, of a client with its secret, or of nobody."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        opened = plain_http.client(self.site.url, headers=headers, auth=auth)
        self._opened.append(opened)
        return opened

    def principal(self, role: str, reach: str, *grants: tuple[str, str, str], **scope: Any) -> tuple[uuid.UUID, str]:
        """A principal with grants (kind of target, target, access) and a key of a scope; its id, and the key."""
        made = at_once(access.principal(self.database, role, reach))
        for kind, target, what in grants:
            at_once(access.grant(self.database, made, kind, target, what))
        return made, at_once(access.key(self.database, made, **scope))

    # --- things: each gives its id; `http` is whoever makes it -------------------------------------------

    def client(self, zone: str) -> dict[str, Any]:
        """A client in a zone, with its secret."""
        number = next(_numbers)
        return self.site.client(id=f"m-{number}-{zone}", zone=zone, tags=[f"tag-{zone}"])

    def group(self, *client_ids: str) -> str:
        """A group, made by the administrator: nobody else can."""
        made = at_once(access.group(self.database, f"g-{next(_numbers)}", *client_ids))
        self.database.execute("UPDATE client_groups SET name = 'all of mine' WHERE id = %s", (made,))
        return made

    def document(self, http: httpx.Client) -> str:
        """A document; always the same bytes, under the same name."""
        answer = http.post(
            "/api/documents",
            params={"filename": "label.pdf"},
            content=TEXT,
            headers={"Content-Type": "application/pdf"},
        )
        return str(made(answer)["id"])

    def command(self, http: httpx.Client, client_id: str, **fields: Any) -> str:
        """A command that waits."""
        body = {"client_id": client_id, "action": "open-door", "reference": "order-1", **fields}
        return str(made(http.post("/api/commands", json=body))["id"])

    def dead(self, http: httpx.Client, client_id: str, status: str = "unknown") -> str:
        """A command that waits for a person."""
        command_id = self.command(http, client_id)
        self.database.execute(
            "UPDATE commands SET status = %s, version = version + 1, deadline_at = NULL, dead_letter_reason = %s, "
            "unknown_reason = CASE WHEN %s = 'unknown' THEN 'timeout' END, finished_at = floorhub_now() WHERE id = %s",
            (status, status, status, command_id),
        )
        return command_id

    def handed_out(self, http: httpx.Client, client_id: str, **fields: Any) -> str:
        """A command that its client has."""
        command_id = self.command(http, client_id, **fields)
        self.database.execute(
            "UPDATE commands SET status = 'queued', version = version + 1, queued_at = floorhub_now(), sends = 1, "
            "deadline_at = floorhub_now() + interval '1 hour' WHERE id = %s",
            (command_id,),
        )
        return command_id

    def batch(self, http: httpx.Client, *client_ids: str) -> str:
        """A batch for these clients."""
        body = {"target": {"clients": client_ids}, "command": {"action": "open-door"}}
        return str(made(http.post("/api/batches", json=body))["id"])

    def paused(self, http: httpx.Client, *client_ids: str) -> str:
        """A batch that is paused."""
        batch_id = self.batch(http, *client_ids)
        made(http.post(f"/api/batches/{batch_id}/pause"))
        return batch_id

    def schedule(self, http: httpx.Client, *client_ids: str, name: str | None = None) -> str:
        """A schedule for these clients that never fires during a test."""
        request = {"target": {"clients": client_ids}, "command": {"action": "open-door"}}
        body = {"name": name or f"s-{next(_numbers)}", "cron": "0 7 29 2 *", "request": request}
        return str(made(http.post("/api/schedules", json=body))["id"])


def made(answer: httpx.Response) -> dict[str, Any]:
    """The JSON of an answer that must be a success."""
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def alike(answer: httpx.Response, names: Mapping[str, str]) -> tuple[int, str, str]:
    """What an answer says when ids are taken out: status, body and the headers that tell something. `names`: what to
    take out, and what to put in its place."""

    def without(text: str) -> str:
        for name, other in names.items():
            text = text.replace(name, other)
        return text

    told = without(answer.text)
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        problem = json.loads(told)
        problem.pop("request_id", None)
        told = json.dumps(problem, sort_keys=True)
    kept = ("content-type", "location", "www-authenticate", "retry-after", "allow")
    return answer.status_code, told, without(str([(name, answer.headers.get(name)) for name in kept]))
