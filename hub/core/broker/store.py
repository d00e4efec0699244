"""The outbox of changes that the broker has yet to learn; whoever changes a client puts them in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from hub.database.engine import Connection
from hub.database.statements import Statement


@dataclass(frozen=True, slots=True)
class BrokerChange:
    """A row of the outbox: `put` (with a secret: make or renew; without: enable), `disable` or `remove` a client."""

    id: int
    client_id: str
    change: str
    secret: str | None = field(default="", repr=False)
    """None: it cannot be opened, since another key sealed it."""


class _Open(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    client_id: str
    change: str
    sealed_secret: bytes | None


_OPEN = Statement("core/broker", "open_changes", _Open)


class _Sealed(msgspec.Struct, frozen=True):
    id: int
    sealed_secret: bytes


_SEALED_OPEN = Statement("core/broker", "sealed_open", _Sealed)
_SEAL_AGAIN = Statement("core/broker", "seal_again")
_FINISH = Statement("core/broker", "finish_changes")
_NUMBER_OPEN = Statement("core/broker", "number_open", int)


async def open_changes(connection: Connection, most: int, unseal: Callable[[bytes], str | None]) -> list[BrokerChange]:
    """The oldest changes that the broker has not learned. Needs a transaction, which holds them until it ends, so
    that one worker at a time speaks to the broker."""
    return [
        BrokerChange(row.id, row.client_id, row.change, unseal(row.sealed_secret) if row.sealed_secret else "")
        for row in await _OPEN.fetch_all(connection, most=most)
    ]


async def finish_changes(connection: Connection, ids: Sequence[int], error: str | None = None) -> None:
    """Mark changes as learned, or as refused with the broker's error."""
    await _FINISH.execute(connection, ids=list(ids), error=error)


async def seal_again(
    connection: Connection, unseal: Callable[[bytes], str | None], seal: Callable[[str], bytes]
) -> None:
    """Seal what waits for the broker by another key. Needs a transaction."""
    for row in await _SEALED_OPEN.fetch_all(connection):
        secret = unseal(row.sealed_secret)
        if secret is not None:
            await _SEAL_AGAIN.execute(connection, id=row.id, sealed_secret=seal(secret))


async def number_open(connection: Connection) -> int:
    """How many changes the broker has yet to learn."""
    return await _NUMBER_OPEN.fetch_one(connection) or 0
