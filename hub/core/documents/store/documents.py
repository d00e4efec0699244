"""Documents, kept in Postgres in chunks: written whole or not at all, read by any replica."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from hub.database.engine import Connection
from hub.database.statements import statement

CHUNK = 256 * 1024
"""Bytes of a chunk; only the last of a document is shorter."""

_INSERT_CHUNK = statement("core/documents/documents", "insert_chunk")
_INSERT = statement("core/documents/documents", "insert")
_FIND = statement("core/documents/documents", "find")
_USE = statement("core/documents/documents", "use")
_NAMED = statement("core/documents/documents", "named_by_unfinished")
_CHUNK = statement("core/documents/documents", "chunk")
_DELETE = statement("core/documents/documents", "delete")


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document, without its bytes."""

    id: UUID
    sha256: bytes
    size: int
    content_type: str
    filename: str | None
    created_by: UUID
    created_at: datetime


def _document(row: DictRow) -> Document:
    return Document(
        row["id"],
        bytes(row["sha256"]),
        row["size"],
        row["content_type"],
        row["filename"],
        row["created_by"],
        row["created_at"],
    )


async def insert_chunk(connection: Connection, document_id: UUID, position: int, data: bytes) -> None:
    """Write one chunk of a document whose row follows in the same transaction."""
    await connection.execute(_INSERT_CHUNK, {"document_id": document_id, "position": position, "bytes": data})


async def insert(
    connection: Connection,
    *,
    id: UUID,  # noqa: A002 - the column's name
    sha256: bytes,
    size: int,
    content_type: str,
    filename: str | None,
    created_by: UUID,
) -> Document:
    """Write the row of a document whose chunks are there."""
    cursor = await connection.execute(
        _INSERT,
        {
            "id": id,
            "sha256": sha256,
            "size": size,
            "content_type": content_type,
            "filename": filename,
            "created_by": created_by,
        },
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - INSERT ... RETURNING answers with its row
    return _document(row)


async def find(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Document]:
    """The documents with these ids that exist."""
    cursor = await connection.execute(_FIND, {"ids": list(ids)})
    return {row["id"]: _document(row) for row in await cursor.fetchall()}


async def use(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Document]:
    """The same for documents that a new command is about to name: clean-up leaves them alone for their whole period."""
    cursor = await connection.execute(_USE, {"ids": list(ids)})
    return {row["id"]: _document(row) for row in await cursor.fetchall()}


async def named_by_unfinished(connection: Connection, client_id: str, document_id: UUID) -> bool:
    """Whether an unfinished command of this client names the document."""
    cursor = await connection.execute(_NAMED, {"client_id": client_id, "id": document_id})
    row = await cursor.fetchone()
    return row is not None and bool(row["allowed"])


async def chunk(connection: Connection, document_id: UUID, position: int) -> bytes | None:
    """One chunk, or None past the end."""
    cursor = await connection.execute(_CHUNK, {"document_id": document_id, "position": position})
    row = await cursor.fetchone()
    return None if row is None else bytes(row["bytes"])


async def delete(connection: Connection, document_id: UUID) -> None:
    """Delete a document that no command names, with its chunks."""
    await connection.execute(_DELETE, {"id": document_id})
