"""One-time codes that connect a machine: making, listing, confirming and ending them. See `claims` for the machines'
side."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller
from hub.core.audit import store as audit
from hub.core.clients.rules.pairing import CODE_LASTS, MOST_OPEN, MOST_TRIES, Place
from hub.core.clients.service.clients import DEFAULT_DAILY_LIMIT, DEFAULT_RATE_LIMIT, absent
from hub.core.clients.service.creators import Maker, require_place, require_reach
from hub.core.clients.store import clients
from hub.core.clients.store import pairing as store
from hub.core.clients.store.pairing import Pairing
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError
from hub.keys import SigningKeys, hash_secret
from hub.tokens import PAIRING, new_token
from schemas.pairing import ALPHABET, BY_CODE, BY_STRETCHED, CODE_LENGTH, stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What machines become: everything but their ids."""

    kind: str | None = None
    zone: str | None = None
    tags: Sequence[str] = ()
    groups: Sequence[str] = ()
    allowed_actions: Sequence[str] | None = None
    rate_limit: int = DEFAULT_RATE_LIMIT
    max_commands_per_day: int = DEFAULT_DAILY_LIMIT

    @property
    def place(self) -> Place:
        """Where they are."""
        return Place(zone=self.zone, tags=self.tags, groups=self.groups)

    @property
    def columns(self) -> dict[str, Any]:
        """As the tables have it."""
        policy = {
            "allowed_actions": None if self.allowed_actions is None else list(self.allowed_actions),
            "rate_limit": self.rate_limit,
            "max_commands_per_day": self.max_commands_per_day,
        }
        groups = list(dict.fromkeys(self.groups))
        return {"kind": self.kind, "zone": self.zone, "tags": list(self.tags), "groups": groups, "policy": policy}


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingRequest:
    """A code to be made; with `replaces` for a client that there is, which stays what it is."""

    client_id: str
    wanted: Wanted
    replaces: bool = False
    name: str | None = None
    lasts: timedelta = CODE_LASTS


@dataclass(frozen=True, slots=True)
class NewPairing:
    """A code, shown this once."""

    pairing: Pairing
    code: str
    token: str


