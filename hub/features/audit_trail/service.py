"""Reading the trail, exporting it, verifying it, and erasing a person's data from it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

from hub.api.pages import Page
from hub.core.access.rules import Caller
from hub.core.audit.service.anchor import Anchor
from hub.core.audit.service.erasing import Erased, Erasing
from hub.core.audit.service.sealing import Sealing
from hub.core.audit.service.verifying import Result, verify
from hub.core.audit.store import record
from hub.database.engine import Database
from hub.errors import RejectedError
from hub.features.audit_trail import store
from hub.features.audit_trail.store import Entry, Filter, SecurityEntry, SecurityFilter

PORTION = 500
LONGEST_VERIFICATION_S = 60.0


class AuditTrail:
    """The service."""

    def __init__(self, database: Database, sealing: Sealing, anchor: Anchor, erasing: Erasing) -> None:
        self._database = database
        self._sealing = sealing
        self._anchor = anchor
        self._erasing = erasing
        self._verifying = asyncio.Lock()

    async def page(self, wanted: Filter, principal: str | None, *, before: int | None, limit: int) -> Page[Entry, str]:
        """A page of rows, newest first. `principal`: by this one's id or name. Raises UnavailableError."""
        async with self._database.connection() as connection:
            of = await self._of(wanted, principal)
            rows = await store.page(connection, of, before, limit + 1) if of is not None else []
        return Page.of(rows, limit, lambda row: str(row.id))

    async def one(self, number: int) -> Entry:
        """A row. Raises RejectedError `not_found`, UnavailableError."""
        async with self._database.connection() as connection:
            found = await store.one(connection, number)
        if found is None:
            raise RejectedError("audit_row_not_found", id=number)
        return found

    async def export(self, caller: Caller, wanted: Filter, principal: str | None) -> AsyncIterator[list[Entry]]:
        """All rows that are there now, oldest first, some at a time; that they were exported is a row of its own.
        Raises UnavailableError before the first ones."""
        of = await self._of(wanted, principal)
        async with self._database.transaction() as connection:
            last = await store.newest(connection)
            await record(connection, caller, "audit.export", "audit", "rows", {"until": last})
        return self._portions(of, last)

    async def _portions(self, wanted: Filter | None, last: int) -> AsyncIterator[list[Entry]]:
        after = 0
        while wanted is not None:
            async with self._database.connection() as connection:
                rows = await store.following(connection, wanted, after, last, PORTION)
            if not rows:
                return
            after = rows[-1].id
            yield rows

    async def security_page(
        self, wanted: SecurityFilter, *, before: int | None, limit: int
    ) -> Page[SecurityEntry, str]:
        """A page of security events, newest first. Raises UnavailableError."""
        async with self._database.connection() as connection:
            rows = await store.security_page(connection, wanted, before, limit + 1)
        return Page.of(rows, limit, lambda row: str(row.id))

    async def verify(self, accepted: tuple[int, ...] = ()) -> Result:
        """Whether the trail is whole. Raises RejectedError `audit_verification_long`, UnavailableError."""
        noted = await asyncio.to_thread(self._anchor.read)
        last = self._sealing.last
        known = [one for one in (noted,) if one is not None]
        if last is not None:
            known.append(last.noted)
        try:
            async with asyncio.timeout(LONGEST_VERIFICATION_S), self._verifying:
                return await verify(self._database, self._sealing.public_key, noted=known, accepted=accepted)
        except TimeoutError:
            raise RejectedError("audit_verification_long", seconds=int(LONGEST_VERIFICATION_S)) from None

    async def erase(self, caller: Caller, principal: str) -> tuple[UUID, Erased]:
        """Erase a person's data from the trail: of a principal that is disabled, with its name. Idempotent. Raises
        RejectedError `audit_person_not_found`, `audit_person_active`; UnavailableError."""
        async with self._database.connection() as connection:
            found = await store.principal(connection, principal)
        if found is None:
            raise RejectedError("audit_person_not_found")
        if not found.disabled:
            raise RejectedError("audit_person_active", name=found.name)
        names = tuple(name for name in (found.name, found.login) if name is not None)
        erased = await self._erasing.erase(caller, found.id, names)
        async with self._database.transaction() as connection:
            await store.forget_name(connection, found.id)
        return found.id, erased

    async def _of(self, wanted: Filter, principal: str | None) -> Filter | None:
        """The filter with the principal's id; None: there is no such principal, so that nothing fits."""
        if principal is None:
            return wanted
        async with self._database.connection() as connection:
            found = await store.principal(connection, principal)
        if found is not None:
            return replace(wanted, principal_id=found.id)
        try:
            return replace(wanted, principal_id=UUID(principal))
        except ValueError:
            return None
