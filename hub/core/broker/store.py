"""The outbox of changes that the broker has yet to learn; whoever changes a client puts them in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

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
    unseen: bool = False
    """The client never was there."""


class _Open(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    client_id: str
    change: str
    sealed_secret: bytes | None


class _Import(_Open, frozen=True, kw_only=True):
    unseen: bool


_OPEN = Statement("core/broker", "open_changes", _Open)


class _Sealed(msgspec.Struct, frozen=True):
    id: int
    sealed_secret: bytes


_SEALED_OPEN = Statement("core/broker", "sealed_open", _Sealed)
_SEAL_AGAIN = Statement("core/broker", "seal_again")
_FINISH = Statement("core/broker", "finish_changes")
_TAKE_TURN = Statement("core/broker", "take_turn", bool)
_TAKE_IMPORT_TURN = Statement("core/broker", "take_import_turn", bool)
_COMMIT_AT_LEISURE = Statement("core/broker", "commit_at_leisure")
_OPEN_IMPORTS = Statement("core/broker", "open_imports", _Import)


class BrokerState(msgspec.Struct, frozen=True):
    """How many changes the broker has yet to learn, and those that were imported; and how many clients it has refused
    to learn."""

    changes: int
    imports: int
    refused: int


_STATE = Statement("core/broker", "broker_state", BrokerState)
_NUMBER_OPEN = Statement("core/broker", "number_open", int)


async def open_changes(connection: Connection, most: int, unseal: Callable[[bytes], str | None]) -> list[BrokerChange]:
    """The oldest changes that the broker has not learned. Needs a transaction, which holds them until it ends, so
    that one worker at a time speaks to the broker."""
    return [_opened(row, unseal) for row in await _OPEN.fetch_all(connection, most=most)]


async def open_imports(connection: Connection, most: int, unseal: Callable[[bytes], str | None]) -> list[BrokerChange]:
    """The same of what came with an import. The commit waits for no disk: what is told twice does no harm."""
    await _COMMIT_AT_LEISURE.execute(connection)
    return [
        replace(_opened(row, unseal), unseen=row.unseen) for row in await _OPEN_IMPORTS.fetch_all(connection, most=most)
    ]


def _opened(row: _Open, unseal: Callable[[bytes], str | None]) -> BrokerChange:
    return BrokerChange(row.id, row.client_id, row.change, unseal(row.sealed_secret) if row.sealed_secret else "")


async def take_turn(connection: Connection) -> bool:
    """Whether the broker may be told something until the transaction ends: not while it is restarted with what the
    database has."""
    return bool(await _TAKE_TURN.fetch_one(connection))


async def take_import_turn(connection: Connection) -> bool:
    """The same for what came with an import: True if there is something, and for one worker of all hubs at a time."""
    return bool(await _TAKE_IMPORT_TURN.fetch_one(connection))


async def state(connection: Connection) -> BrokerState:
    """What the broker has yet to learn."""
    found = await _STATE.fetch_one(connection)
    assert found is not None  # noqa: S101 - a count answers with a row
    return found


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
