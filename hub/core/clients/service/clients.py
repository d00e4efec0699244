"""Registering, changing and retiring clients; the broker learns of it through the outbox."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Any

from broker_config.render import hash_password
from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller, Permission
from hub.core.access.service.strangers import Strangers
from hub.core.access.store.reach import allows
from hub.core.audit import store as audit
from hub.core.clients.store import clients as store
from hub.core.clients.store.clients import Client, ClientExistsError, Filter, NewClient
from hub.core.clients.telemetry import Event
from hub.core.presence import store as sessions
from hub.core.presence.service.ending import end_session, may_return
from hub.core.presence.store import StoredChange
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError
from hub.keys import hash_secret, is_api_key, is_mistyped, new_client_secret
from hub.signals.ports import Signals
from hub.telemetry.log import Log
from schemas.topics import is_client_id

MOST_STRANGERS = 2_000
"""Clients that show a secret for the first time and wait to be let in: after a start of the hub, all of them."""
BROKER_PATIENCE_S = 10.0
BROKER_POLL_S = 0.02
DEFAULT_RATE_LIMIT = 60
DEFAULT_DAILY_LIMIT = 1_000
_WIDENS = frozenset({"zone", "tags"})
"""What grants go by: who changes it changes who reaches the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """A client to be made."""

    id: str
    name: str | None = None
    kind: str = "other"
    zone: str | None = None
    tags: Sequence[str] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    allowed_actions: Sequence[str] | None = None
    rate_limit: int = DEFAULT_RATE_LIMIT
    max_commands_per_day: int = DEFAULT_DAILY_LIMIT


@dataclass(frozen=True, slots=True)
class Registered:
    """A client with the secret that was just made for it. `broker_ready`: the broker knows it already; if not, it will
    by itself."""

    client: Client
    secret: str
    broker_ready: bool


