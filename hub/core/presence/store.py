"""Evidence of presence and the identity of journals. Locked rows; policy decides; the row is written back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from hub.core.presence.rules.identity import Identity, Lived, Offer
from hub.core.presence.rules.liveness import Life, joined
from hub.core.presence.rules.presence import Evidence, recorded_at
from hub.database.engine import Connection
from hub.database.statements import statement
from schemas.states import Level, Presence

_LOCK = statement("core/presence", "lock")
_LOCK_ONLINE = statement("core/presence", "lock_online")
_SAVE_PRESENCE = statement("core/presence", "save_presence")
_SAVE_IDENTITY = statement("core/presence", "save_identity")
_SAVE_BIRTH = statement("core/presence", "save_birth")
_HISTORY = statement("core/presence", "history")
_CONFIRM = statement("core/presence", "confirm")
_LIVES = statement("core/presence", "lives")
_KEEP_AWAY = statement("core/presence", "keep_away")
_RELEASE = statement("core/presence", "release")
_FORGET_BOOT = statement("core/presence", "forget_boot")
_SAVE_STATE = statement("core/presence", "save_state")
_SUPERSEDED = statement("core/presence", "superseded")
_READ_HISTORY = statement("core/presence", "read_history")


@dataclass(frozen=True, slots=True)
class LockedSession:
    """What the hub knows of a client, locked in the present transaction."""

    client_id: str
    client_status: str
    evidence: Evidence
    identity: Identity
    keep_away: str | None
    """Why nothing is dispatched: two machines use this identity."""
    watched_from: int
    """Only epochs made after this one count as proof of that."""
    now: datetime
    boot: str | None = None
    """The machine's, as the present session's birth told it."""


class Sessions(Protocol):
    """What services need of a store of sessions. This module is that over Postgres; the same cases run against each
    implementation (`tests/contract/presence`). Each function takes the connection of a transaction first."""

    async def lock(self, connection: Connection, /, client_ids: Sequence[str]) -> dict[str, LockedSession]:
        """Lock sessions in id order. Clients that do not exist are missing in the answer."""

    async def lock_online(self, connection: Connection, /, before: datetime) -> list[LockedSession]:
        """Lock the sessions of clients that count as online and were last heard before a moment, in id order."""

    async def save_presence(
        self,
        connection: Connection,
        /,
        client_id: str,
        old: Evidence,
        new: Evidence,
        *,
        shown: int | None = None,
        issued: int | None = None,
    ) -> None:
        """Write evidence back, and a row of history when the presence or the connection changed."""

    async def record_doubt(
        self,
        connection: Connection,
        /,
        client_id: str,
        seen: Evidence,
        at: datetime,
        *,
        shown: int | None,
        issued: int,
    ) -> None:
        """A row of history about a birth that changed nothing."""

    async def superseded(self, connection: Connection, /, client_id: str, session: str, number: int) -> bool:
        """Whether this connection (by its number), or a later one, of a session was seen before."""

    async def lives(self, connection: Connection, /, client_id: str, watched_from: int) -> list[Lived]:
        """What the births of the last hour tell of each session, by epochs made after `watched_from`."""

    async def keep_away(
        self, connection: Connection, /, client_id: str, reason: str, detail: Mapping[str, Any]
    ) -> None:
        """Stop dispatch to a client that two machines claim to be."""

    async def release(self, connection: Connection, /, client_id: str) -> bool:
        """Let dispatch to a client go on; False when it was not stopped."""

    async def save_identity(self, connection: Connection, /, client_id: str, identity: Identity) -> None:
        """Write what is known of a client's journal. Its session is part of the evidence of presence."""

    async def save_birth(
        self,
        connection: Connection,
        /,
        client_id: str,
        *,
        agent_name: str,
        agent_version: str,
        clock_skew: timedelta,
        boot: str | None = None,
    ) -> None:
        """Write what a birth says of the agent and its machine."""

    async def forget_boot(self, connection: Connection, /, client_id: str) -> None:
        """Another session became the present one, and its birth is not at hand: which boot it is of is not known."""

    async def save_state(self, connection: Connection, /, client_id: str, state: dict[str, Any]) -> None:
        """Keep the client's latest description of itself."""

    async def confirm(self, connection: Connection, /, signs: Sequence[Life]) -> set[tuple[str, str]]:
        """Record observations: (client, presence) of those heard, or what else stands for it or beside it: `OFFERED`,
        `CONFIRMED`, `AHEAD`. Needs no transaction."""


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
            mark=row["journal_mark"],
            since=row["journal_epoch"],
            offers=tuple(Offer(**offer) for offer in row["offers"]),
        ),
        keep_away=row["keep_away"],
        watched_from=row["watched_from"],
        now=row["now"],
        boot=row["boot"],
    )


async def lock(connection: Connection, client_ids: Sequence[str]) -> dict[str, LockedSession]:
    """Lock sessions in id order. Needs a transaction."""
    cursor = await connection.execute(_LOCK, {"client_ids": sorted(set(client_ids))})
    return {row["client_id"]: _session(row) for row in await cursor.fetchall()}


async def lock_online(connection: Connection, before: datetime) -> list[LockedSession]:
    """Lock the sessions of clients that count as online and were last heard before a moment."""
    cursor = await connection.execute(_LOCK_ONLINE, {"before": before})
    return [_session(row) for row in await cursor.fetchall()]


