"""Reading dead letters: lists, counts, and what a replay takes over. They are closed as all commands are moved, by
`transitions`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from hub.core.access.rules import Scope
from hub.database.engine import Connection
from hub.database.statements import Statement


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which open dead letters; what is None lets everything through."""

    client_id: str | None = None
    action: str | None = None
    reason: str | None = None
    reference: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A command that ended without success and waits for a person."""

    id: UUID
    client_id: str
    action: str
    lane: str
    status: str
    reason: str
    error: dict[str, Any] | None
    unknown_reason: str | None
    attempt: int
    priority: int
    reference: str | None
    order_key: str | None
    blocks: bool
    tags: list[str]
    batch_id: UUID | None
    replay_of: UUID | None
    created_at: datetime
    expires_at: datetime
    finished_at: datetime


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """A number by `kind` (client, action, reason, total) and `name`."""

    kind: str
    name: str | None
    number: int
    oldest: datetime | None
    """When the first of them ended."""
    groups: int
    """How many names there are of this kind."""


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay takes over of a command."""

    id: UUID
    client_id: str
    action: str
    lane: str
    payload: dict[str, Any]
    document_ids: list[UUID]
    priority: int
    attempt: int
    max_retries: int
    back_off: dict[str, float] | None
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
    order_place: UUID | None


class _Replay(msgspec.Struct, frozen=True):
    replay_of: UUID
    id: UUID


Kind = TypeVar("Kind")


def _both(name: str, kind: type[Kind]) -> dict[bool, Statement[Kind]]:
    """A statement for who may see everything (False), and for a limited caller (True)."""
    return {
        limited: Statement("features/dead_letters", f"{name}_within" if limited else name, kind, fresh_plan=True)
        for limited in (False, True)
    }


_NUMBER_OPEN = Statement("features/dead_letters", "number_open", int)
_PAGE = _both("page", DeadLetter)
_MATCHING = _both("matching", UUID)
_NUMBER = _both("number", int)
_SUMMARY = _both("summary", Count)
_ORIGINALS = Statement("features/dead_letters", "originals", Original)
_REPLAYS = Statement("features/dead_letters", "replays", _Replay)


async def page(
    connection: Connection, wanted: Filter, scope: Scope, *, before: UUID | None, limit: int
) -> list[DeadLetter]:
    """Open dead letters that a caller may read, newest first, older than `before`."""
    return await _PAGE[scope.limited].fetch_all(connection, **_asked(wanted, scope), before=before, limit=limit)


async def matching(
    connection: Connection, wanted: Filter, scope: Scope, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Ids of open dead letters that a caller may command, oldest first, younger than `after`."""
    asked = _asked(wanted, scope, "command")
    return await _MATCHING[scope.limited].fetch_all(connection, **asked, after=after, limit=limit)


async def number(connection: Connection, wanted: Filter, scope: Scope, *, after: UUID | None) -> int:
    """How many open dead letters there are that a caller may command, younger than `after`."""
    asked = _asked(wanted, scope, "command")
    return await _NUMBER[scope.limited].fetch_one(connection, **asked, after=after) or 0


async def summary(connection: Connection, wanted: Filter, scope: Scope, *, most: int) -> list[Count]:
    """Numbers by kind and name of those that a caller may read, the largest `most` of each kind first."""
    return await _SUMMARY[scope.limited].fetch_all(connection, **_asked(wanted, scope), most=most)


def _asked(wanted: Filter, scope: Scope, want: str = "read") -> dict[str, Any]:
    return {**asdict(wanted), **scope.parameters, "want": want}


async def originals(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Original]:
    """What replays of these commands take over. In the transaction that locked them."""
    return {original.id: original for original in await _ORIGINALS.fetch_all(connection, ids=list(ids))}


async def replays(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The replay of each of these commands that has one."""
    return {replay.replay_of: replay.id for replay in await _REPLAYS.fetch_all(connection, ids=list(ids))}


async def number_open(connection: Connection) -> int:
    """How many there are in all."""
    return await _NUMBER_OPEN.fetch_one(connection) or 0
