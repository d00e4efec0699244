"""Principals, keys and grants as rows, for tests of what each may see and do.

All are coroutines, for the pool of a test (`await principal(connection)`). A plain connection of psycopg does, too:
`at_once(principal(connection))` runs one without a loop, since it never waits then.
"""

import inspect
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
from uuid_utils.compat import uuid7

from hub.core.access.rules import Caller
from hub.core.access.service import Access
from hub.database.engine import Connection, Database
from hub.keys import new_api_key
from hub.telemetry.log import Log

Result = TypeVar("Result")
Target = tuple[str, str | Sequence[str]]
"""Kind and name, such as `("zone", "a")` or `("tags", ["a", "b"])`."""
TARGETS: dict[str, tuple[str, str | Sequence[str] | None]] = {
    "client": ("client", "in-1"),
    "group": ("group", "shop"),
    "zone": ("zone", "a"),
    "tags": ("tags", ["red", "new"]),
    "all": ("all", None),
}
"""One target of each kind, for tests that grant each."""


async def principal(
    connection: Connection | psycopg.Connection[Any],
    role: str = "operator",
    reach: str = "granted",
    kind: str = "integration",
    name: str | None = None,
) -> UUID:
    """A principal of this role that reaches `all` clients, or those that it is `granted`; its id."""
    made = uuid7()
    await _execute(
        connection,
        b"INSERT INTO principals (id, kind, name, role, reach, created_at) VALUES (%s, %s, %s, %s, %s, floorhub_now())",
        made,
        kind,
        name or f"{kind}-{uuid4().hex[:12]}",
        role,
        reach,
    )
    return made


async def key(
    connection: Connection | psycopg.Connection[Any],
    principal_id: UUID,
    permissions: Sequence[str] | None = None,
    actions: Sequence[str] | None = None,
    targets: Sequence[Target] | None = None,
) -> str:
    """A key of a principal, for everything or within a scope; its text. `targets`: for these clients only."""
    made = uuid7()
    new = new_api_key()
    await _execute(
        connection,
        b"INSERT INTO api_keys (id, principal_id, prefix, sha256, created_at, permissions, actions, narrowed)"
        b" VALUES (%s, %s, %s, %s, floorhub_now(), %s, %s, %s)",
        made,
        principal_id,
        new.prefix,
        new.sha256,
        None if permissions is None else list(permissions),
        None if actions is None else list(actions),
        targets is not None,
    )
    for kind, target in targets or ():
        await _execute(
            connection,
            b"INSERT INTO api_key_targets (key_id, target_kind, target, tags) VALUES (%s, %s, %s, %s)",
            made,
            kind,
            *_target(target),
        )
    return new.text


async def grant(
    connection: Connection | psycopg.Connection[Any],
    principal_id: UUID,
    kind: str = "all",
    target: str | Sequence[str] | None = None,
    access: str = "command",
    actions: Sequence[str] | None = None,
) -> UUID:
    """A grant of a principal: `read` or `command` these actions (None: all) of one client, a group, a zone, clients
    with all of these tags, or all; its id."""
    made = uuid7()
    await _execute(
        connection,
        b"INSERT INTO grants (id, principal_id, target_kind, target, tags, actions, access, created_at)"
        b" VALUES (%s, %s, %s, %s, %s, %s, %s, floorhub_now())",
        made,
        principal_id,
        kind,
        *_target(target),
        None if actions is None else list(actions),
        access,
    )
    return made


async def group(
    connection: Connection | psycopg.Connection[Any],
    id: str,  # noqa: A002 - the column's name
    *client_ids: str,
) -> str:
    """A group of these clients; its id."""
    await _execute(
        connection,
        b"INSERT INTO client_groups (id, name, created_at, updated_at)"
        b" VALUES (%s, %s, floorhub_now(), floorhub_now()) ON CONFLICT DO NOTHING",
        id,
        id,
    )
    for client_id in client_ids:
        await _execute(
            connection, b"INSERT INTO client_group_members (group_id, client_id) VALUES (%s, %s)", id, client_id
        )
    return id


async def caller(database: Database, text: str) -> Caller:
    """Who asks with a key, looked up as a request looks it up."""
    return (await Access(database, Log()).authenticate(text)).caller("203.0.113.7")


def at_once(made: Coroutine[Any, Any, Result]) -> Result:
    """What one of these gives on a plain connection of psycopg, outside of any loop."""
    try:
        made.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    made.close()
    raise AssertionError("it waits: give it a plain connection of psycopg")


def _target(target: str | Sequence[str] | None) -> tuple[str | None, list[str] | None]:
    if target is None or isinstance(target, str):
        return target, None
    return None, list(target)


async def _execute(connection: Connection | psycopg.Connection[Any], query: bytes, *values: object) -> None:
    executed: object = connection.execute(query, values)
    if inspect.isawaitable(executed):
        await executed
