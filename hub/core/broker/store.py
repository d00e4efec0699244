"""The outbox of changes that the broker has yet to learn; whoever changes a client puts them in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.database.engine import Connection
from hub.database.statements import statement

_OPEN = statement("core/broker", "open_changes")
_FINISH = statement("core/broker", "finish_changes")
_NUMBER_OPEN = statement("core/broker", "number_open")


@dataclass(frozen=True, slots=True)
class BrokerChange:
    """A row of the outbox: `put` (with a secret: make or renew; without: enable), `disable` or `remove` a client."""

    id: int
    client_id: str
    change: str
    secret: str = field(default="", repr=False)


async def open_changes(connection: Connection, most: int, unseal: Callable[[bytes], str]) -> list[BrokerChange]:
    """The oldest changes that the broker has not learned. Needs a transaction, which holds them until it ends, so
    that one worker at a time speaks to the broker."""
    cursor = await connection.execute(_OPEN, {"most": most})
    return [
        BrokerChange(
            row["id"],
            row["client_id"],
            row["change"],
            unseal(bytes(row["sealed_secret"])) if row["sealed_secret"] else "",
        )
        for row in await cursor.fetchall()
    ]


async def finish_changes(connection: Connection, ids: Sequence[int], error: str | None = None) -> None:
    """Mark changes as learned, or as refused with the broker's error."""
    await connection.execute(_FINISH, {"ids": list(ids), "error": error})


async def number_open(connection: Connection) -> int:
    """How many changes the broker has yet to learn."""
    row = await (await connection.execute(_NUMBER_OPEN)).fetchone()
    return 0 if row is None else int(row["number"])
