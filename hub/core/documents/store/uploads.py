"""One-time upload paths. Only their hashes are stored, so that a copy of the database opens none."""

from dataclasses import dataclass
from uuid import UUID

from hub.database.engine import Connection
from hub.database.statements import statement

_LOCK_COMMAND = statement("core/documents/uploads", "lock_command")
_COUNT = statement("core/documents/uploads", "count")
_OPEN = statement("core/documents/uploads", "open")
_USE = statement("core/documents/uploads", "use")
_FINISH = statement("core/documents/uploads", "finish")


@dataclass(frozen=True, slots=True)
class Used:
    """A path that was just used up: the command it belongs to, and who sent that."""

    command_id: UUID
    created_by: UUID


async def lock_command(connection: Connection, client_id: str, command_id: UUID) -> bool:
    """Hold a command so that its paths can be counted; False unless it is this client's and under way. Needs a
    transaction."""
    cursor = await connection.execute(_LOCK_COMMAND, {"client_id": client_id, "command_id": command_id})
    return await cursor.fetchone() is not None


async def count(connection: Connection, command_id: UUID) -> int:
    """How many paths a command was given."""
    cursor = await connection.execute(_COUNT, {"command_id": command_id})
    row = await cursor.fetchone()
    return 0 if row is None else int(row["paths"])


async def open_path(connection: Connection, token_sha256: bytes, client_id: str, command_id: UUID) -> None:
    """Give a path out."""
    await connection.execute(_OPEN, {"token_sha256": token_sha256, "client_id": client_id, "command_id": command_id})


async def use(connection: Connection, token_sha256: bytes, client_id: str) -> Used | None:
    """Use a path up. None: there is no such path for this client, it was used, or the command is not under way."""
    cursor = await connection.execute(_USE, {"token_sha256": token_sha256, "client_id": client_id})
    row = await cursor.fetchone()
    return None if row is None else Used(row["command_id"], row["created_by"])


async def finish(connection: Connection, token_sha256: bytes, document_id: UUID) -> bool:
    """Note what came of a used path; False when the command ended meanwhile."""
    cursor = await connection.execute(_FINISH, {"token_sha256": token_sha256, "document_id": document_id})
    return await cursor.fetchone() is not None
