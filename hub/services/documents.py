"""Documents: streamed in through a temporary file, hashed, stored whole; read in chunks by those who may."""

import hashlib
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.errors import FieldProblem, NotFoundError, RejectedError
from hub.services.submission import Caller
from hub.store import documents as store
from hub.store.documents import CHUNK, Document
from hub.store.engine import Database


class Documents:
    """The service. `spool` is a folder for uploads under way."""

    def __init__(self, database: Database, spool: Path, max_size: int) -> None:
        self._database = database
        self._spool = spool
        self._max_size = max_size

    async def upload(
        self, caller: Caller, body: AsyncIterable[bytes], *, content_type: str, filename: str | None
    ) -> Document:
        """Store a document. The upload goes to a file first, so that a slow sender holds no database connection.

        Raises RejectedError when it is empty or too large; then nothing is kept.
        """
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256()
        size = 0
        with tempfile.TemporaryFile(dir=self._spool) as spooled:
            async for part in body:
                size += len(part)
                if size > self._max_size:
                    raise RejectedError("document_too_large", most=self._max_size)
                digest.update(part)
                spooled.write(part)
            if size == 0:
                raise RejectedError(
                    "validation_error", fields=(FieldProblem("body", "the document is empty: send its bytes"),)
                )
            spooled.seek(0)
            document_id = uuid7()
            async with self._database.transaction() as connection:
                position = 0
                while part := spooled.read(CHUNK):
                    await store.insert_chunk(connection, document_id, position, part)
                    position += 1
                return await store.insert(
                    connection,
                    id=document_id,
                    sha256=digest.digest(),
                    size=size,
                    content_type=content_type,
                    filename=filename,
                    created_by=caller.principal.id,
                )

    async def get(self, document_id: UUID) -> Document:
        """One document. Raises NotFoundError."""
        async with self._database.connection() as connection:
            found = await store.find(connection, [document_id])
        if document_id not in found:
            raise NotFoundError("document_not_found", document_id=document_id)
        return found[document_id]

    async def get_for_client(self, client_id: str, document_id: UUID) -> Document:
        """A document for the client whose unfinished command names it; NotFoundError for all else, so that a client
        learns nothing about documents of others."""
        async with self._database.connection() as connection:
            if not await store.named_by_unfinished(connection, client_id, document_id):
                raise NotFoundError("document_not_found", document_id=document_id)
        return await self.get(document_id)

    async def read(self, document: Document) -> AsyncIterator[bytes]:
        """The bytes, a chunk at a time; no connection is held while the reader is slow."""
        for position in range((document.size + CHUNK - 1) // CHUNK):
            async with self._database.connection() as connection:
                part = await store.chunk(connection, document.id, position)
            if part is None:
                raise NotFoundError("document_not_found", document_id=document.id)
            yield part
