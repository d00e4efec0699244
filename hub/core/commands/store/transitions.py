"""Locked reads and guarded moves of commands: the one way by which a status changes after submit and claim.

What is to become of a command is decided and folded in `rules.lifecycle`; here it is locked and applied.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from hub.core.commands.rules.lifecycle import HANDED_OUT, Command, LockedCommand, Status
from hub.core.commands.rules.policies import retry_policy
from hub.core.commands.store.commands import StoredCommand
from hub.database.engine import Connection
from hub.database.hot import HotStatement
from hub.database.statements import statement

_LOCK = HotStatement("core/commands/transitions", "lock")
_LOCK_OVERDUE = statement("core/commands/transitions", "lock_overdue")
_LOCK_HANDED_OUT = statement("core/commands/transitions", "lock_handed_out")
_LOCK_RESTORED = statement("core/commands/transitions", "lock_restored")
_LOCK_SHUTDOWNS = statement("core/commands/transitions", "lock_shutdowns")
_LOCK_REBOOTS = statement("core/commands/transitions", "lock_reboots")
_APPLY = HotStatement("core/commands/transitions", "apply")
_QUARANTINE = statement("core/commands/transitions", "quarantine")


def locked(row: DictRow) -> LockedCommand:
    """A command as one of the statements that lock gave it."""
    status = Status(row["status"])
    return LockedCommand(
        id=row["id"],
        client_id=row["client_id"],
        state=Command(
            status=status,
            attempt=row["attempt"],
            expires_at=row["expires_at"],
            timeout_s=row["timeout_s"],
            retry=retry_policy(row["max_retries"], row["back_off"]),
            cancel_requested=row["cancel_requested_at"] is not None,
            held=bool(row["held_reasons"]),
            accepted=row["accepted_at"] is not None,
            rerun=row["on_interrupt"] == "rerun",
            unknown_reason=row["unknown_reason"],
            deadline_at=row["deadline_at"],
            dead_letter_reason=row["dead_letter_reason"],
            dead_letter_closed_by=row["dead_letter_closed_by"],
            goodbye_at=row["goodbye_at"],
            restored=row["restored"],
        ),
        version=row["version"],
        now=row["now"],
        created_at=row["created_at"],
        seen=frozenset(row["seen"]),
        from_status=status,
        from_attempt=row["attempt"],
        from_deadline_at=row["deadline_at"],
        held_reasons=row["held_reasons"],
        finished_at=row["finished_at"],
        leased=row["lease_until"] is not None and status in HANDED_OUT,
    )


def handed_out(row: DictRow) -> LockedCommand:
    """A command as a claim has just handed it out: as good as locked, until somebody else changes it."""
    return LockedCommand(
        id=row["id"],
        client_id=row["client_id"],
        state=Command(
            status=Status.QUEUED,
            attempt=row["attempt"],
            expires_at=row["expires_at"],
            timeout_s=row["timeout_s"],
            retry=retry_policy(row["max_retries"], row["back_off"]),
            rerun=row["on_interrupt"] == "rerun",
            deadline_at=row["deadline_at"],
        ),
        version=row["version"],
        now=row["issued_at"],
        created_at=row["created_at"],
        seen=frozenset(),
        from_status=Status.QUEUED,
        from_attempt=row["attempt"],
        from_deadline_at=row["deadline_at"],
        leased=True,
    )


async def lock(
    connection: Connection, ids: Sequence[UUID], report_ids: Sequence[UUID] = ()
) -> dict[UUID, LockedCommand]:
    """Lock commands in id order. Ids that do not exist are missing in the answer. Needs a transaction."""
    cursor = await _LOCK.execute(connection, ids=list(ids), report_ids=list(report_ids))
    return {row["id"]: locked(row) for row in await cursor.fetchall()}


async def lock_overdue(connection: Connection, most: int) -> list[LockedCommand]:
    """Lock commands whose deadline has passed. Needs a transaction."""
    cursor = await connection.execute(_LOCK_OVERDUE, {"most": most})
    return [locked(row) for row in await cursor.fetchall()]


async def lock_handed_out(connection: Connection, client_id: str) -> list[LockedCommand]:
    """Lock all that a client holds. Needs a transaction."""
    cursor = await connection.execute(_LOCK_HANDED_OUT, {"client_id": client_id})
    return [locked(row) for row in await cursor.fetchall()]


async def lock_restored(connection: Connection, client_id: str) -> list[LockedCommand]:
    """Lock what a restored database shows as not handed out to a client, although it may have been. Needs a
    transaction."""
    cursor = await connection.execute(_LOCK_RESTORED, {"client_id": client_id})
    return [locked(row) for row in await cursor.fetchall()]


async def lock_shutdowns(connection: Connection, client_ids: Sequence[str], *, said: bool) -> list[LockedCommand]:
    """Lock the shutdowns of these clients, whose good-bye was heard already (`said`) or may be what they lead to. Needs
    a transaction."""
    cursor = await connection.execute(_LOCK_SHUTDOWNS, {"client_ids": list(client_ids), "said": said})
    return [locked(row) for row in await cursor.fetchall()]


async def lock_reboots(connection: Connection, client_id: str) -> list[LockedCommand]:
    """Lock the reboots that a client has begun. Needs a transaction."""
    cursor = await connection.execute(_LOCK_REBOOTS, {"client_id": client_id})
    return [locked(row) for row in await cursor.fetchall()]


async def apply(connection: Connection, commands: Iterable[LockedCommand]) -> set[UUID]:
    """Write what was folded into `commands`; answers with the ids that moved. A command that is missing was changed by
    somebody else since it was read."""
    return set(await apply_timed(connection, commands))


class Moved(msgspec.Struct, frozen=True):
    """That a command moved: the database's clock, and the command as it is now, if it was awaited and has ended."""

    at: datetime
    ended: StoredCommand | None = None


async def apply_timed(
    connection: Connection, commands: Iterable[LockedCommand], awaited: Collection[UUID] = ()
) -> dict[UUID, Moved]:
    """The same; what moved, by its id. `awaited`: of these the end is to be shown."""
    # In id order, as all who lock several commands.
    rows = [command.row() for command in sorted(commands, key=lambda command: command.id) if command.to_write]
    if not rows:
        return {}
    cursor = await _APPLY.execute(connection, rows=Jsonb(rows), awaited=list(awaited))
    return {row["id"]: Moved(row["now"], _ended(row["ended"])) for row in await cursor.fetchall()}


def _ended(row: DictRow | None) -> StoredCommand | None:
    return None if row is None else msgspec.convert(row, StoredCommand)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A report that nothing could be done with; `report` is its text, cleaned and capped."""

    client_id: str
    report_id: UUID | None
    command_id: UUID | None
    reason: str
    report: str


async def quarantine(connection: Connection, reports: Sequence[Unusable]) -> None:
    """Keep unusable reports for people."""
    if reports:
        rows = [
            {
                "client_id": report.client_id,
                "report_id": report.report_id,
                "command_id": report.command_id,
                "reason": report.reason,
                "report": report.report,
            }
            for report in reports
        ]
        await connection.execute(_QUARANTINE, {"rows": Jsonb(rows)})
