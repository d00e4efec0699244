"""Claiming commands for clients, sending again what had no word, and the times of the next look."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from psycopg import AsyncRawCursor
from psycopg.rows import DictRow

from hub.core.commands.rules import lanes, lifecycle
from hub.core.commands.rules.lifecycle import LockedCommand
from hub.core.commands.store.transitions import handed_out
from hub.database.engine import Connection
from hub.database.hot import HotStatement
from hub.database.statements import statement
from schemas.messages import Cancel, Run
from schemas.states import OnInterrupt, ReportStatus

FIRST_LEASE_S = 5.0

_CLIENTS_WITH_WORK = statement("core/commands/dispatch", "clients_with_work")
_LOCK_CLIENTS = HotStatement("core/commands/dispatch", "lock_clients")
_CLAIM = HotStatement("core/commands/dispatch", "claim")
_RESEND = statement("core/commands/dispatch", "resend")
_RESEND_CANCELS = statement("core/commands/dispatch", "resend_cancels")
_OFFER_AGAIN = statement("core/commands/dispatch", "offer_again")
_ASK_AGAIN = statement("core/commands/dispatch", "ask_again")
_MARK_SENT = HotStatement("core/commands/dispatch", "mark_sent")
_WAKE = statement("core/commands/dispatch", "wake_scheduled")
_NEXT_DUE = statement("core/commands/dispatch", "next_due")


class Claim(msgspec.Struct, frozen=True):
    """What one round of dispatch took: the runs to publish, the same as rows to decide about, the clients that another
    worker held, and those of whom everything that is due was taken."""

    runs: list[Run]
    handed_out: list[LockedCommand]
    skipped: set[str]
    emptied: set[str]


def run_of(row: DictRow) -> Run:
    """The message for a row that a statement of dispatch gave."""
    return Run(
        client_id=row["client_id"],
        command_id=row["id"],
        attempt=row["attempt"],
        lane=row["lane"],
        action=row["action"],
        payload=row["payload"],
        priority=row["priority"],
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
        timeout_s=row["timeout_s"],
        on_interrupt=OnInterrupt(row["on_interrupt"]),
        journal=row["journal"],
        order_key=row["order_key"],
        traceparent=row["traceparent"],
        heard=ReportStatus(heard) if (heard := row.get("heard")) else None,
    )


async def clients_with_work(connection: Connection) -> set[str]:
    """Clients that have something due and may be sent to."""
    cursor = await connection.execute(_CLIENTS_WITH_WORK)
    return {row["client_id"] for row in await cursor.fetchall()}


async def claim(connection: Connection, client_ids: Sequence[str], *, alone: bool = False) -> Claim:
    """Move what is due from pending to queued, up to the free windows. It commits by itself unless the connection is in
    a transaction: publish only after the commit.

    `alone`: no other worker claims just now, so that nobody need be kept off these clients, and one statement does.
    Were it wrong, a window could be overfilled for once; no command would be claimed twice, and no order key broken.
    """
    wanted = sorted(set(client_ids))
    if alone:
        rows = await (await _claim(connection, wanted)).fetchall()
        return _claimed(rows, skipped=set())
    async with connection.pipeline(), connection.transaction():
        lock = await _LOCK_CLIENTS.execute(connection, client_ids=wanted)
        taken = await _claim(connection, None)
    [locked] = await lock.fetchall()
    return _claimed(await taken.fetchall(), skipped=set(wanted) - set(locked["locked"].split(",")))


async def _claim(connection: Connection, client_ids: list[str] | None) -> AsyncRawCursor[DictRow]:
    return await _CLAIM.execute(
        connection,
        client_ids=client_ids,
        per_lane=lanes.PER_LANE,
        per_client=lanes.PER_CLIENT,
        urgent=lanes.URGENT_PRIORITY,
        oldest_every=lanes.OLDEST_EVERY,
        lease_s=FIRST_LEASE_S,
        grace_s=lifecycle.NO_WORD_GRACE.total_seconds(),
    )


def _claimed(rows: Sequence[DictRow], skipped: set[str]) -> Claim:
    return Claim(
        [run_of(row) for row in rows],
        [handed_out(row) for row in rows],
        skipped,
        {row["client_id"] for row in rows if not row["left_over"]},
    )


async def resend(connection: Connection, most: int = 500) -> list[Run]:
    """Attempts whose lease ran out, to be published again: the most urgent first, then the oldest, since an agent that
    has just started begins what comes first."""
    cursor = await connection.execute(_RESEND, {"most": most})
    return sorted(map(run_of, await cursor.fetchall()), key=lambda run: (-run.priority, run.command_id))


async def resend_cancels(connection: Connection, most: int = 500) -> list[Cancel]:
    """Cancels without an answer, to be published again."""
    cursor = await connection.execute(_RESEND_CANCELS, {"most": most})
    return [
        Cancel(client_id=row["client_id"], cancel_id=row["cancel_id"], command_id=row["id"])
        for row in await cursor.fetchall()
        if row["status"] in lifecycle.HANDED_OUT
    ]


async def offer_again(connection: Connection, client_id: str, journal: str) -> int:
    """After a birth: make due at once whatever this client holds or gave no word about. How many."""
    cursor = await connection.execute(_OFFER_AGAIN, {"client_id": client_id, "journal": journal})
    return len(await cursor.fetchall())


async def ask_again(connection: Connection, spread_s: float) -> int:
    """After a start: make due within so many seconds whatever agents have that are there. How many."""
    cursor = await connection.execute(_ASK_AGAIN, {"spread_s": spread_s})
    return len(await cursor.fetchall())


async def mark_sent(connection: Connection, acknowledged: Mapping[UUID, float]) -> None:
    """Record when the broker acknowledged these runs: so many seconds ago."""
    ages = [float(age) for age in acknowledged.values()]
    await _MARK_SENT.execute(connection, ids=list(acknowledged), ages_s=ages)


async def wake_scheduled(connection: Connection, most: int = 5_000) -> set[str]:
    """Let commands in whose time has come; the clients that they are for."""
    cursor = await connection.execute(_WAKE, {"most": most})
    return {row["client_id"] for row in await cursor.fetchall()}


async def seconds_to_next_due(connection: Connection) -> float | None:
    """How long until a command becomes due or passes its deadline; None when neither lies ahead."""
    cursor = await connection.execute(_NEXT_DUE)
    row = await cursor.fetchone()
    return None if row is None else row["seconds"]