async def save_presence(
    connection: Connection,
    client_id: str,
    old: Evidence,
    new: Evidence,
    *,
    shown: int | None = None,
    issued: int | None = None,
) -> None:
    """Write evidence back, and a row of history when the presence or the connection changed.

    `shown` and `issued` are the epoch that a birth showed and the one that its welcome carries.
    """
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
    at = recorded_at(old, new)
    if at is not None:
        await _record(connection, client_id, new, at, shown=shown, issued=issued)


async def record_doubt(
    connection: Connection, client_id: str, seen: Evidence, at: datetime, *, shown: int | None, issued: int
) -> None:
    """A row of history about a birth that changed nothing. `seen` has its session and connection."""
    await _record(connection, client_id, seen, at, shown=shown, issued=issued)


async def _record(
    connection: Connection,
    client_id: str,
    seen: Evidence,
    at: datetime,
    *,
    shown: int | None,
    issued: int | None,
) -> None:
    await connection.execute(
        _HISTORY,
        {
            "client_id": client_id,
            "at": at,
            "presence": seen.presence.value,
            "reason": seen.reason,
            "session": seen.session,
            "connection": seen.connection,
            "epoch_shown": shown,
            "epoch_issued": issued,
        },
    )


async def superseded(connection: Connection, client_id: str, session: str, number: int) -> bool:
    """Whether this connection (by its number) of a session that is not the present one was seen before."""
    parameters = {"client_id": client_id, "session": session, "connection": number}
    cursor = await connection.execute(_SUPERSEDED, parameters)
    row = await cursor.fetchone()
    return row is not None and bool(row["superseded"])


async def lives(connection: Connection, client_id: str, watched_from: int) -> list[Lived]:
    """What the births of the last hour tell of each session."""
    cursor = await connection.execute(_LIVES, {"client_id": client_id, "watched_from": watched_from})
    return [Lived(row["session"], row["first_issued"], row["shown"]) for row in await cursor.fetchall()]


async def keep_away(connection: Connection, client_id: str, reason: str, detail: Mapping[str, Any]) -> None:
    """Stop dispatch to a client that two machines claim to be, and write the security event."""
    await connection.execute(_KEEP_AWAY, {"client_id": client_id, "reason": reason, "detail": Jsonb(detail)})


async def release(connection: Connection, client_id: str) -> bool:
    """Let dispatch to a client go on; False when it was not stopped."""
    cursor = await connection.execute(_RELEASE, {"client_id": client_id})
    return await cursor.fetchone() is not None


async def save_identity(connection: Connection, client_id: str, identity: Identity) -> None:
    """Write what is known of a client's journal. Its session is part of the evidence of presence."""
    await connection.execute(
        _SAVE_IDENTITY,
        {
            "client_id": client_id,
            "journal": identity.journal,
            "issued": identity.issued,
            "confirmed": identity.confirmed,
            "mark": identity.mark,
            "since": identity.since,
            "offers": Jsonb([asdict(offer) for offer in identity.offers]),
        },
    )


async def save_birth(
    connection: Connection,
    client_id: str,
    *,
    agent_name: str,
    agent_version: str,
    clock_skew: timedelta,
    boot: str | None = None,
) -> None:
    """Write what a birth says of the agent and its machine."""
    await connection.execute(
        _SAVE_BIRTH,
        {
            "client_id": client_id,
            "agent_name": agent_name,
            "agent_version": agent_version,
            "clock_skew_s": clock_skew.total_seconds(),
            "boot": boot,
        },
    )


async def forget_boot(connection: Connection, client_id: str) -> None:
    """Which boot the present session is of is not known."""
    await connection.execute(_FORGET_BOOT, {"client_id": client_id})


OFFERED = "offered"
"""Stands for the presence of a session that has an open offer."""
CONFIRMED = "confirmed"
"""Stands beside the presence of a client that has shown for the first time that its journal exists."""
AHEAD = "ahead"
"""Stands beside the presence of a client that has shown an epoch which the hub has not made."""


async def confirm(connection: Connection, signs: Sequence[Life]) -> set[tuple[str, str]]:
    """Record observations of the sessions that the hub knows: (client, presence or `OFFERED`, and what else) of
    those heard."""
    rows = [msgspec.structs.asdict(life) for life in joined(signs)]
    cursor = await connection.execute(_CONFIRM, {"rows": Jsonb(rows)})
    return {(row["client_id"], row["presence"]) for row in await cursor.fetchall()}


async def save_state(connection: Connection, client_id: str, state: dict[str, Any]) -> None:
    """Keep the client's latest description of itself."""
    await connection.execute(_SAVE_STATE, {"client_id": client_id, "state": Jsonb(state)})


class StoredChange(msgspec.Struct, frozen=True):
    """One change of a client's presence, or a new connection of it."""

    at: datetime
    presence: str
    reason: str
    session: str | None
    connection: int | None


async def history(connection: Connection, client_id: str, *, before: datetime | None, limit: int) -> list[StoredChange]:
    """Changes of presence, newest first."""
    cursor = await connection.execute(_READ_HISTORY, {"client_id": client_id, "before": before, "limit": limit})
    return [StoredChange(**row) for row in await cursor.fetchall()]
