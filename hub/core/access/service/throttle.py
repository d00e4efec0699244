"""How often a password may be tried: rows that all hubs share, of bounded size whatever names are tried."""

import hashlib
import math
from collections.abc import Sequence
from datetime import timedelta

from hub.api.proxies import address_of
from hub.core.access.store import throttle as store
from hub.core.access.store.throttle import Bucket
from hub.core.limits.rules import site_of
from hub.database.engine import Database
from hub.errors import RejectedError

PERIOD = timedelta(minutes=15)
OF_BOTH, OF_ADDRESS, OF_LOGIN = 10, 30, 50
"""Failures in a period: of a login from one address, from one address, and of a login from wherever. The last is the
highest, so that a stranger can hardly keep a person out."""


class Throttle:
    """The service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, login: str, address: str | None) -> None:
        """Count a try, before the password is looked at. Raises RejectedError `too_many_attempts`."""
        async with self._database.connection() as connection:
            counted = await store.count(connection, _buckets(login, address))
        if counted.resets_at is not None:
            wait = max(1, math.ceil((counted.resets_at - counted.now).total_seconds()))
            raise RejectedError("too_many_attempts", retry_after_s=wait)

    async def forgive(self, login: str, address: str | None) -> None:
        """Take a try back: the password was right."""
        async with self._database.connection() as connection:
            await store.forgive(connection, [bucket.key for bucket in _buckets(login, address)])


def _buckets(login: str, address: str | None) -> Sequence[Bucket]:
    place = site_of(address) if address is not None and address_of(address) is not None else ""
    return (
        Bucket(_hashed("both", login, place), OF_BOTH, PERIOD),
        Bucket(_hashed("address", place), OF_ADDRESS, PERIOD),
        Bucket(_hashed("login", login), OF_LOGIN, PERIOD),
    )


def _hashed(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()
