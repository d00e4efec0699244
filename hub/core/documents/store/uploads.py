"""One-time upload paths. Only their hashes are stored, so that a copy of the database opens none."""

from dataclasses import dataclass
from uuid import UUID

from hub.database.engine import Connection
from hub.database.statements import Statement


@dataclass(frozen=True, slots=True)
class Used:
    """A path that was just used up: the command it belongs to, and who sent that."""

    command_id: UUID
    created_by: UUID


_LOCK_COMMAND = Statement("core/documents/uploads", "lock_command", UUID)
_COUNT = Statement("core/documents/uploads", "count", int)
_OPEN = Statement("core/documents/uploads", "open")
_USE = Statement("core/documents/uploads", "use", Used)
_FINISH = Statement("core/documents/uploads", "finish")


async def lock_command(connection: Connection, client_id: str, command_id: UUID) -> bool:
    """Hold a command so that its paths can be counted; False unless it is this client's and under way. Needs a
    transaction."""
    return await _LOCK_COMMAND.fetch_one(connection, client_id=client_id, command_id=command_id) is not None


async def count(connection: Connection, command_id: UUID) -> int:
    """How many paths a command was given."""
    return await _COUNT.fetch_one(connection, command_id=command_id) or 0


async def open_path(connection: Connection, token_sha256: bytes, client_id: str, command_id: UUID) -> None:
    """Give a path out."""
    await _OPEN.execute(connection, token_sha256=token_sha256, client_id=client_id, command_id=command_id)


async def use(connection: Connection, token_sha256: bytes, client_id: str) -> Used | None:
    """Use a path up. None: there is no such path for this client, it was used, or the command is not under way."""
    return await _USE.fetch_one(connection, token_sha256=token_sha256, client_id=client_id)


async def finish(connection: Connection, token_sha256: bytes, document_id: UUID) -> bool:
    """Note what came of a used path; False when the command ended meanwhile."""
    return await _FINISH.execute(connection, token_sha256=token_sha256, document_id=document_id) > 0
