"""Reading dead letters: lists, counts, and what a replay takes over. They are closed as all commands are moved, by
`transitions`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import asdict

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


_NUMBER_OPEN = Statement("features/dead_letters", "number_open", int)
_PAGE = Statement("features/dead_letters", "page", DeadLetter, fresh_plan=True)
_MATCHING = Statement("features/dead_letters", "matching", UUID, fresh_plan=True)
_NUMBER = Statement("features/dead_letters", "number", int, fresh_plan=True)
_SUMMARY = Statement("features/dead_letters", "summary", Count, fresh_plan=True)
_ORIGINALS = Statement("features/dead_letters", "originals", Original)
_REPLAYS = Statement("features/dead_letters", "replays", _Replay)


async def page(connection: Connection, wanted: Filter, *, before: UUID | None, limit: int) -> list[DeadLetter]:
    """Open dead letters, newest first, older than `before`."""
    return await _PAGE.fetch_all(connection, **asdict(wanted), before=before, limit=limit)


async def matching(connection: Connection, wanted: Filter, *, after: UUID | None, limit: int) -> list[UUID]:
    """Ids of open dead letters, oldest first, younger than `after`."""
    return await _MATCHING.fetch_all(connection, **asdict(wanted), after=after, limit=limit)


async def number(connection: Connection, wanted: Filter, *, after: UUID | None) -> int:
    """How many open dead letters there are, younger than `after`."""
    return await _NUMBER.fetch_one(connection, **asdict(wanted), after=after) or 0


async def summary(connection: Connection, wanted: Filter, *, most: int) -> list[Count]:
    """Numbers by kind and name, the largest `most` of each kind first."""
    return await _SUMMARY.fetch_all(connection, **asdict(wanted), most=most)


async def originals(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Original]:
    """What replays of these commands take over. In the transaction that locked them."""
    return {original.id: original for original in await _ORIGINALS.fetch_all(connection, ids=list(ids))}


async def replays(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The replay of each of these commands that has one."""
    return {replay.replay_of: replay.id for replay in await _REPLAYS.fetch_all(connection, ids=list(ids))}


async def number_open(connection: Connection) -> int:
    """How many there are in all."""
    return await _NUMBER_OPEN.fetch_one(connection) or 0
