"""Sign-ins that failed lately."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from hub.database.engine import Connection
from hub.database.statements import Statement


class Bucket(msgspec.Struct, frozen=True):
    """What failures are counted by, how many there may be, and after which time they are forgotten."""

    key: bytes
    most: int
    lasts: timedelta


class Counted(msgspec.Struct, frozen=True):
    """What counting one more said; `resets_at`: None: it may be tried, else not before."""

    resets_at: datetime | None
    now: datetime


_COUNT = Statement("core/access/throttle", "count_attempts", Counted)
_WAS_HERE = Statement("core/access/throttle", "was_here", bool)
_FORGIVE = Statement("core/access/throttle", "forgive_attempts")


async def count(connection: Connection, buckets: Sequence[Bucket]) -> Counted:
    """One more try in each bucket; nothing is counted when one of them is full."""
    counted = await _COUNT.fetch_one(
        connection,
        buckets=[bucket.key for bucket in buckets],
        most=[bucket.most for bucket in buckets],
        lasts=[bucket.lasts for bucket in buckets],
    )
    assert counted is not None  # noqa: S101 - it selects one row
    return counted


async def was_here(connection: Connection, login: str, address: str | None) -> bool:
    """Whether somebody has signed in with a login from an address lately."""
    return bool(await _WAS_HERE.fetch_one(connection, login=login, address=address))


async def forgive(connection: Connection, keys: Sequence[bytes]) -> None:
    """Take one try back in each bucket."""
    await _FORGIVE.execute(connection, buckets=list(keys))
