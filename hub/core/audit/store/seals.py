"""The chain of seals, and the rows as they are sealed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from hub.core.audit.rules.chain import Row, Seal
from hub.core.audit.rules.ids import Ids
from hub.database.engine import Connection
from hub.database.hot import HotStatement
from hub.database.statements import Statement

_PLACE = "core/audit/seals"


class Unsealed(msgspec.Struct, frozen=True):
    """Rows without a seal, in the order of their numbers, at a moment by the hub's time; and which transactions have
    ended by then: all with numbers below `oldest`. `next` has not begun."""

    at: datetime
    oldest: int
    next: int
    flushed: int
    """Bytes of the database's log that are on its disk."""
    written: int
    """Bytes of it in all: what was committed before lies below."""
    block: bytes | None
    """The hash of the block that was asked for, if it is there."""
    rows: list[Row]


class Block(msgspec.Struct, frozen=True):
    """A block for clean-up to look at. `stays`: something of it is too young."""

    number: int
    rows: int
    hash: bytes
    stays: bool


_LAST = Statement(_PLACE, "last", Seal)
_FROM = Statement(_PLACE, "from", Seal)
_SINCE = Statement(_PLACE, "since", Seal)
_SPECIAL = Statement(_PLACE, "special", Seal)
_UNSEALED = HotStatement(_PLACE, "unsealed")
_LATE = Statement(_PLACE, "late", Row)
_IDS = Statement(_PLACE, "ids", int)
_NOT_DRAWN = Statement(_PLACE, "not_drawn", int)
_BEYOND = Statement(_PLACE, "beyond", int)
_APPEND = Statement(_PLACE, "append")
_APPEND_SOON = HotStatement(_PLACE, "append_soon")
_SALT = Statement(_PLACE, "salt")
_ERASURES = Statement(_PLACE, "erasures", Row)
_OF_PERSON = Statement(_PLACE, "of_person", Row)
_ERASE = Statement(_PLACE, "erase", int)
_ERASE_SECURITY_EVENTS = Statement(_PLACE, "erase_security_events")
_OLDEST = Statement(_PLACE, "oldest", Block)
_CUT = Statement(_PLACE, "cut", str)
_LOCK_KEYS = Statement(_PLACE, "lock_keys")
_KEY = Statement(_PLACE, "key", str)
_RETIRE_KEY = Statement(_PLACE, "retire_key")
_ADD_KEY = Statement(_PLACE, "add_key")


async def last(connection: Connection) -> Seal | None:
    """The newest block."""
    return await _LAST.fetch_one(connection)


async def read_from(connection: Connection, number: int, most: int) -> list[Seal]:
    """Blocks from a number on, oldest first."""
    return await _FROM.fetch_all(connection, number=number, most=most)


async def one(connection: Connection, number: int) -> Seal | None:
    """The block of a number."""
    return next((seal for seal in await read_from(connection, number, 1) if seal.number == number), None)


async def since(connection: Connection, moment: datetime, most: int) -> list[Seal]:
    """The last blocks since a moment, oldest first."""
    return await _SINCE.fetch_all(connection, since=moment, most=most)


async def special(connection: Connection) -> list[Seal]:
    """All blocks of other kinds than rows, newest first."""
    return await _SPECIAL.fetch_all(connection)


async def unsealed(connection: Connection, high: int, left_out: Ids, most: int, *, block: int | None) -> Unsealed:
    """Rows above a number, and those of numbers that were left out; at most so many of each. `block`: the number of one
    to look for."""
    lows, highs = _bounds(left_out)
    cursor = await _UNSEALED.execute(connection, high=high, lows=lows, highs=highs, most=most, block=block)
    found = await cursor.fetchall()
    first = found[0]  # there is always one: without a row of the trail, its columns are empty
    rows = [
        Row(
            id=row["id"],
            at=row["at"],
            principal_id=row["principal_id"],
            action=row["action"],
            resource=row["resource"],
            resource_id=row["resource_id"],
            address=row["address"],
            detail=row["detail"],
            salt=row["salt"],
            digest=row["digest"],
            claimed=row["claimed"],
        )
        for row in found
        if row["id"] is not None
    ]
    return Unsealed(
        first["now"], first["oldest"], first["next"], first["flushed"], first["written"], first["block"], rows
    )


