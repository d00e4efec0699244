"""What clients bring up, screenshots and logs: to a path that is good once, for one client, while its command runs."""

import secrets
from collections.abc import Callable
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.core.documents.rules import UPLOAD_PATH
from hub.core.documents.service.documents import Spool, judged, keep, take
from hub.core.documents.service.incoming import Incoming
from hub.core.documents.store import uploads as store
from hub.core.documents.store.documents import Document
from hub.core.documents.telemetry import Event
from hub.database.engine import Database
from hub.errors import NotFoundError, RejectedError
from hub.keys import hash_secret
from hub.telemetry.log import Log

MOST_PATHS = 20
"""How many paths one command may have: what it brings, and some second tries."""


class Uploads:
    """The service."""

    def __init__(
        self, database: Database, spool: Spool, max_size: int, log: Log, *, new_id: Callable[[], UUID] = uuid7
    ) -> None:
        self._database = database
        self._spool = spool
        self.max_size = max_size
        self._log = log
        self._new_id = new_id

    async def open(self, client_id: str, command_id: UUID) -> str:
        """A new path for what a command brings. Raises NotFoundError unless the command is this client's and under
        way, and RejectedError when it has had too many paths."""
        token = secrets.token_urlsafe(32)
        async with self._database.transaction() as connection:
            if not await store.lock_command(connection, client_id, command_id):
                raise NotFoundError("command_not_found", command_id=command_id)
            if await store.count(connection, command_id) >= MOST_PATHS:
                raise RejectedError("too_many_uploads", most=MOST_PATHS)
            await store.open_path(connection, hash_secret(token), client_id, command_id)
        return UPLOAD_PATH + token

    async def put(self, client_id: str, token: str, incoming: Incoming) -> Document:
        """Store what a client sends to its path, as a document of the one who sent the command.

        The path is used up with the first byte, whatever becomes of the rest. Raises NotFoundError for a path that is
        not, or no longer, this client's, and RejectedError as an upload does; then nothing is kept.
        """
        hashed = hash_secret(token)
        async with self._database.connection() as connection:
            used = await store.use(connection, hashed, client_id)
        if used is None:
            raise NotFoundError("upload_not_found")
        with self._spool.open() as spooled:
            await take(incoming.parts(), spooled, self.max_size)
            content_type = judged(spooled, incoming.content_type)
            async with self._database.transaction() as connection:
                document = await keep(
                    connection,
                    spooled,
                    self._new_id(),
                    content_type=content_type,
                    filename=incoming.filename,
                    created_by=used.created_by,
                )
                if not await store.finish(connection, hashed, document.id):
                    raise NotFoundError("upload_not_found")  # The command ended meanwhile: takes all of it back.
        self._log.info(
            Event.UPLOAD_STORED,
            client_id=client_id,
            command_id=used.command_id,
            document_id=document.id,
            size=document.size,
        )
        return document
