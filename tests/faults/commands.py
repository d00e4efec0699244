"""Commands of the testbed that have one effect: asked for without any retry, and judged by what came of them."""

from typing import Any

import httpx

from tests.chaos.records import read_notes
from tests.support import plain_http
from tests.support.testbed import Testbed


def body(client: str = "pc-1", **fields: Any) -> dict[str, Any]:
    """A command that has one effect."""
    args = {"before": fields.pop("before", 0), "after": fields.pop("after", 0), "fails": 0}
    return {"client_id": client, "action": "work", "payload": {"args": args}, **fields}


def post(testbed: Testbed, hub: int, key: str, said: dict[str, Any], patience_s: float = 30) -> httpx.Response:
    """One request, without any retry."""
    headers = {"Authorization": f"Bearer {testbed.key}", "Idempotency-Key": key}
    url = f"{testbed.urls[hub]}/api/commands"
    return plain_http.request("POST", url, json=said, headers=headers, timeout=patience_s)


def accepted(answer: httpx.Response) -> str:
    """The command's id."""
    assert answer.status_code in (200, 201), answer.text
    command_id: str = answer.json()["id"]
    return command_id


def effects(testbed: Testbed, command_id: str) -> int:
    """How many effects the machines themselves noted."""
    return sum(note.kind == "effect" and note.command_id == command_id for note in read_notes(testbed.notes))


def agree(testbed: Testbed, command_id: str) -> None:
    """Completed, with one effect, and a log that tells each change once."""
    ended = testbed.wait_status(command_id, "completed", "failed", "unknown", "expired", deadline_s=60)
    assert ended["status"] == "completed", ended
    assert effects(testbed, command_id) == 1
    assert testbed.events(command_id).count("completed") == 1
