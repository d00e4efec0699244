"""What repeated requests made before."""

from uuid import UUID

from hub.core.access.rules import Caller, IdempotencyKey
from hub.core.access.store import idempotency as store
from hub.database.engine import Database
from hub.errors import ConflictError, UnavailableError


class Idempotency:
    """What requests with an `Idempotency-Key` made: a command or a batch, for 24 hours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, caller: Caller, key: IdempotencyKey) -> UUID | None:
        """What an earlier request with this key made; None when there was none. Raises ConflictError when that request
        had another body."""
        async with self._database.connection() as connection:
            found = await store.find_idempotent(connection, caller.principal_id, key)
        if found is None:
            return None
        if found.request_sha256 != key.request_sha256:
            raise ConflictError("idempotency_key_reused", key=key.key, made=found.command_id)
        return found.command_id

    async def find_repeated(self, caller: Caller, key: IdempotencyKey) -> UUID:
        """The same when the key was just found to be taken. Raises UnavailableError when the other request was rolled
        back meanwhile."""
        found = await self.find(caller, key)
        if found is None:
            raise UnavailableError("try_again")
        return found