class Clients:
    """The service. Answers when the broker knows of the change."""

    def __init__(
        self,
        database: Database,
        signals: Signals,
        log: Log,
        *,
        seal: Callable[[str], bytes],
        broker_managed: bool,
    ) -> None:
        self._database = database
        self._signals = signals
        self._log = log
        self._seal = seal
        self._broker_managed = broker_managed
        self._strangers = Strangers(MOST_STRANGERS)

    async def create(self, caller: Caller, request: ClientRequest) -> Registered:
        """A new client and its secret, which is shown this once. Raises RejectedError or ConflictError."""
        caller.require_all_clients()
        if not is_client_id(request.id):
            raise RejectedError("validation_error", fields=(FieldProblem("id", "slug"),))
        require_storable(name=request.name, tags=request.tags, zone=request.zone, metadata=request.metadata)
        secret = new_client_secret()
        hashed = await asyncio.to_thread(hash_password, secret)
        new = NewClient(
            id=request.id,
            name=request.name or request.id,
            kind=request.kind,
            zone=request.zone,
            tags=list(request.tags),
            metadata=request.metadata,
            allowed_actions=list(request.allowed_actions) if request.allowed_actions is not None else None,
            rate_limit=request.rate_limit,
            max_commands_per_day=request.max_commands_per_day,
            secret_sha256=hash_secret(secret),
            mqtt_password=hashed.password,
            mqtt_salt=hashed.salt,
            mqtt_iterations=hashed.iterations,
        )
        try:
            async with self._database.transaction() as connection:
                await store.insert_client(connection, new)
                change = await store.add_broker_change(connection, request.id, "put", self._seal(secret))
                await audit.record(connection, caller, "client.create", "client", request.id, {"after": _told(new)})
        except ClientExistsError:
            raise ConflictError("client_exists", client_id=request.id) from None
        self._log.info(Event.CLIENT_CREATED, client_id=request.id)
        ready = await self.broker_knows(change)
        return Registered(await self._get(request.id), secret, ready)

    async def get(self, caller: Caller, client_id: str) -> Client:
        """One client, also a retired one. Raises NotFoundError, also for one that the caller is not allowed to read."""
        async with self._database.connection() as connection:
            return _found(await store.get_for(connection, caller.scope, client_id), client_id)

    async def _get(self, client_id: str) -> Client:
        async with self._database.connection() as connection:
            return _found(await store.get(connection, client_id), client_id)

    async def page(self, caller: Caller, wanted: Filter, *, after: str | None, limit: int) -> Page[Client, str]:
        """Up to `limit` clients that the caller may read, in order of their ids."""
        async with self._database.connection() as connection:
            rows = await store.page(connection, caller.scope, wanted, after=after, limit=limit + 1)
        return Page.of(rows, limit, lambda client: client.id)

    async def update(self, caller: Caller, client_id: str, changes: Mapping[str, Any]) -> Client:
        """Change what an administrator may change. Raises NotFoundError or RejectedError."""
        require_storable(**changes)
        if _WIDENS.intersection(changes):
            caller.require_all_clients()
        async with self._database.transaction() as connection:
            await require_own(connection, caller, client_id)
            before = await store.held(connection, client_id)
            if before is None or not await store.change(connection, client_id, changes):
                raise await absent(connection, client_id)
            old = {name: getattr(before, name) for name in changes}
            detail = {"fields": sorted(changes), **audit.changed(old, changes)}
            await audit.record(connection, caller, "client.update", "client", client_id, detail)
        return await self._get(client_id)

    async def retire(self, caller: Caller, client_id: str) -> Client:
        """Retire a client: it cannot connect or be commanded any more; its history stays. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            await require_own(connection, caller, client_id)
            before = await store.held(connection, client_id)
            if before is None or not await store.retire(connection, client_id):
                raise await absent(connection, client_id)
            change = await store.add_broker_change(connection, client_id, "remove")
            await end_session(connection, client_id, "retired")
            detail = audit.changed({"status": before.status}, {"status": "retired"})
            await audit.record(connection, caller, "client.retire", "client", client_id, detail)
        self._log.info(Event.CLIENT_RETIRED, client_id=client_id)
        await self.broker_knows(change)
        return await self._get(client_id)

    async def set_enabled(self, caller: Caller, client_id: str, *, enabled: bool) -> Client:
        """Disable a client (its connection ends, it cannot connect or be commanded) or enable it again; idempotent.
        Raises NotFoundError."""
        status, change = ("active", "put") if enabled else ("disabled", "disable")
        async with self._database.transaction() as connection:
            await require_own(connection, caller, client_id)
            before = await store.held(connection, client_id)
            if before is None or not await store.set_status(connection, client_id, status):
                raise await absent(connection, client_id)
            change_id = await store.add_broker_change(connection, client_id, change)
            if enabled:
                await may_return(connection, client_id)
            else:
                await end_session(connection, client_id, "disabled")
            action = f"client.{'enable' if enabled else 'disable'}"
            detail = audit.changed({"status": before.status}, {"status": status})
            await audit.record(connection, caller, action, "client", client_id, detail)
        self._log.info(Event.CLIENT_CHANGED, client_id=client_id, status=status)
        await self.broker_knows(change_id)
        return await self._get(client_id)

    async def rotate_secret(self, caller: Caller, client_id: str) -> Registered:
        """A new secret, shown this once; the connection with the old one ends. Raises NotFoundError."""
        secret = new_client_secret()
        hashed = await asyncio.to_thread(hash_password, secret)
        async with self._database.transaction() as connection:
            await require_own(connection, caller, client_id)
            known = await store.set_secret(
                connection,
                client_id,
                secret_sha256=hash_secret(secret),
                password=hashed.password,
                salt=hashed.salt,
                iterations=hashed.iterations,
            )
            if not known:
                raise await absent(connection, client_id)
            change_id = await store.add_broker_change(connection, client_id, "put", self._seal(secret))
            await end_session(connection, client_id, "secret_rotated")
            await audit.record(connection, caller, "client.rotate_secret", "client", client_id)
        self._log.info(Event.CLIENT_CHANGED, client_id=client_id, status="secret_rotated")
        ready = await self.broker_knows(change_id)
        return Registered(await self._get(client_id), secret, ready)

    async def unfence(self, caller: Caller, client_id: str) -> Client:
        """Dispatch to a client goes on after two machines used its identity. Idempotent. Raises
        NotFoundError."""
        before = await self._get(client_id)
        async with self._database.transaction() as connection:
            await require_own(connection, caller, client_id)
            if await sessions.release(connection, client_id):
                detail = audit.changed({"fenced": before.fenced}, {"fenced": None})
                await audit.record(connection, caller, "client.unfence", "client", client_id, detail)
                self._log.info(Event.CLIENT_CHANGED, client_id=client_id, status="unfenced")
        self._signals.send_again()
        self._signals.work_for([client_id])
        return await self._get(client_id)

    async def history(
        self, caller: Caller, client_id: str, *, before: datetime | None, limit: int
    ) -> Page[StoredChange, datetime]:
        """Changes of presence before a time, newest first. A page may be longer by those of one moment. Raises
        NotFoundError."""
        async with self._database.connection() as connection:
            if not await store.is_there(connection, caller.scope, client_id):
                raise NotFoundError("client_not_found", client_id=client_id)
            rows = await sessions.history(connection, client_id, before=before, limit=limit)
        return Page(rows, rows[-1].at if len(rows) >= limit else None)

    async def authenticate(self, client_id: str, secret: str) -> bool:
        """Whether this is the secret of a client. Raises RejectedError `client_disabled` for that of a disabled one."""
        if not is_client_id(client_id) or _is_none_of_a_client(secret):
            return False
        hashed = hash_secret(secret)
        async with self._strangers.turn((client_id, hashed)), self._database.connection() as connection:
            stored = await store.secret(connection, client_id)
        valid = stored is not None and compare_digest(stored.secret_sha256, hashed)
        self._strangers.judged((client_id, hashed), valid=valid)
        if stored is None or not valid:
            return False
        if stored.status == "disabled":
            raise RejectedError("client_disabled", client_id=client_id)
        return True

    async def find_by_secret(self, secret: str) -> str | None:
        """The client whose secret this is. Raises RejectedError `client_disabled` for a disabled one."""
        if _is_none_of_a_client(secret):
            return None
        hashed = hash_secret(secret)
        async with self._strangers.turn(hashed), self._database.connection() as connection:
            found = await store.holder(connection, hashed)
        self._strangers.judged(hashed, valid=found is not None)
        if found is not None and found.status == "disabled":
            raise RejectedError("client_disabled", client_id=found.id)
        return None if found is None else found.id

    async def broker_knows(self, change_id: int) -> bool:
        """Whether the broker has learned a change within our patience. It is stored: it gets there in any case."""
        if not self._broker_managed:
            return True
        self._signals.broker_changed()
        try:
            async with asyncio.timeout(BROKER_PATIENCE_S):
                while True:
                    async with self._database.connection() as connection:
                        state = await store.broker_change_state(connection, change_id)
                    if state is not None and state.done:
                        return state.error is None
                    await asyncio.sleep(BROKER_POLL_S)
        except TimeoutError:
            return False


def _found(client: Client | None, client_id: str) -> Client:
    if client is None:
        raise NotFoundError("client_not_found", client_id=client_id)
    return client


async def require_own(connection: Connection, caller: Caller, client_id: str) -> None:
    """Raise NotFoundError for a client that the caller's key is not for, RejectedError with a key for some actions.
    Whether there is such a client at all is left to who asks."""
    caller.require_all_actions()
    if not await allows(connection, caller.scope, Permission.ADMINISTER, client_id):
        raise NotFoundError("client_not_found", client_id=client_id)


async def absent(connection: Connection, client_id: str) -> NotFoundError:
    """Why a client cannot be changed: there is none, or it is retired."""
    known = await store.get(connection, client_id)
    return NotFoundError("client_not_found" if known is None else "client_retired", client_id=client_id)


def _told(new: store.NewClient) -> dict[str, Any]:
    """What the audit has of a new client: nothing that opens anything."""
    names = ("name", "kind", "zone", "tags", "metadata", "allowed_actions", "rate_limit", "max_commands_per_day")
    return {name: getattr(new, name) for name in names}


def _is_none_of_a_client(secret: str) -> bool:
    """Whether it shows by its form that it is no client's secret, so that the database need not be asked."""
    return is_mistyped(secret) or is_api_key(secret)
