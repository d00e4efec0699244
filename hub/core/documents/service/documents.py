"""Documents: streamed in through a temporary file, hashed, stored whole; read in chunks by those who may."""

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.text import normal
from hub.core.access.rules import Caller
from hub.core.documents.service.folders import Folders
from hub.core.documents.service.incoming import Incoming
from hub.core.documents.store import documents as store
from hub.core.documents.store.documents import CHUNK, Document
from hub.database.engine import Connection, Database
from hub.errors import FieldProblem, NotFoundError, RejectedError
from hub.outbound.fetcher import Fetcher, printable
from schemas import media_types

STALLED_S = 30.0
"""How long the next part of a body may take."""
UPLOAD_S = 1_800.0
"""How long a body may take, however little comes."""
LEAST_RATE = 8 * 1024
"""Bytes. Each time that so many came, the body may take a second longer: size alone cuts nobody off, and nobody keeps a
place for ever with a byte now and then."""


@dataclass(slots=True)
class Spooled:
    """Bytes that have arrived whole, in a temporary file."""

    file: BinaryIO
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def head(self) -> bytes:
        """Enough of its beginning to judge it by."""
        self.file.seek(0)
        return self.file.read(media_types.HEAD)


class Spool:
    """A folder for uploads under way, so that a slow sender holds neither memory nor a database connection."""

    def __init__(self, folder: Path, require_room: Callable[[], None] = lambda: None) -> None:
        """`require_room` raises UnavailableError when the disk has none for documents."""
        self._folder = folder
        self._require_room = require_room

    @contextlib.contextmanager
    def open(self) -> Iterator[Spooled]:
        """A file that is gone after the block, also after a crash. Raises UnavailableError when there is no room."""
        self._require_room()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._folder) as file:
            yield Spooled(file)


async def take(
    body: AsyncIterable[bytes],
    into: Spooled,
    max_size: int,
    *,
    stalled_s: float = STALLED_S,
    whole_s: float = UPLOAD_S,
    least_rate: float = LEAST_RATE,
) -> None:
    """Write a body to the spool. Raises RejectedError when it is empty, too large, or stops coming."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(stalled_s) as limit:
            async for part in body:
                into.size += len(part)
                if into.size > max_size:
                    raise RejectedError("document_too_large", most=max_size)
                into.digest.update(part)
                into.file.write(part)
                limit.reschedule(min(loop.time() + stalled_s, began + whole_s + into.size / least_rate))
    except TimeoutError:
        raise RejectedError("upload_stalled") from None
    if into.size == 0:
        problem = FieldProblem("body", "empty_document")
        raise RejectedError("validation_error", fields=(problem,))


def judged(spooled: Spooled, said: str) -> str:
    """The type of what was spooled, which its sender calls `said`. Raises RejectedError when it is something else."""
    try:
        return media_types.judged(said, spooled.head())
    except media_types.MislabelledError as problem:
        if problem.found == media_types.FORM:
            raise RejectedError("form_not_taken_apart") from None
        raise RejectedError("content_type_mismatch", content_type=problem.said) from None


async def keep(
    connection: Connection,
    spooled: Spooled,
    document_id: UUID,
    *,
    content_type: str,
    filename: str | None,
    created_by: UUID,
) -> Document:
    """Store what was spooled as a document, in the caller's transaction."""
    spooled.file.seek(0)
    position = 0
    while part := spooled.file.read(CHUNK):
        await store.insert_chunk(connection, document_id, position, part)
        position += 1
    return await store.insert(
        connection,
        id=document_id,
        sha256=spooled.digest.digest(),
        size=spooled.size,
        content_type=content_type,
        filename=filename,
        created_by=created_by,
    )


class Documents:
    """The service. It also brings documents in that a command names by URL or by a path on the hub's machine."""

    def __init__(
        self,
        database: Database,
        spool: Spool,
        max_size: int,
        fetcher: Fetcher,
        folders: Folders,
        *,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        self._database = database
        self._spool = spool
        self._max_size = max_size
        self._fetcher = fetcher
        self._folders = folders
        self._new_id = new_id

    async def upload(self, caller: Caller, incoming: Incoming) -> Document:
        """Store a document. Raises RejectedError when it is empty, too large, stalled, or something else than it is
        called; then nothing is kept."""
        with self._spool.open() as spooled:
            await take(incoming.parts(), spooled, self._max_size)
            return await self._keep(caller, spooled, judged(spooled, incoming.content_type), incoming.filename)

    async def bring(self, caller: Caller, named: Mapping[str, Any]) -> Document:
        """Store what `{"url": ...}` or `{"path": ...}` names. Raises what fetching and folders raise; then nothing is
        kept. `file:` URLs are paths."""
        if set(named) not in ({"url"}, {"path"}) or not all(isinstance(value, str) for value in named.values()):
            problem = FieldProblem("payload.document", "document_reference")
            raise RejectedError("validation_error", fields=(problem,))
        path = named.get("path")
        if path is None and named["url"][:5].lower() == "file:":
            path = named["url"][5:].removeprefix("//")
        with self._spool.open() as spooled:
            if path is not None:
                with await asyncio.to_thread(self._folders.open, path) as file:
                    filename: str | None = Path(path).name
                    await take(_parts(file), spooled, self._max_size)
                content_type = printable(media_types.by_name(path), spooled.head())
            else:
                async with self._fetcher.fetch(named["url"]) as source:
                    content_type, filename = source.content_type, source.filename
                    await take(source.parts, spooled, self._max_size)
            return await self._keep(caller, spooled, content_type, filename)

    async def discard(self, document: Document) -> None:
        """Forget a document that was brought in for a command that was refused."""
        async with self._database.connection() as connection:
            await store.delete(connection, document.id)

    async def _keep(self, caller: Caller, spooled: Spooled, content_type: str, filename: str | None) -> Document:
        async with self._database.transaction() as connection:
            return await keep(
                connection,
                spooled,
                self._new_id(),
                content_type=content_type,
                filename=None if filename is None else normal(filename),
                created_by=caller.principal_id,
            )

    async def get(self, caller: Caller, document_id: UUID) -> Document:
        """One document. Raises NotFoundError, also for one that the caller is not allowed to read."""
        async with self._database.connection() as connection:
            if not await store.is_readable(connection, caller.scope, document_id):
                raise NotFoundError("document_not_found", document_id=document_id)
            return await self._found(connection, document_id)

    async def _found(self, connection: Connection, document_id: UUID) -> Document:
        found = await store.find(connection, [document_id])
        if document_id not in found:
            raise NotFoundError("document_not_found", document_id=document_id)
        return found[document_id]

    async def get_for_client(self, client_id: str, document_id: UUID) -> Document:
        """A document for the active client whose unfinished command names it; NotFoundError for all else, so that a
        client learns nothing about documents of others."""
        async with self._database.connection() as connection:
            if not await store.named_by_unfinished(connection, client_id, document_id):
                raise NotFoundError("document_not_found", document_id=document_id)
            return await self._found(connection, document_id)

    async def read(self, document: Document) -> AsyncIterator[bytes]:
        """The bytes, a chunk at a time; no connection is held while the reader is slow."""
        for position in range((document.size + CHUNK - 1) // CHUNK):
            async with self._database.connection() as connection:
                part = await store.chunk(connection, document.id, position)
            if part is None:
                raise NotFoundError("document_not_found", document_id=document.id)
            yield part


async def _parts(file: BinaryIO) -> AsyncIterator[bytes]:
    while part := await asyncio.to_thread(file.read, CHUNK):
        yield part
