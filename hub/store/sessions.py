"""Evidence of presence and the identity of journals. Locked rows; policy decides; the row is written back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from hub.domain.presence import Evidence, Identity
from hub.store.engine import Connection
from hub.store.sql import statement
from schemas.states import Level, Presence

_LOCK = statement("sessions", "lock")
_LOCK_ONLINE = statement("sessions", "lock_online")
_SAVE_PRESENCE = statement("sessions", "save_presence")
_SAVE_BIRTH = statement("sessions", "save_birth")
_HISTORY = statement("sessions", "history")
_CONFIRM = statement("sessions", "confirm_epochs")
_SAVE_STATE = statement("sessions", "save_state")
_SUPERSEDED = statement("sessions", "superseded")
_READ_HISTORY = statement("sessions", "read_history")
_NOW = statement("sessions", "now")


@dataclass(frozen=True, slots=True)
class LockedSession:
    """What the hub knows of a client, locked in the present transaction."""

    client_id: str
    client_status: str
    evidence: Evidence
    identity: Identity
    keep_away: str | None
    now: datetime


def _session(row: DictRow) -> LockedSession:
    return LockedSession(
        client_id=row["client_id"],
        client_status=row["client_status"],
        evidence=Evidence(
            presence=Presence(row["presence"]),
            reason=row["presence_reason"],
            session=row["session"],
            connection=row["connection"],
            level=Level(row["level"]),
            heard_at=row["heard_at"],
            since=row["presence_since"],
        ),
        identity=Identity(
            journal=row["journal"],
            issued=row["epoch_issued"],
            confirmed=row["epoch_confirmed"],
            session=row["session"],
        ),
        keep_away=row["keep_away"],
        now=row["now"],
    )


async def lock(connection: Connection, client_ids: Sequence[str]) -> dict[str, LockedSession]:
    """Lock sessions in id order. Needs a transaction."""
    cursor = await connection.execute(_LOCK, {"client_ids": sorted(set(client_ids))})
    return {row["client_id"]: _session(row) for row in await cursor.fetchall()}


async def lock_online(connection: Connection, before: datetime) -> list[LockedSession]:
    """Lock the sessions of clients that count as online and were last heard before a moment."""
    cursor = await connection.execute(_LOCK_ONLINE, {"before": before})
    return [_session(row) for row in await cursor.fetchall()]


async def save_presence(connection: Connection, client_id: str, old: Evidence, new: Evidence) -> None:
    """Write evidence back, and a row of history when the presence or the connection changed."""
    if new == old:
        return
    await connection.execute(
        _SAVE_PRESENCE,
        {
            "client_id": client_id,
            "presence": new.presence.value,
            "reason": new.reason,
            "since": new.since,
            "heard_at": new.heard_at,
            "level": new.level.value,
            "session": new.session,
            "connection": new.connection,
        },
    )
    if (new.presence, new.session, new.connection) != (old.presence, old.session, old.connection):
        await connection.execute(
            _HISTORY,
            {
                "client_id": client_id,
                "at": new.heard_at if new.presence is old.presence else new.since,
                "presence": new.presence.value,
                "reason": new.reason,
                "session": new.session,
                "connection": new.connection,
            },
        )


async def superseded(connection: Connection, client_id: str, session: str, number: int) -> bool:
    """Whether this connection (by its number) of a session that is not the present one was seen before."""
    parameters = {"client_id": client_id, "session": session, "connection": number}
    cursor = await connection.execute(_SUPERSEDED, parameters)
    row = await cursor.fetchone()
    return row is not None and bool(row["superseded"])


async def save_birth(
    connection: Connection,
    client_id: str,
    identity: Identity,
    *,
    agent_name: str,
    agent_version: str,
    clock_skew: timedelta,
) -> None:
    """Write what a birth established."""
    await connection.execute(
        _SAVE_BIRTH,
        {
            "client_id": client_id,
            "journal": identity.journal,
            "issued": identity.issued,
            "confirmed": identity.confirmed,
            "agent_name": agent_name,
            "agent_version": agent_version,
            "clock_skew_s": clock_skew.total_seconds(),
        },
    )


@dataclass(frozen=True, slots=True)
class Life:
    """A sign of life that carries an epoch: a heartbeat or reports."""

    client_id: str
    session: str
    epoch: int | None


async def confirm(connection: Connection, signs: Sequence[Life]) -> dict[str, str]:
    """Record signs of life of the sessions that the hub knows; the stored presence of each client heard."""
    latest = {sign.client_id: sign for sign in signs}
    rows = [
        {"client_id": sign.client_id, "session": sign.session, "epoch": sign.epoch}
        for sign in sorted(latest.values(), key=lambda sign: sign.client_id)
    ]
    cursor = await connection.execute(_CONFIRM, {"rows": Jsonb(rows)})
    return {row["client_id"]: row["presence"] for row in await cursor.fetchall()}


async def save_state(connection: Connection, client_id: str, state: dict[str, Any]) -> None:
    """Keep the client's latest description of itself."""
    await connection.execute(_SAVE_STATE, {"client_id": client_id, "state": Jsonb(state)})


async def history(connection: Connection, client_id: str, *, before: datetime | None, limit: int) -> list[DictRow]:
    """Changes of presence, newest first."""
    cursor = await connection.execute(_READ_HISTORY, {"client_id": client_id, "before": before, "limit": limit})
    return await cursor.fetchall()


async def now(connection: Connection) -> datetime:
    """The hub's clock, which is Postgres's."""
    cursor = await connection.execute(_NOW)
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    moment: datetime = row["now"]
    return moment
