"""Tokens that connect many machines without a person at each: making, listing and revoking them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller
from hub.core.audit import store as audit
from hub.core.clients.service.creators import Maker, require_place
from hub.core.clients.service.pairings import Wanted, owner_of, require_groups
from hub.core.clients.store import pairing as store
from hub.core.clients.store.pairing import Enrolment
from hub.database.engine import Database
from hub.errors import NotFoundError
from hub.keys import hash_secret
from hub.tokens import ENROLMENT, new_token


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRequest:
    """A token to be made, for at most so many machines."""

    name: str
    naming: str
    most: int
    lasts: timedelta
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class NewEnrolment:
    """A token, shown this once."""

    enrolment: Enrolment
    token: str


class Enrolments:
    """The service."""

    def __init__(self, database: Database, *, new_id: Callable[[], UUID] = uuid7) -> None:
        self._database = database
        self._new_id = new_id

    async def create(self, caller: Caller, request: EnrolmentRequest) -> NewEnrolment:
        """A new token. Raises RejectedError."""
        wanted = request.wanted
        require_storable(name=request.name, zone=wanted.zone, tags=wanted.tags)
        token, enrolment_id = new_token(ENROLMENT), self._new_id()
        async with self._database.transaction() as connection:
            await require_groups(connection, wanted.groups)
            await require_place(connection, Maker.of(caller), wanted.place)
            await store.insert_enrolment(
                connection,
                id=enrolment_id,
                token_sha256=hash_secret(token),
                name=request.name,
                naming=request.naming,
                created_by=caller.principal_id,
                created_by_key=caller.key_id,
                lasts=request.lasts,
                most=request.most,
                **wanted.columns,
            )
            detail = {"name": request.name, "naming": request.naming, "count": request.most, **wanted.columns}
            detail["lasts_s"] = request.lasts.total_seconds()
            await audit.record(connection, caller, "enrolment.create", "enrolment", str(enrolment_id), detail)
            made = await store.enrolment(connection, enrolment_id)
        assert made is not None  # noqa: S101 - it was just stored
        return NewEnrolment(made, token)

    async def get(self, caller: Caller, enrolment_id: UUID) -> Enrolment:
        """One token, without what it is. Raises NotFoundError."""
        async with self._database.connection() as connection:
            return _seen(caller, await store.enrolment(connection, enrolment_id), enrolment_id)

    async def page(self, caller: Caller, *, after: UUID | None, limit: int) -> Page[Enrolment, UUID]:
        """Up to `limit` tokens, newest first: all, or those that the caller's principal made."""
        async with self._database.connection() as connection:
            rows = await store.page_of_enrolments(connection, owner=owner_of(caller), after=after, limit=limit + 1)
        return Page.of(rows, limit, lambda enrolment: enrolment.id)

    async def revoke(self, caller: Caller, enrolment_id: UUID) -> Enrolment:
        """No further machine is connected; those that are stay. Idempotent. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            before = _seen(caller, await store.lock_enrolment(connection, enrolment_id), enrolment_id)
            if await store.revoke_enrolment(connection, enrolment_id):
                detail = {"name": before.name, "used": before.used, "count": before.most}
                await audit.record(connection, caller, "enrolment.revoke", "enrolment", str(enrolment_id), detail)
        return await self.get(caller, enrolment_id)


def _seen(caller: Caller, enrolment: Enrolment | None, enrolment_id: UUID) -> Enrolment:
    if enrolment is None or owner_of(caller) not in (None, enrolment.created_by):
        raise NotFoundError("enrolment_not_found", variant="by_id", id=enrolment_id)
    return enrolment
