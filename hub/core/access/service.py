"""Keys of users and integrations, the first administrator, and what repeated requests made before."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.core.access import store as store
from hub.core.access.rules import Caller, IdempotencyKey, Principal
from hub.core.access.telemetry import Event
from hub.database.engine import Database
from hub.errors import ConflictError, RejectedError, SetupError, UnavailableError
from hub.keys import hash_secret, new_api_key, write_secret_file
from hub.telemetry.log import Log
from schemas.text import TextError, read

FIRST_ADMINISTRATOR = "administrator"
CACHE_S = 1.0
"""How long a key that was just looked up is believed: a revocation is felt within this time."""


class Access:
    """The service; `record_uses` is to be called a few times a minute."""

    def __init__(self, database: Database, log: Log, *, new_id: Callable[[], UUID] = uuid7) -> None:
        self._database = database
        self._log = log
        self._new_id = new_id
        self._used: set[bytes] = set()
        self._cache: dict[bytes, tuple[float, Principal]] = {}
        self._looking: dict[bytes, asyncio.Task[Principal | None]] = {}

    async def authenticate(self, key: str) -> Principal:
        """The principal of a key. Raises RejectedError `unauthorized`, which tells nothing about why."""
        hashed = hash_secret(key)
        now = asyncio.get_running_loop().time()
        cached = self._cache.get(hashed)
        if cached is not None and now - cached[0] < CACHE_S:
            return cached[1]
        principal = await self._look_up(hashed)
        if principal is None:
            self._cache.pop(hashed, None)
            raise RejectedError("unauthorized")
        if len(self._cache) > 1_000:
            self._cache.clear()
        self._cache[hashed] = (now, principal)
        self._used.add(hashed)
        return principal

    async def _look_up(self, hashed: bytes) -> Principal | None:
        """Who has a key. Requests that ask at the same time share one look: all do whenever the cache runs out."""
        looking = self._looking.get(hashed)
        if looking is None:
            looking = self._looking[hashed] = asyncio.create_task(self._find(hashed), name="key-look-up")
            looking.add_done_callback(lambda _: self._looking.pop(hashed, None))
        # Shielded: a caller that hangs up must not take the answer from the others.
        return await asyncio.shield(looking)

    async def _find(self, hashed: bytes) -> Principal | None:
        async with self._database.connection() as connection:
            return await store.by_key(connection, hashed)

    async def ensure_administrator(self, key_file: Path) -> bool:
        """Make the first administrator and write its key to `key_file` (0600) unless that file holds a valid key.
        True when a key was made; keys that this administrator had before are revoked then."""
        present = await asyncio.to_thread(_read, key_file)
        if present:
            with contextlib.suppress(RejectedError):
                await self.authenticate(present)
                return False
        key = new_api_key()
        async with self._database.transaction() as connection:
            administrator = Principal(self._new_id(), "user", FIRST_ADMINISTRATOR, "admin")
            principal_id = await store.ensure(connection, administrator)
            await store.revoke_keys(connection, principal_id)
            await store.add_key(
                connection, key_id=self._new_id(), principal_id=principal_id, prefix=key.prefix, sha256=key.sha256
            )
            write_secret_file(key_file, key.text + "\n")
        self._log.info(Event.KEY_CREATED, prefix=key.prefix, file=str(key_file))
        return True

    async def record_uses(self) -> None:
        """Write down which keys were used since the last call. Raises UnavailableError, and then keeps them."""
        used, self._used = self._used, set()
        if not used:
            return
        try:
            async with self._database.connection() as connection:
                await store.touch_keys(connection, list(used))
        except UnavailableError:
            self._used |= used
            raise


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
            raise ConflictError("idempotency_key_reused", key=key.key)
        return found.command_id

    async def find_repeated(self, caller: Caller, key: IdempotencyKey) -> UUID:
        """The same when the key was just found to be taken. Raises UnavailableError when the other request was rolled
        back meanwhile."""
        found = await self.find(caller, key)
        if found is None:
            raise UnavailableError("try_again")
        return found


def _read(file: Path) -> str | None:
    try:
        return read(file).strip() if file.exists() else None
    except TextError as problem:
        raise SetupError(f"{file}: {problem}.") from None
