"""Holding back the commands of principals who may not send them any more."""

import msgspec

from hub.core.commands.store.submit import plan_for_many
from hub.database.engine import Connection
from hub.database.statements import Statement


class Withheld(msgspec.Struct, frozen=True):
    """A command that was held back (`revoked`), or let go."""

    client_id: str
    revoked: bool


_TAKE_CHANGES = Statement("core/commands/withholding", "take_changes")
_NOTE_CHANGE = Statement("core/commands/withholding", "note_change")
_LOCK_BATCHES = Statement("core/commands/withholding", "lock_batches")
_WITHHOLD = Statement("core/commands/withholding", "withhold", Withheld, fresh_plan=True)


async def take_changes(connection: Connection) -> bool:
    """Whether anything changed that grants go by; each change is taken by one caller. Needs a transaction."""
    return await _TAKE_CHANGES.execute(connection) > 0


async def note_change(connection: Connection) -> None:
    """Let whoever looks next judge again."""
    await _NOTE_CHANGE.execute(connection)


async def withhold(connection: Connection, *, revoked: bool, most: int) -> list[Withheld]:
    """Hold back what may not be sent any more (`revoked` false: nothing), and let go what may; at most `most`. Needs a
    transaction, which it makes plan anew."""
    await plan_for_many(connection)
    await _LOCK_BATCHES.execute(connection)
    return await _WITHHOLD.fetch_all(connection, withhold=revoked, most=most)
