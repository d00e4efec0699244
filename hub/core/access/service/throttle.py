"""How often a password, or a short code, may be tried: rows that all hubs share, of bounded size whatever is tried."""

import hashlib
import math
from collections.abc import Sequence
from datetime import timedelta

from hub.api.proxies import address_of
from hub.core.access.store import throttle as store
from hub.core.access.store.throttle import Bucket, Counted
from hub.core.limits.rules import site_of
from hub.database.engine import Database
from hub.errors import RejectedError

PERIOD = timedelta(minutes=15)
OF_BOTH, OF_ADDRESS, OF_LOGIN = 10, 30, 50
"""Failures in a period: of a login from one address, from one address, and of a login from wherever. The last one does
not count where the person has signed in lately: strangers cannot keep him out of there, however many they are."""
GUESSES_OF_ADDRESS, GUESSES_OF_ALL = 20, 1_000
"""Wrong codes of a kind in a period: from one address, and from all together, since whoever guesses has many."""


class Throttle:
    """The service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, login: str, address: str | None) -> Sequence[bytes]:
        """Count a try, before the password is looked at; where, for `forgive`. Raises RejectedError
        `too_many_attempts`."""
        async with self._database.connection() as connection:
            buckets = _buckets(login, address, was_here=await store.was_here(connection, login, address))
            counted = await store.count(connection, buckets)
        return _required(buckets, counted, "too_many_attempts")

    async def count_guess(self, kind: str, address: str | None) -> Sequence[bytes]:
        """Count a try of a short code, before it is looked up; where, for `forgive`. Raises RejectedError
        `too_many_codes`."""
        buckets = _buckets_of_guess(kind, address)
        async with self._database.connection() as connection:
            counted = await store.count(connection, buckets)
        return _required(buckets, counted, "too_many_codes")

    async def forgive(self, counted: Sequence[bytes]) -> None:
        """Take a try back, where it was counted: the password, or the code, was right."""
        async with self._database.connection() as connection:
            await store.forgive(connection, counted)


def _required(buckets: Sequence[Bucket], counted: Counted, code: str) -> Sequence[bytes]:
    """Where a try was counted. Raises RejectedError when one of the buckets was full."""
    if counted.resets_at is not None:
        wait = max(1, math.ceil((counted.resets_at - counted.now).total_seconds()))
        raise RejectedError(code, retry_after_s=wait)
    return [bucket.key for bucket in buckets]


def _buckets(login: str, address: str | None, *, was_here: bool) -> Sequence[Bucket]:
    place = _place(address)
    of_here = (
        Bucket(_hashed("both", login, place), OF_BOTH, PERIOD),
        Bucket(_hashed("address", place), OF_ADDRESS, PERIOD),
    )
    return of_here if was_here else (*of_here, Bucket(_hashed("login", login), OF_LOGIN, PERIOD))


def _buckets_of_guess(kind: str, address: str | None) -> Sequence[Bucket]:
    return (
        Bucket(_hashed("guess", kind, _place(address)), GUESSES_OF_ADDRESS, PERIOD),
        Bucket(_hashed("guesses", kind), GUESSES_OF_ALL, PERIOD),
    )


def _hashed(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()


def _place(address: str | None) -> str:
    """What stands for an address; empty where it is unknown."""
    return site_of(address) if address is not None and address_of(address) is not None else ""
