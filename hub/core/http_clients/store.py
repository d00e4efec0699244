"""What a client that speaks HTTP is to be sent, and whether its session is still the present one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from hub.core.commands.store.dispatch import run_of
from hub.database.engine import Connection
from hub.database.hot import HotStatement
from hub.database.statements import statement
from schemas.messages import Report, Run

_MEET = statement("core/http_clients", "meet")
_PRESENT = statement("core/http_clients", "present")
_STIRRED = HotStatement("core/http_clients", "stirred")
_HELD = statement("core/http_clients", "held")
_RUNS = statement("core/http_clients", "runs")
_STANDING = statement("core/http_clients", "standing")
_ADD_RESULT = statement("core/http_clients", "add_result")


@dataclass(frozen=True, slots=True)
class Met:
    """An active client as one of its sessions finds it."""

    session: str | None
    """The present session."""
    connection: int
    presence: str
    reason: str
    """Of its presence."""
    keep_away: str | None
    secret_sha256: bytes
    now: datetime
    last: int | None
    """The last connection that was heard of the session that asks; None: nothing was."""


@dataclass(frozen=True, slots=True)
class Present:
    """What counts for a client now. `here`: it is active and online."""

    session: str | None
    connection: int
    here: bool
    keep_away: str | None
    secret_sha256: bytes


async def meet(connection: Connection, client_id: str, session: str) -> Met | None:
    """How a client stands; None unless it is active."""
    cursor = await connection.execute(_MEET, {"client_id": client_id, "session": session})
    row = await cursor.fetchone()
    return None if row is None else Met(**row)


async def present(connection: Connection, client_ids: Sequence[str]) -> dict[str, Present]:
    """How these clients stand."""
    cursor = await connection.execute(_PRESENT, {"client_ids": list(client_ids)})
    return {row.pop("client_id"): Present(**row) for row in await cursor.fetchall()}


class Known(msgspec.Struct, frozen=True):
    """A client as its channel knows it: of which session, and which connection of it, and the secret's SHA-256 in
    hex."""

    client_id: str
    session: str
    connection: int
    secret: str


async def stirred(connection: Connection, known: Sequence[Known]) -> set[str]:
    """Of these clients those that a look may have something for."""
    cursor = await _STIRRED.execute(connection, known=Jsonb(known))
    return {row["client_id"] for row in await cursor.fetchall()}


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A command that a client holds, or gave no word about, and how often it and its cancel were sent."""

    client_id: str
    id: UUID
    attempt: int
    sends: int
    priority: int
    cancelled: bool
    """A cancel was asked for."""
    unknown: bool
    """It ended without a word of its client."""
    cancel_id: UUID | None
    """None until dispatch has named the cancel."""
    cancel_sends: int


async def held(connection: Connection, client_ids: Sequence[str]) -> list[Held]:
    """What these clients hold; the most urgent of each first."""
    cursor = await connection.execute(_HELD, {"client_ids": list(client_ids)})
    return [Held(**row) for row in await cursor.fetchall()]


async def runs(connection: Connection, ids: Sequence[UUID]) -> list[Run]:
    """These attempts as messages, unless they ended meanwhile."""
    cursor = await connection.execute(_RUNS, {"ids": list(ids)})
    return [run_of(row) for row in await cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a command is. `known`: a certain report about it was applied before."""

    client_id: str
    status: str
    attempt: int
    known: bool
    now: datetime


async def standing(connection: Connection, command_id: UUID, report_id: UUID) -> Standing | None:
    """Where a command is, and whether this report about it was applied."""
    cursor = await connection.execute(_STANDING, {"id": command_id, "report_id": report_id})
    row = await cursor.fetchone()
    return None if row is None else Standing(**row)


async def add_result(connection: Connection, report: Report) -> None:
    """Keep the result of an attempt that has ended as this report says, if it has none yet."""
    result = Jsonb(msgspec.to_builtins(report.result))
    told = {"id": report.command_id, "status": report.status.value, "attempt": report.attempt, "result": result}
    await connection.execute(_ADD_RESULT, told)
