"""Integrations: other systems (order system, WMS, monitoring) that use the hub with keys of their own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg
from uuid_utils.compat import uuid7

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller
from hub.core.access.rules.permissions import NO_LIMITS, TEMPLATES, KeyLimits, Template, effective
from hub.core.access.service.granting import Standing, change_of, lock, require_may_widen
from hub.core.access.service.grants import GrantRequest, Grants
from hub.core.access.service.keys import KeyRequest, Keys, NewKey
from hub.core.access.store import integrations as store
from hub.core.access.store.grants import Grant
from hub.core.access.store.integrations import Integration
from hub.core.audit import store as audit
from hub.database.engine import Connection, Database
from hub.database.model import NOW
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError

DEFAULT_ROLE = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantWish:
    """A grant in a request that may name a template, which says what is left out."""

    target: Any
    actions: tuple[str, ...] | None = None
    actions_said: bool = False
    access: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """The same for a key."""

    name: str = ""
    limits: KeyLimits = NO_LIMITS
    permissions_said: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationRequest:
    """An integration to be made, with its first grants and its first key."""

    name: str
    template: str | None = None
    role: str | None = None
    reach: str | None = None
    grants: tuple[GrantWish, ...] | None = None
    key: KeyWish | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """An integration with what was made for it."""

    integration: Integration
    grants: tuple[Grant, ...]
    key: NewKey | None


class Integrations:
    """The service."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        grants: Grants,
        changed: Callable[[], None],
        *,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        """`changed` is called after whatever may have ended a key."""
        self._database = database
        self._keys = keys
        self._grants = grants
        self._changed = changed
        self._new_id = new_id

    async def create(self, caller: Caller, request: IntegrationRequest) -> Created:
        """A new integration, with its grants and its key: all or nothing. Raises RejectedError, ConflictError."""
        require_storable(name=request.name)
        template = None if request.template is None else TEMPLATES[request.template]
        role = request.role or (DEFAULT_ROLE if template is None else template.role)
        reach = request.reach or ("all" if role == "admin" else "granted")
        _require_reach(role, reach)
        integration_id = self._new_id()
        async with self._database.transaction() as connection:
            made = await store.insert_integration(
                connection, integration_id=integration_id, name=request.name, role=role, reach=reach
            )
            if not made:
                raise ConflictError("name_taken", name=request.name)
            owner = await lock(connection, integration_id, "integration")
            empty = await _get(connection, integration_id)
            detail = change_of(None, empty) | {"template": request.template}
            await audit.record(connection, caller, "integration.create", "integration", str(integration_id), detail)
            grants = [
                await self._grants.give(connection, caller, owner, wanted, f"grants[{number}].")
                for number, wanted in enumerate(_grants(request, template))
            ]
            key = None
            if request.key is not None:
                key = await self._keys.give(connection, caller, owner, _key(request.key, template, role), "key.")
            return Created(await _get(connection, integration_id), tuple(grants), key)

    async def get(self, integration_id: UUID) -> Integration:
        """One integration. Raises NotFoundError."""
        async with self._database.connection() as connection:
            return await _get(connection, integration_id)

    async def page(
        self, *, name: str | None, status: str | None, after: UUID | None, limit: int
    ) -> Page[Integration, UUID]:
        """Up to `limit` integrations in the order in which they were made."""
        async with self._database.connection() as connection:
            rows = await store.page(connection, name=name, status=status, after=after, limit=limit + 1)
        return Page.of(rows, limit, lambda integration: integration.id)

    async def change(self, caller: Caller, integration_id: UUID, changes: dict[str, Any]) -> Integration:
        """Change `name`, `role`, `reach` or `status`. Raises NotFoundError, RejectedError, ConflictError."""
        require_storable(name=changes.get("name"))
        try:
            async with self._database.transaction() as connection:
                owner = await lock(connection, integration_id, "integration")
                role = changes.get("role", owner.role)
                # Whoever becomes an administrator reaches all clients.
                reach = changes.get("reach", "all" if role == "admin" else owner.reach)
                _require_reach(role, reach)
                before = await _get(connection, integration_id)
                disabled = changes.get("status", before.status) == "disabled"
                standing = Standing(owner.role, owner.reach, owner.disabled_at is not None)
                await require_may_widen(
                    connection, caller, standing, Standing(role, reach, disabled), enabled_by="status"
                )
                columns: dict[str, Any] = {"name": changes.get("name", owner.name), "role": role, "reach": reach}
                if "status" in changes and changes["status"] != before.status:
                    columns["disabled_at"] = NOW if changes["status"] == "disabled" else None
                await store.change(connection, integration_id, columns)
                after = await _get(connection, integration_id)
                if after != before:
                    detail = change_of(before, after)
                    await audit.record(
                        connection, caller, "integration.update", "integration", str(integration_id), detail
                    )
        except psycopg.errors.UniqueViolation:
            raise ConflictError("name_taken", name=changes.get("name")) from None
        self._changed()
        return after

    async def remove(self, caller: Caller, integration_id: UUID) -> Integration:
        """Remove it for good: its keys and grants end, and its name is free again. It as it was. Raises
        NotFoundError."""
        async with self._database.transaction() as connection:
            await lock(connection, integration_id, "integration")
            before = await _get(connection, integration_id)
            # What it did before stays under a name that says who it was.
            await store.remove(connection, integration_id, f"{before.name} (removed {integration_id.hex[-8:]})")
            await audit.record(
                connection, caller, "integration.delete", "integration", str(integration_id), change_of(before, None)
            )
        self._changed()
        return before


def _grants(request: IntegrationRequest, template: Template | None) -> list[GrantRequest]:
    if template is None:
        return [GrantRequest(wish.target, wish.actions, wish.access) for wish in request.grants or ()]
    wishes = request.grants
    if wishes is None:
        wishes = tuple(GrantWish(target=target) for target in template.grants)
    # A role that the request names instead decides for itself whether it commands.
    access = template.access if request.role is None else None
    return [
        GrantRequest(wish.target, wish.actions if wish.actions_said else template.actions, wish.access or access)
        for wish in wishes
    ]


def _key(wish: KeyWish, template: Template | None, role: str) -> KeyRequest:
    if template is None or wish.permissions_said:
        return KeyRequest(wish.name, wish.limits)
    return KeyRequest(wish.name, replace(wish.limits, permissions=effective(role, template.permissions)))


def _require_reach(role: str, reach: str) -> None:
    if role == "admin" and reach != "all":
        raise RejectedError("validation_error", fields=(FieldProblem("reach", "administrator_reach"),))


async def _get(connection: Connection, integration_id: UUID) -> Integration:
    found = await store.get(connection, integration_id)
    if found is None:
        raise NotFoundError("integration_not_found", id=integration_id)
    return found