class Pairings:
    """The service."""

    def __init__(self, database: Database, keys: SigningKeys, *, new_id: Callable[[], UUID] = uuid7) -> None:
        self._database = database
        self._keys = keys
        self._new_id = new_id

    async def create(self, caller: Caller, request: PairingRequest) -> NewPairing:
        """A new code. Raises ConflictError, NotFoundError, RejectedError."""
        wanted = request.wanted
        require_storable(name=request.name, zone=wanted.zone, tags=wanted.tags)
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        token = new_token(PAIRING)
        stretched = await asyncio.to_thread(stretch, code, self._keys.root_public_key)
        pairing_id = self._new_id()
        async with self._database.transaction() as connection:
            await self._require_client(connection, Maker.of(caller), request)
            if await store.count_open(connection) >= MOST_OPEN:
                raise ConflictError("too_many_pairings", limit=MOST_OPEN)
            await store.insert(
                connection,
                id=pairing_id,
                code_hash=self._keys.keyed_hash(BY_CODE, code),
                stretched_hash=self._keys.keyed_hash(BY_STRETCHED, stretched),
                token_sha256=hash_secret(token),
                client_id=request.client_id,
                replaces=request.replaces,
                name=request.name,
                created_by=caller.principal_id,
                created_by_key=caller.key_id,
                lasts=request.lasts,
                **wanted.columns,
            )
            detail = {"client_id": request.client_id, "replaces": request.replaces, "name": request.name}
            detail |= {"lasts_s": request.lasts.total_seconds(), **wanted.columns}
            await audit.record(connection, caller, "pairing.create", "pairing", str(pairing_id), detail)
            made = await store.find(connection, "id", pairing_id)
        assert made is not None  # noqa: S101 - it was just stored
        return NewPairing(made, code, token)

    async def _require_client(self, connection: Connection, maker: Maker, request: PairingRequest) -> None:
        """Raise an error unless the client is there, or is not, as the request means."""
        client_id = request.client_id
        if request.replaces:
            await require_reach(connection, maker, client_id)
            found = await clients.get(connection, client_id)
            if found is None or found.status == "retired":
                raise await absent(connection, client_id)
            if found.status == "disabled":
                raise RejectedError("client_disabled", client_id=client_id)
            return
        await require_groups(connection, request.wanted.groups)
        await require_place(connection, maker, request.wanted.place)
        found = await clients.get(connection, client_id)
        if found is not None:
            variant = "retired" if found.status == "retired" else "to_replace"
            raise ConflictError("client_exists", client_id=client_id, variant=variant)

    async def get(self, caller: Caller, pairing_id: UUID) -> Pairing:
        """One code, without what it is. Raises NotFoundError."""
        async with self._database.connection() as connection:
            return _seen(caller, await store.find(connection, "id", pairing_id), pairing_id)

    async def page(self, caller: Caller, *, only_open: bool, after: UUID | None, limit: int) -> Page[Pairing, UUID]:
        """Up to `limit` codes, newest first: all, or those that the caller's principal made."""
        async with self._database.connection() as connection:
            rows = await store.page(
                connection, owner=owner_of(caller), only_open=only_open, after=after, limit=limit + 1
            )
        return Page.of(rows, limit, lambda pairing: pairing.id)

    async def revoke(self, caller: Caller, pairing_id: UUID) -> Pairing:
        """A code is good no more; also says no to a machine that waits. Idempotent. Raises NotFoundError, and
        ConflictError for one that was used."""
        async with self._database.transaction() as connection:
            before = _seen(caller, await store.lock(connection, pairing_id), pairing_id)
            if before.status == "used":
                raise ConflictError("pairing_used", variant="to_revoke", client_id=before.client_id)
            if before.revoked_at is None:
                await store.end(connection, pairing_id, "refused" if before.status == "confirm" else "revoked")
                detail = {"client_id": before.client_id, "number": before.number}
                await audit.record(connection, caller, "pairing.revoke", "pairing", str(pairing_id), detail)
        return await self.get(caller, pairing_id)

    async def confirm(self, caller: Caller, pairing_id: UUID, number: str) -> Pairing:
        """A person has compared the numbers: the machine that shows this one gets the secret. Raises NotFoundError,
        ConflictError, RejectedError."""
        async with self._database.transaction() as connection:
            before = _seen(caller, await store.lock(connection, pairing_id), pairing_id)
            right = secrets.compare_digest(number.encode(), (before.number or "").encode())
            if right and before.confirmed_at is not None:
                return before
            if before.status != "confirm":
                raise ConflictError("pairing_not_waiting", status=before.status)
            if right:
                await store.confirm(connection, pairing_id, caller.principal_id)
                detail = {"client_id": before.client_id, "address": before.address, "number": before.number}
                await audit.record(connection, caller, "pairing.confirm", "pairing", str(pairing_id), detail)
        if not right:
            async with self._database.transaction() as connection:
                await store.count_try(connection, pairing_id, MOST_TRIES)
                detail = {"pairing": str(pairing_id), "number": number}
                await audit.record_security(
                    connection,
                    "pairing_number_wrong",
                    "warning",
                    principal_id=caller.principal_id,
                    client_id=before.client_id,
                    address=before.address,
                    detail=detail,
                )
            raise RejectedError("pairing_number_wrong")
        return await self.get(caller, pairing_id)


def owner_of(caller: Caller) -> UUID | None:
    """Whose codes a caller sees: everybody's (None), if he reaches all clients, or his own."""
    return caller.principal_id if caller.scope.limited else None


def _seen(caller: Caller, pairing: Pairing | None, pairing_id: UUID) -> Pairing:
    if pairing is None or owner_of(caller) not in (None, pairing.created_by):
        raise NotFoundError("pairing_not_found", variant="by_id", id=pairing_id)
    return pairing


async def require_groups(connection: Connection, groups: Sequence[str]) -> None:
    """Raise RejectedError that names each group that there is not."""
    there = set(await store.known_groups(connection, groups)) if groups else set()
    problems = [
        FieldProblem(f"groups[{number}]", "no_such_group") for number, each in enumerate(groups) if each not in there
    ]
    if problems:
        raise RejectedError("validation_error", fields=tuple(problems))