def _bounds(ids: Ids) -> tuple[list[int], list[int]]:
    return [low for low, _ in ids.ranges], [high for _, high in ids.ranges]


async def among(connection: Connection, ids: Ids, most: int) -> list[Row]:
    """Rows of these numbers, in their order."""
    lows, highs = _bounds(ids)
    return await _LATE.fetch_all(connection, lows=lows, highs=highs, most=most)


async def ids(connection: Connection, first: int, until: int, most: int) -> list[int]:
    """Which rows there are from `first` up to `until`."""
    return await _IDS.fetch_all(connection, first=first, until=until, most=most)


async def not_drawn(connection: Connection, most: int) -> list[int]:
    """Rows of numbers that the database has not given out: whoever wrote them chose the number."""
    return await _NOT_DRAWN.fetch_all(connection, most=most)


async def count_beyond(connection: Connection, high: int) -> int:
    """How many rows are above a number, but for those of `not_drawn`."""
    return await _BEYOND.fetch_one(connection, high=high) or 0


async def append(connection: Connection, seal: Seal) -> bool:
    """Add a block; False when another hub was first, or the chain does not end with the block before."""
    return await _APPEND.execute(connection, **msgspec.structs.asdict(seal)) == 1


async def append_soon(connection: Connection, seal: Seal) -> bool:
    """The same, outside of a transaction; the block is on the disk a moment later."""
    return (await _APPEND_SOON.execute(connection, **msgspec.structs.asdict(seal))).rowcount == 1


async def salt(connection: Connection, numbers: Sequence[int]) -> None:
    """Give a salt to rows that have none: those from before there were salts."""
    await _SALT.execute(connection, ids=list(numbers))


async def erasures(connection: Connection) -> list[Row]:
    """Every row that says that texts were erased."""
    return await _ERASURES.fetch_all(connection)


async def of_person(
    connection: Connection, principal_id: UUID, names: Sequence[str], resources: Sequence[str], after: int, most: int
) -> list[Row]:
    """Rows by a principal, or about one of these names of a resource, whose texts are there."""
    return await _OF_PERSON.fetch_all(
        connection,
        principal_id=principal_id,
        names=list(names),
        resources=list(resources),
        after=after,
        most=most,
    )


async def erase(connection: Connection, digests: dict[int, bytes]) -> int:
    """Erase the texts of rows, which keep these digests; how many there were."""
    return await _ERASE.fetch_one(connection, ids=list(digests), digests=list(digests.values())) or 0


async def erase_security_events(connection: Connection, principal_id: UUID) -> int:
    """Erase address and detail of a principal's security events; how many there were."""
    return await _ERASE_SECURITY_EVENTS.execute(connection, principal_id=principal_id)


async def oldest(connection: Connection, before: datetime, skip: int, most: int) -> list[Block]:
    """The oldest blocks but for the first `skip`."""
    return await _OLDEST.fetch_all(connection, before=before, skip=skip, most=most)


async def cut(connection: Connection, through: int) -> list[str]:
    """Delete the blocks up to this number, with their rows; the archive lines of these. Needs a seal that says so."""
    return await _CUT.fetch_all(connection, through=through)


async def lock_keys(connection: Connection) -> None:
    """Keep other processes from deciding about the key until the transaction ends."""
    await _LOCK_KEYS.execute(connection)


async def key(connection: Connection) -> str | None:
    """The public key that seals now; None in a database in which nothing was sealed yet."""
    return await _KEY.fetch_one(connection)


async def set_key(connection: Connection, kid: str, public_key: str) -> None:
    """Make this the key that seals. Needs a transaction with the lock."""
    await _RETIRE_KEY.execute(connection, kid=kid)
    await _ADD_KEY.execute(connection, kid=kid, public_key=public_key)
