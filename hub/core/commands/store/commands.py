"""Reading commands and their logs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hub.core.access.rules import Scope
from hub.database.engine import Connection
from hub.database.hot import HotStatement
from hub.database.statements import Statement


class StoredCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command as its row shows it to people and programs."""

    id: UUID
    client_id: str
    batch_id: UUID | None
    action: str
    lane: str
    payload: dict[str, Any]
    priority: int
    status: str
    version: int
    attempt: int
    max_retries: int
    back_off: Mapping[str, float] | None
    not_before: datetime | None
    expires_at: datetime
    timeout_s: float
    on_interrupt: str
    order_key: str | None
    when_offline: str
    reference: str | None
    tags: list[str]
    estimated_duration_s: float | None
    created_at: datetime
    queued_at: datetime | None = None
    sent_at: datetime | None = None
    accepted_at: datetime | None = None
    started_at: datetime | None = None
    held_reasons: list[str] | None = None
    finished_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    progress: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    unknown_reason: str | None = None
    dead_letter_reason: str | None = None
    dead_letter_closed_at: datetime | None = None
    dead_letter_closed_by: str | None = None
    replay_of: UUID | None = None
    replayed_by: UUID | None = None
    """The command that replays this one."""


class StoredLog(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a command."""

    version: int
    at: datetime
    event: str
    status: str
    attempt: int
    detail: Mapping[str, Any] | None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which commands; what is None lets everything through."""

    client_id: str | None = None
    statuses: Sequence[str] | None = None
    action: str | None = None
    reference: str | None = None
    tag: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class Reached(msgspec.Struct, frozen=True):
    """A command that a caller may read at least; `allowed`: and do to it what was asked."""

    id: UUID
    client_id: str
    action: str
    allowed: bool


class Wait(msgspec.Struct, frozen=True):
    """Who waits for the end of a command."""

    command_id: UUID
    principal_id: UUID
    key_id: UUID | None
    session_id: UUID | None


class _Lost(msgspec.Struct, frozen=True):
    place: int
    code: str


class _InOrder(msgspec.Struct, frozen=True):
    everything: bool


class _OfStatus(msgspec.Struct, frozen=True):
    status: str
    number: int


_FIND = HotStatement("core/commands/commands", "find")
_FIND_ANY = HotStatement("core/commands/commands", "find_any")
_LOGS = Statement("core/commands/commands", "logs", StoredLog)
_REACHED = Statement("core/commands/commands", "reached", Reached)
_PAGE = Statement("core/commands/commands", "page", StoredCommand, fresh_plan=True)
_IN_ORDER = Statement("core/commands/commands", "in_order", _InOrder)
_PAGE_WITHIN = Statement("core/commands/commands", "page_within", StoredCommand, fresh_plan=True)
_UNFINISHED = Statement("core/commands/commands", "unfinished", _OfStatus, fresh_plan=True)
_LOST = Statement("core/commands/commands", "lost", _Lost)
_ENDED = Statement("core/commands/commands", "ended", UUID)


async def find(
    connection: Connection, ids: Sequence[UUID], scope: Scope, want: str = "read"
) -> dict[UUID, StoredCommand]:
    """The commands with these ids that a caller may read, or `want` something else of."""
    if scope.limited:
        asked: dict[str, Any] = {"ids": list(ids), "want": want, **scope.parameters}
        cursor = await _FIND.execute(connection, **asked)
    else:
        cursor = await _FIND_ANY.execute(connection, ids=list(ids))
    return {row["id"]: StoredCommand(**row) for row in await cursor.fetchall()}


async def reached(connection: Connection, ids: Sequence[UUID], scope: Scope, want: str) -> dict[UUID, Reached]:
    """Those of these commands that a limited caller may read at least."""
    rows = await _REACHED.fetch_all(
        connection, ids=list(ids), want=want, scope_principal=scope.principal_id, scope_key=scope.key_id
    )
    return {row.id: row for row in rows}


async def logs(connection: Connection, command_id: UUID) -> list[StoredLog]:
    """Every change of a command, oldest first."""
    return await _LOGS.fetch_all(connection, id=command_id)


async def page(
    connection: Connection, wanted: Filter, scope: Scope, *, before: UUID | None, limit: int
) -> list[StoredCommand]:
    """Commands that a caller may read, newest first, older than `before`."""
    asked = {**msgspec.structs.asdict(wanted), **scope.parameters, "before": before, "limit": limit}
    if scope.limited:
        async with connection.transaction():
            found = await _IN_ORDER.fetch_one(connection, scope_principal=scope.principal_id, scope_key=scope.key_id)
            if found is None or not found.everything:
                return await _PAGE_WITHIN.fetch_all(connection, **asked)
    return await _PAGE.fetch_all(connection, **asked)


async def unfinished(connection: Connection) -> dict[str, int]:
    """How many commands have not ended, by status, without scheduled ones."""
    return {row.status: row.number for row in await _UNFINISHED.fetch_all(connection)}


async def lost(connection: Connection, waits: Sequence[Wait]) -> dict[int, str]:
    """Which of these waits, by their places, are over because who waits may not see the command any more, and why: a
    code."""
    callers = dict.fromkeys((wait.principal_id, wait.key_id, wait.session_id) for wait in waits)
    places = {caller: place for place, caller in enumerate(callers, 1)}
    rows = await _LOST.fetch_all(
        connection,
        ids=[wait.command_id for wait in waits],
        who=[places[wait.principal_id, wait.key_id, wait.session_id] for wait in waits],
        principals=[principal_id for principal_id, _, _ in places],
        keys=[key_id for _, key_id, _ in places],
        sessions=[session_id for _, _, session_id in places],
    )
    return {row.place: row.code for row in rows}


async def ended(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these commands have ended."""
    return set(await _ENDED.fetch_all(connection, ids=list(ids)))
