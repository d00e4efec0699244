"""Clients and commands with everything that a test does not care about filled in."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.core.clients.store import clients
from hub.core.clients.store.clients import NewClient
from hub.core.commands.store import dispatch
from hub.core.commands.store.submit import NewCommand, Verdict, submit
from hub.core.documents.store import documents
from hub.core.presence import store as sessions
from hub.core.presence.rules.identity import Identity
from hub.core.presence.rules.presence import Evidence
from hub.database import engine
from hub.database.engine import Connection, Database
from schemas.actions import lane_of
from schemas.states import Level, Presence

JOURNAL = "journal-1"
PRINCIPAL = UUID("0192f0c1-0000-7000-8000-000000000001")


def new_client(id: str = "front-pc", **changes: Any) -> NewClient:  # noqa: A002 - the column's name
    """A client that may do everything, practically without limits."""
    fields: dict[str, Any] = {
        "id": id,
        "name": id.title(),
        "kind": "printer_pc",
        "zone": None,
        "tags": [],
        "metadata": {},
        "allowed_actions": None,
        "rate_limit": 1_000_000,
        "max_commands_per_day": 1_000_000,
        "secret_sha256": hashlib.sha256(id.encode()).digest(),
        "mqtt_password": "hash",
        "mqtt_salt": "salt",
        "mqtt_iterations": 1,
    }
    return NewClient(**fields | changes)


async def add_client(
    database: Database,
    id: str = "front-pc",  # noqa: A002 - the column's name
    *,
    presence: Presence = Presence.ONLINE,
    level: Level = Level.FULL,
    journal: str | None = JOURNAL,
    **changes: Any,
) -> str:
    """Register a client and put its session into a state, as its birth would; its id."""
    async with database.transaction() as connection:
        await clients.insert_client(connection, new_client(id, **changes))
        now = await engine.now(connection)
        evidence = Evidence(presence, "test", "session-1", 1, level, heard_at=now, since=now)
        await sessions.save_presence(connection, id, Evidence(), evidence)
        if journal is not None:
            identity = Identity(journal, issued=1, confirmed=1, session="session-1")
            await sessions.save_identity(connection, id, identity)
            await sessions.save_birth(connection, id, agent_name="test", agent_version="1", clock_skew=timedelta(0))
    return id


def new_command(client_id: str = "front-pc", **changes: Any) -> NewCommand:
    """A command that prints on the client's printer `labels` and expires in an hour."""
    payload = changes.get("payload", {"printer": "labels"})
    action = changes.get("action", "print")
    fields: dict[str, Any] = {
        "id": uuid7(),
        "client_id": client_id,
        "action": action,
        "lane": lane_of(action, payload, changes.get("priority", 5)),
        "payload": payload,
        "document_ids": [],
        "priority": 5,
        "max_retries": 3,
        "not_before": None,
        "expires_at": None,
        "expires_in_s": None if "expires_at" in changes else 3600.0,
        "timeout_s": 60.0,
        "on_interrupt": "unknown",
        "order_key": None,
        "when_offline": "queue",
        "reference": None,
        "tags": [],
        "estimated_duration_s": None,
        "traceparent": None,
        "created_by": PRINCIPAL,
        "limited": False,
        "scope_key": None,
        "address": None,
    }
    return NewCommand(**fields | changes)


async def add_commands(database: Database, commands: Sequence[NewCommand]) -> list[UUID]:
    """Submit commands, all of which must be taken; their ids."""
    verdicts = await submit_all(database, commands)
    assert [verdict.refusal for verdict in verdicts] == [None] * len(commands)
    return [command.id for command in commands]


async def submit_all(database: Database, commands: Sequence[NewCommand]) -> list[Verdict]:
    """Submit commands in one call; a verdict each."""
    async with database.connection() as connection:
        return await submit(connection, commands)


async def claim(database: Database, *client_ids: str) -> list[UUID]:
    """Claim once for these clients; the ids handed out, in the order of publishing."""
    async with database.transaction() as connection:
        return [run.command_id for run in (await dispatch.claim(connection, client_ids)).runs]


async def add_document(connection: Connection, content: bytes = b"bytes") -> UUID:
    """Store a text document; its id."""
    made = uuid7()
    await documents.insert_chunk(connection, made, 0, content)
    await documents.insert(
        connection,
        id=made,
        sha256=hashlib.sha256(content).digest(),
        size=len(content),
        content_type="text/plain",
        filename=None,
        created_by=PRINCIPAL,
    )
    return made


async def row(connection: Connection, command_id: UUID) -> dict[str, Any]:
    """A command's whole row."""
    cursor = await connection.execute(b"SELECT * FROM commands WHERE id = %s", (command_id,))
    found = await cursor.fetchone()
    assert found is not None
    return found
