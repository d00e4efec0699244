"""Writing new commands: one statement for a whole group of requests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg.errors
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from hub.core.audit.store import WROTE
from hub.database.engine import Connection, mark
from hub.database.hot import HotStatement
from hub.database.statements import Statement, statement

_SUBMIT = HotStatement("core/commands/submit", "submit")
_SUSPECT = Statement("core/commands/submit", "suspect")
_PLAN_FOR_MANY = statement("core/commands/submit", "plan_for_many")


class NewCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command to be written; fields as in the table `commands`. Exactly one of `expires_at` and `expires_in_s`
    (from `not_before`, or else from now, by the database's clock) is set."""

    id: UUID
    client_id: str
    action: str
    lane: str
    payload: dict[str, Any]
    document_ids: list[UUID]
    priority: int
    max_retries: int
    not_before: datetime | None
    expires_at: datetime | None
    expires_in_s: float | None
    timeout_s: float
    on_interrupt: str
    order_key: str | None
    when_offline: str
    reference: str | None
    tags: list[str]
    estimated_duration_s: float | None
    traceparent: str | None
    created_by: UUID
    limited: bool
    """Whether `floorhub_allows` is to be asked for `created_by`; see `Scope`."""
    scope_key: UUID | None
    """The key that the principal showed; None: none, as with what it left behind."""
    address: str | None
    idempotency_route: str | None = None
    idempotency_key: str | None = None
    request_sha256: str | None = None
    """Hex."""
    batch_id: UUID | None = None
    replay_of: UUID | None = None
    order_place: UUID | None = None
    """The id in whose place it stands among those of its order key; None for its own."""
    back_off: dict[str, float] | None = None
    """first_delay_s, factor and cap_s; None: the hub's own."""


class Verdict(msgspec.Struct, frozen=True):
    """What became of one new command. `refusal` is None when it was accepted, else one of repeated, client_not_found
    (also: the principal may not see it), grant_missing, client_retired, client_disabled, action_not_allowed,
    client_offline, already_expired, never_due, document_not_found, quota_exceeded, rate_limited."""

    refusal: str | None
    at: datetime
    expires_at: datetime
    minute_left: int
    day_left: int
    minute_reset: datetime
    day_reset: datetime
    minute_limit: int = 0
    day_limit: int = 0


class KeyCollisionError(Exception):
    """Another request with the same idempotency key was written meanwhile; nothing of this call was."""


async def submit(connection: Connection, commands: Sequence[NewCommand]) -> list[Verdict]:
    """Store what may be stored, in the order given; one verdict each. Commits by itself on an autocommit connection.

    Raises KeyCollisionError when an idempotency key came into being meanwhile.
    """
    mark(connection, WROTE)
    try:
        cursor = await _SUBMIT.execute(connection, rows=Jsonb(commands))
    except psycopg.errors.UniqueViolation as problem:
        if problem.diag.constraint_name != "idempotency_keys_pkey":
            raise
        raise KeyCollisionError from problem
    verdicts = _verdicts(await cursor.fetchall())
    await _suspect(connection, commands, verdicts)
    return verdicts


async def submit_many(connection: Connection, commands: Sequence[NewCommand]) -> list[Verdict]:
    """The same for thousands of commands at once, without keys. Needs a transaction, which it makes plan anew."""
    mark(connection, WROTE)
    await plan_for_many(connection)
    cursor = await _SUBMIT.execute(connection, prepare=False, rows=Jsonb(commands))
    verdicts = _verdicts(await cursor.fetchall())
    await _suspect(connection, commands, verdicts)
    return verdicts


async def _suspect(connection: Connection, commands: Sequence[NewCommand], verdicts: Sequence[Verdict]) -> None:
    """Say of which clients far more was asked than their day allows."""
    over = {
        command.client_id: command.address
        for command, verdict in zip(commands, verdicts, strict=True)
        if verdict.refusal == "quota_exceeded"
    }
    if over:
        await _SUSPECT.execute(connection, client_ids=list(over), addresses=list(over.values()))


async def plan_for_many(connection: Connection) -> None:
    """Have the rest of a transaction planned for thousands of rows."""
    await connection.execute(_PLAN_FOR_MANY)


def _verdicts(rows: Sequence[DictRow]) -> list[Verdict]:
    return [
        Verdict(
            refusal=row["verdict"],
            at=row["at"],
            expires_at=row["expires_at"],
            minute_left=row["minute_left"] or 0,
            day_left=row["day_left"] or 0,
            minute_reset=row["minute_reset"],
            day_reset=row["day_reset"],
            minute_limit=row["minute_limit"] or 0,
            day_limit=row["day_limit"] or 0,
        )
        for row in rows
    ]
