"""Facts about why commands have not run yet."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hub.core.access.rules import Scope
from hub.database.engine import Connection, reading
from hub.database.statements import statement

_FACTS = statement("features/explain", "facts")
_HIDDEN = statement("features/explain", "hidden")
_STALLED = statement("features/explain", "stalled")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a command; causes of all subjects read it. Lists of other commands are cut off."""

    id: UUID
    client_id: str
    status: str
    attempt: int
    max_retries: int
    lane: str
    priority: int
    not_before: datetime | None
    scheduled: bool
    on_hold: bool
    batch_id: UUID | None
    expires_at: datetime
    sends: int
    queued_at: datetime | None
    sent_at: datetime | None
    lease_until: datetime | None
    accepted_at: datetime | None
    started_at: datetime | None
    goodbye_at: datetime | None
    withheld_at: datetime | None = None
    held_reasons: list[str] | None
    progress: Mapping[str, Any] | None
    cancel_requested_at: datetime | None
    error: Mapping[str, Any] | None
    unknown_reason: str | None
    order_key: str | None
    now: datetime
    client_status: str
    presence: str | None
    presence_since: datetime | None
    session: str | None
    fenced: bool
    unconfirmed: bool | None
    distrusts: str | None
    batch_status: str | None
    stop_reason: str | None
    per_minute: float | None
    blocker: UUID | None
    blocker_is_dead_letter: bool | None
    in_lane: list[UUID]
    at_client: int
    ahead: list[UUID]
    lane_runs: UUID | None
    broker_connected: bool | None = None
    """Whether any hub process is at the broker; not of the database, and None when nobody has said so."""


async def facts(
    connection: Connection, ids: Sequence[UUID], *, broker_connected: bool | None = None
) -> dict[UUID, Facts]:
    """The facts about each command that there is."""
    cursor = reading(connection)
    await cursor.execute(_FACTS, {"ids": list(ids)})
    return {row["id"]: Facts(**row, broker_connected=broker_connected) for row in await cursor.fetchall()}


async def hidden(connection: Connection, ids: Collection[UUID], scope: Scope) -> set[UUID]:
    """Which of these ids are those of commands and batches that a limited caller may not read."""
    asked = {"ids": list(ids), "scope_principal": scope.principal_id, "scope_key": scope.key_id}
    cursor = await connection.execute(_HIDDEN, asked)
    return {row["id"] for row in await cursor.fetchall()}


async def stalled(connection: Connection, *, longer_than_s: float, most: int) -> list[UUID]:
    """Commands that are next in their lanes for so long, although their clients are online; at most `most` of them."""
    cursor = await connection.execute(_STALLED, {"longer_than_s": longer_than_s, "most": most})
    return [row["id"] for row in await cursor.fetchall()]
