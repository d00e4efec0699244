"""Nonces, and the processes among which limits are divided."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from hub.database.engine import Connection
from hub.database.statements import Statement
from hub.signals.notifications import NAMES

QUOTA_TIME_ZONE = "quota_time_zone"
ALIVE_S = 16.0
"""A process that has said nothing for so long is gone: three beats, one of which got lost."""
FORGET_S = 600.0


class Beat(msgspec.Struct, frozen=True):
    """The hub's clock, and how many other processes answer HTTP; how many workers there are by their names, and how
    many say so themselves, which those of the version before do not."""

    now: datetime
    others: int
    names: int
    workers: int


_TAKE_NONCE = Statement("core/limits", "take_nonce")
_FORGET_NONCES = Statement("core/limits", "forget_nonces")
_BEAT = Statement("core/limits", "beat", Beat)
_LEAVE = Statement("core/limits", "leave")
_SET_SETTING = Statement("core/limits", "set_setting")
_KNOWS_ZONE = Statement("core/limits", "knows_zone", bool)


async def take_nonce(connection: Connection, principal_id: UUID, sha256: bytes) -> bool:
    """Whether a principal uses a nonce for the first time."""
    return await _TAKE_NONCE.execute(connection, principal_id=principal_id, sha256=sha256) > 0


async def forget_nonces(connection: Connection, before: datetime, most: int) -> int:
    """Take away up to so many of the oldest; how many there were."""
    return await _FORGET_NONCES.execute(connection, before=before, most=most)


async def beat(connection: Connection, process_id: UUID, roles: Sequence[str]) -> Beat:
    """Say that a process lives."""
    found = await _BEAT.fetch_one(
        connection, id=process_id, roles=list(roles), alive_s=ALIVE_S, forget_s=FORGET_S, names=NAMES
    )
    assert found is not None  # noqa: S101 - a SELECT without FROM has one row
    return found


async def leave(connection: Connection, process_id: UUID) -> None:
    """Say that a process ends."""
    await _LEAVE.execute(connection, id=process_id)


async def set_quota_time_zone(connection: Connection, name: str) -> bool:
    """Whose midnight begins the day of a client's limit, from now on; whether it was another before."""
    return await _SET_SETTING.execute(connection, name=QUOTA_TIME_ZONE, value=name) > 0


async def knows_zone(connection: Connection, name: str) -> bool:
    """Whether Postgres has a time zone."""
    return bool(await _KNOWS_ZONE.fetch_one(connection, name=name))
