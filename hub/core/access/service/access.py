"""Who asks, by the key, the access token or the cookie that a request shows; and the key of the first administrator."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from hub import staged_files
from hub.core.access.rules import Caller, Credential, KeyScope, Principal
from hub.core.access.service.lookups import Lookup
from hub.core.access.service.sessions import hash_cookie
from hub.core.access.service.tokens import AccessTokens
from hub.core.access.store import keys as store
from hub.core.access.store import sessions
from hub.core.access.store.sessions import SessionHolder
from hub.core.access.telemetry import Event
from hub.database.engine import Connection, Database
from hub.errors import RejectedError, UnavailableError
from hub.keys import NEW_KEY, ApiKey, cannot_write, hash_secret, new_administrator_key, read_api_key, write_secret_file
from hub.telemetry.log import Log

FIRST_ADMINISTRATOR = "administrator"


class Access:
    """The service; `record_uses` is to be called a few times a minute."""

    def __init__(
        self,
        database: Database,
        log: Log,
        tokens: AccessTokens | None = None,
        *,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        """Without `tokens` there are no people, but keys."""
        self._database = database
        self._log = log
        self._tokens = tokens
        self._new_id = new_id
        self._used: set[bytes] = set()
        self._seen: set[UUID] = set()
        self._keys = Lookup(self._find_key)
        self._sessions = Lookup(self._find_session)
        self._cookies = Lookup(self._find_cookie)
        self._valid = Lookup(self._is_valid)

    async def authenticate(self, key: str) -> Credential:
        """What a key, or an access token, stands for. Raises RejectedError: `unauthorized`, which tells nothing about
        why, and `invalid_token` or `token_expired` for what has the form of an access token."""
        if self._tokens is not None and key.count(".") == 2:
            return await self._of_token(self._tokens, key)
        hashed = hash_secret(key)
        found = await self._keys.get(hashed)
        if found is None:
            raise RejectedError("unauthorized")
        self._used.add(hashed)
        return found

    async def _of_token(self, tokens: AccessTokens, token: str) -> Credential:
        claims = await tokens.read(token)
        found = await self._sessions.get(claims.session_id)
        if found is None or found.id != claims.principal_id or found.session_kind != "token":
            raise RejectedError("invalid_token")
        if claims.expires_at <= found.now.timestamp():
            raise RejectedError("token_expired")
        return self._of_session(found)

    async def by_cookie(self, cookie: str) -> Credential:
        """What the cookie of a page stands for. Raises RejectedError `unauthorized`."""
        found = await self._cookies.get(hash_cookie(cookie))
        if found is None:
            raise RejectedError("unauthorized")
        return self._of_session(found)

    def _of_session(self, found: SessionHolder) -> Credential:
        if found.stale:
            self._seen.add(found.session_id)
        principal = Principal(found.id, found.kind, found.name, found.role, found.reach)
        return Credential(principal, session_id=found.session_id, confirmed=found.confirmed)

    async def still_valid(self, caller: Caller) -> bool:
        """Whether what somebody asked with, a while ago, is still good: streams and waits ask every now and then."""
        return await self._valid.get((caller.principal_id, caller.key_id, caller.session_id)) or False

    def forget(self, session_id: UUID) -> None:
        """Look at a session again with the next request, which shall see what was just changed here."""
        self._sessions.forget(session_id)
        self._cookies.clear()

    async def _find_key(self, hashed: bytes) -> Credential | None:
        async with self._database.connection() as connection:
            found = await store.by_key(connection, hashed)
        return None if found is None else _credential(found)

    async def _find_session(self, session_id: UUID) -> SessionHolder | None:
        async with self._database.connection() as connection:
            return await sessions.by_id(connection, session_id)

    async def _find_cookie(self, hashed: bytes) -> SessionHolder | None:
        async with self._database.connection() as connection:
            return await sessions.by_cookie(connection, hashed)

    async def _is_valid(self, asked: tuple[UUID, UUID | None, UUID | None]) -> bool:
        principal_id, key_id, session_id = asked
        async with self._database.connection() as connection:
            if session_id is not None:
                return await sessions.by_id(connection, session_id) is not None
            return await store.is_valid(connection, principal_id, key_id)

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
                key = ApiKey.of(kept) if kept else new_administrator_key()
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
        key = new_administrator_key()
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
        """Write down which keys and sessions were used. Raises UnavailableError, and then keeps them."""
        used, self._used = self._used, set()
        seen, self._seen = self._seen, set()
        if not used and not seen:
            return
        try:
            async with self._database.connection() as connection:
                if used:
                    await store.touch_keys(connection, list(used))
                if seen:
                    await sessions.touch(connection, list(seen))
        except UnavailableError:
            self._used |= used
            self._seen |= seen
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
