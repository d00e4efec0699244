"""Documents, kept in Postgres in chunks: written whole or not at all, read by any replica."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.core.access.rules import Scope
from hub.core.documents.rules import DOCUMENT_PATH
from hub.database.engine import Connection
from hub.database.statements import Statement

CHUNK = 256 * 1024
"""Bytes of a chunk; only the last of a document is shorter."""


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

    @property
    def path(self) -> str:
        """Where it is read, on the hub's URL."""
        return f"{DOCUMENT_PATH}{self.id}"


_INSERT_CHUNK = Statement("core/documents/documents", "insert_chunk")
_INSERT = Statement("core/documents/documents", "insert", Document)
_FIND = Statement("core/documents/documents", "find", Document)
_USE = Statement("core/documents/documents", "use", Document)
_NAMED = Statement("core/documents/documents", "named_by_unfinished", bool)
_READABLE = Statement("core/documents/documents", "is_readable", bool)
_CHUNK = Statement("core/documents/documents", "chunk", bytes)
_DELETE = Statement("core/documents/documents", "delete")


async def insert_chunk(connection: Connection, document_id: UUID, position: int, data: bytes) -> None:
    """Write one chunk of a document whose row follows in the same transaction."""
    await _INSERT_CHUNK.execute(connection, document_id=document_id, position=position, bytes=data)


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
    document = await _INSERT.fetch_one(
        connection,
        id=id,
        sha256=sha256,
        size=size,
        content_type=content_type,
        filename=filename,
        created_by=created_by,
    )
    assert document is not None  # noqa: S101 - INSERT ... RETURNING answers with its row
    return document


async def find(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Document]:
    """The documents with these ids that exist."""
    return {document.id: document for document in await _FIND.fetch_all(connection, ids=list(ids))}


async def use(connection: Connection, ids: Sequence[UUID], scope: Scope) -> dict[UUID, Document]:
    """Those that a new command is about to name and a caller may read: clean-up leaves them alone for their whole
    period."""
    return {document.id: document for document in await _USE.fetch_all(connection, ids=list(ids), **scope.parameters)}


async def named_by_unfinished(connection: Connection, client_id: str, document_id: UUID) -> bool:
    """Whether an unfinished command of this client names the document."""
    return await _NAMED.fetch_one(connection, client_id=client_id, id=document_id) or False


async def is_readable(connection: Connection, scope: Scope, document_id: UUID) -> bool:
    """Whether there is such a document for this caller."""
    return await _READABLE.fetch_one(connection, id=document_id, **scope.parameters) or False


async def chunk(connection: Connection, document_id: UUID, position: int) -> bytes | None:
    """One chunk, or None past the end."""
    return await _CHUNK.fetch_one(connection, document_id=document_id, position=position)


async def delete(connection: Connection, document_id: UUID) -> None:
    """Delete a document that no command names, with its chunks."""
    await _DELETE.execute(connection, id=document_id)
