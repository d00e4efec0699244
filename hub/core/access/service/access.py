"""Who asks, by the key that a request shows; and the key of the first administrator."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from hub import staged_files
from hub.core.access.rules import Credential, KeyScope, Principal
from hub.core.access.store import keys as store
from hub.core.access.telemetry import Event
from hub.database.engine import Connection, Database
from hub.errors import RejectedError, UnavailableError
from hub.keys import NEW_KEY, ApiKey, cannot_write, hash_secret, new_api_key, read_api_key, write_secret_file
from hub.telemetry.log import Log

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
        self._cache: dict[bytes, tuple[float, Credential]] = {}
        self._looking: dict[bytes, asyncio.Task[Credential | None]] = {}

    async def authenticate(self, key: str) -> Credential:
        """What a key stands for. Raises RejectedError `unauthorized`, which tells nothing about why."""
        hashed = hash_secret(key)
        now = asyncio.get_running_loop().time()
        cached = self._cache.get(hashed)
        if cached is not None and now - cached[0] < CACHE_S:
            return cached[1]
        found = await self._look_up(hashed)
        if found is None:
            self._cache.pop(hashed, None)
            raise RejectedError("unauthorized")
        if len(self._cache) > 1_000:
            self._cache.clear()
        self._cache[hashed] = (now, found)
        self._used.add(hashed)
        return found

    async def _look_up(self, hashed: bytes) -> Credential | None:
        """Who has a key. Requests that ask at the same time share one look: all do whenever the cache runs out."""
        looking = self._looking.get(hashed)
        if looking is None:
            looking = self._looking[hashed] = asyncio.create_task(self._find(hashed), name="key-look-up")
            looking.add_done_callback(lambda _: self._looking.pop(hashed, None))
        # Shielded: a caller that hangs up must not take the answer from the others.
        return await asyncio.shield(looking)

    async def _find(self, hashed: bytes) -> Credential | None:
        async with self._database.connection() as connection:
            found = await store.by_key(connection, hashed)
        return None if found is None else _credential(found)

    async def ensure_administrator(self, key_file: Path) -> None:
        """Make the first administrator of a database that has none, with the key in `key_file`, or with a new one that
        is written there (0600). Raises SetupError when the file holds something else.

        Keys that are there stay, whatever the file holds: other hubs and programs use them.
        """
        async with self._database.transaction() as connection:
            administrator = await self._administrator(connection)
            await self._settle(connection, key_file)
            kept = await asyncio.to_thread(read_api_key, key_file)
            if not await store.has_key(connection, administrator):
                key = ApiKey.of(kept) if kept else new_api_key()
                await self._give(connection, administrator, key)
                if not kept:
                    await asyncio.to_thread(_write, key_file, key)
                self._log.info(Event.KEY_CREATED, prefix=key.prefix, file=str(key_file))
                return
            here = kept is not None and await store.by_key(connection, hash_secret(kept)) is not None
        if not here:
            found = "is not in use" if kept else "is missing"
            todo = f"the key of before stays valid: copy it from a hub that has it, or `{NEW_KEY}` makes another"
            self._log.warning(Event.KEY_NOT_HERE, file=str(key_file), found=found, todo=todo)

    async def replace_administrator_key(self, key_file: Path) -> ApiKey:
        """Give the administrator a new key, written to `key_file`; those of before end with it. Raises SetupError."""
        key = new_api_key()
        try:
            async with self._database.transaction() as connection:
                administrator = await self._administrator(connection)
                await self._settle(connection, key_file)
                await store.revoke_keys(connection, administrator)
                await self._give(connection, administrator, key)
                await asyncio.to_thread(_write, staged_files.beside(key_file), key)
        finally:
            # The commit may have failed, or come about without an answer.
            async with self._database.transaction() as connection:
                await self._administrator(connection)
                await self._settle(connection, key_file)
        self._log.info(Event.KEY_CREATED, prefix=key.prefix, file=str(key_file))
        return key

    async def _settle(self, connection: Connection, key_file: Path) -> None:
        """Let a new key that lies beside the file take its place if the database knows it, and drop it if it knows the
        file's own. Needs the administrator's lock. Raises SetupError."""
        new = await asyncio.to_thread(read_api_key, staged_files.beside(key_file))
        if new is None:
            return
        try:
            if await store.by_key(connection, hash_secret(new)) is not None:
                await asyncio.to_thread(staged_files.finish, key_file, keep_old=False)
                return
            old = await asyncio.to_thread(read_api_key, key_file)
            if old is not None and await store.by_key(connection, hash_secret(old)) is not None:
                await asyncio.to_thread(staged_files.discard, key_file)
        except OSError as problem:
            raise cannot_write(key_file, problem) from None

    async def _administrator(self, connection: Connection) -> UUID:
        """The first administrator's id; locked until the transaction ends."""
        return await store.ensure(connection, Principal(self._new_id(), "user", FIRST_ADMINISTRATOR, "admin"))

    async def _give(self, connection: Connection, principal_id: UUID, key: ApiKey) -> None:
        await store.add_key(
            connection, key_id=self._new_id(), principal_id=principal_id, prefix=key.prefix, sha256=key.sha256
        )

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


def _credential(found: store.KeyHolder) -> Credential:
    def listed(names: list[str] | None) -> frozenset[str] | None:
        return None if names is None else frozenset(names)

    return Credential(
        Principal(found.id, found.kind, found.name, found.role, found.reach),
        found.key_id,
        scope=KeyScope(listed(found.permissions), listed(found.actions), found.narrowed),
        addresses=None if found.addresses is None else tuple(found.addresses),
    )


def _write(file: Path, key: ApiKey) -> None:
    try:
        write_secret_file(file, key.text + "\n")
    except OSError as problem:
        raise cannot_write(file, problem) from None
