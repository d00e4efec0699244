"""Who asks, by the key, the access token or the cookie that a request shows; and the key of the first administrator."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from hub import staged_files
from hub.core.access.rules import Caller, Credential, Principal
from hub.core.access.rules.addresses import may_come_from
from hub.core.access.service import look_ups
from hub.core.access.service.look_ups import LookUps
from hub.core.access.service.sessions import hash_cookie
from hub.core.access.service.tokens import AccessTokens
from hub.core.access.store import api_keys, sessions
from hub.core.access.store import keys as store
from hub.core.access.store.sessions import SessionHolder
from hub.core.access.telemetry import Event
from hub.core.audit import store as audit
from hub.database.engine import Connection, Database
from hub.errors import RejectedError, UnavailableError
from hub.keys import (
    NEW_KEY,
    ApiKey,
    cannot_write,
    hash_secret,
    is_api_key,
    new_administrator_key,
    read_api_key,
    write_secret_file,
)
from hub.telemetry.log import Log

FIRST_ADMINISTRATOR = "administrator"
MOST_REFUSED = 200
"""Pairs of key and address that one security event each is about, in one round."""
REFUSED_AGAIN_AFTER_S = 60.0


class Access:
    """The service; `record_uses` is to be called a few times a minute."""

    def __init__(
        self,
        database: Database,
        log: Log,
        tokens: AccessTokens | None = None,
        *,
        new_id: Callable[[], UUID] = uuid7,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Without `tokens` there are no people, but keys. `clock`: seconds that only grow, for what is remembered;
        default: the machine's."""
        self._database = database
        self._log = log
        self._tokens = tokens
        self._new_id = new_id
        self._used: dict[UUID, str | None] = {}
        self._seen: set[UUID] = set()
        self._refused: dict[tuple[UUID, str | None], str] = {}
        """Keys that were shown from addresses that they do not allow, and where their principals' names stand."""
        self._told: dict[tuple[UUID, str | None], float] = {}
        self._keys = LookUps(database, look_ups.key, by_secret=True, clock=clock)
        self._keys_let_in = LookUps(database, look_ups.key_of, by_secret=False, clock=clock)
        self._sessions = LookUps(database, look_ups.session, by_secret=False, clock=clock)
        self._cookies = LookUps(database, look_ups.page_session, by_secret=True, clock=clock)

    async def authenticate(self, key: str, address: str | None = None) -> Credential:
        """What a key, or an access token, stands for that is shown from an address. Raises RejectedError:
        `unauthorized`, which tells nothing about why, `key_address_refused`, and `invalid_token` or `token_expired` for
        what has the form of an access token."""
        if self._tokens is not None and key.count(".") == 2:
            return await self._of_token(self._tokens, key)
        hashed = hash_secret(key)
        found = self._keys.remembered(hashed)
        if found is None and is_api_key(key):  # what cannot be a key costs the database nothing
            found = await self._keys.find(hashed)
        if found is None or found.key_id is None:
            raise RejectedError("unauthorized")
        if not may_come_from(found.addresses, address):
            if len(self._refused) < MOST_REFUSED:
                self._refused[found.key_id, address] = found.principal.name
            raise RejectedError("key_address_refused", address=address or "?")
        self._used[found.key_id] = address
        return found

    async def _of_token(self, tokens: AccessTokens, token: str) -> Credential:
        claims = await tokens.read(token)
        found = await self._sessions.find(claims.session_id)
        if found is None or found.id != claims.principal_id or found.session_kind != "token":
            raise RejectedError("invalid_token")
        if claims.expires_at <= found.now.timestamp():
            raise RejectedError("token_expired")
        return self._of_session(found)

    async def by_cookie(self, cookie: str) -> Credential:
        """What the cookie of a page stands for. Raises RejectedError `unauthorized`."""
        found = await self._cookies.find(hash_cookie(cookie))
        if found is None:
            raise RejectedError("unauthorized")
        return self._of_session(found)

    def _of_session(self, found: SessionHolder) -> Credential:
        if found.stale:
            self._seen.add(found.session_id)
        principal = Principal(found.id, found.kind, found.name, found.role, found.reach)
        return Credential(principal, session_id=found.session_id, confirmed=found.confirmed)

    async def still_valid(self, caller: Caller) -> bool:
        """Whether a caller that was let in would be let in now, with what it showed: for what lasts longer than a
        request."""
        if caller.session_id is not None:
            session = await self._sessions.find(caller.session_id)
            return session is not None and (session.role, session.reach) == (
                caller.principal.role,
                caller.principal.reach,
            )
        if caller.key_id is None:
            return True
        found = await self._keys_let_in.find(caller.key_id)
        return (
            found is not None
            and found.principal.role == caller.principal.role
            and found.principal.reach == caller.principal.reach
            and may_come_from(found.addresses, caller.address)
        )

    def forget(self) -> None:
        """Look everything up anew: a key, a session, or who has one, was changed."""
        for look_ups_of_a_kind in (self._keys, self._keys_let_in, self._sessions, self._cookies):
            look_ups_of_a_kind.forget()

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
        """Write down which keys and sessions were used since the last call, and which keys were refused for the address
        that they came from. Raises UnavailableError, and then keeps them."""
        used, self._used = self._used, {}
        seen, self._seen = self._seen, set()
        refused, self._refused = self._refused, {}
        if not used and not seen and not refused:
            return
        now = asyncio.get_running_loop().time()
        self._told = {pair: at for pair, at in self._told.items() if now - at < REFUSED_AGAIN_AFTER_S}
        new = [pair for pair in refused if pair not in self._told]
        try:
            async with self._database.connection() as connection:
                if used:
                    await api_keys.touch(connection, used)
                if seen:
                    await sessions.touch(connection, list(seen))
            for key_id, address in new:
                await self._tell_refused(key_id, address)
        except UnavailableError:
            self._used = used | self._used
            self._seen |= seen
            self._refused = refused | self._refused
            raise
        for key_id, address in new:
            self._told[key_id, address] = now
            self._log.warning(
                Event.KEY_ADDRESS_REFUSED, key_id=str(key_id), principal=refused[key_id, address], address=address
            )

    async def _tell_refused(self, key_id: UUID, address: str | None) -> None:
        async with self._database.transaction() as connection:
            key = await api_keys.get(connection, key_id)
            if key is not None:
                detail = {"key_id": str(key_id), "prefix": key.prefix, "allowed": key.addresses}
                await audit.record_security(
                    connection,
                    "key_address_refused",
                    "warning",
                    principal_id=key.principal_id,
                    address=address,
                    detail=detail,
                )


def _write(file: Path, key: ApiKey) -> None:
    try:
        write_secret_file(file, key.text + "\n")
    except OSError as problem:
        raise cannot_write(file, problem) from None
