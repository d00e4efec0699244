"""Integrations, keys and grants as an administrator makes them, without a hub around the services."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.core.access.rules import Caller, Principal
from hub.core.access.rules.permissions import KeyLimits
from hub.core.access.rules.targets import ClientsNamed
from hub.core.access.service import Access
from hub.core.access.service.check import AccessCheck
from hub.core.access.service.grants import GrantRequest, Grants
from hub.core.access.service.integrations import Created, IntegrationRequest, Integrations
from hub.core.access.service.keys import KeyRequest, Keys, NewKey
from hub.core.access.store.grants import Grant
from hub.database.engine import Database
from hub.telemetry.log import Log


def nothing() -> None:
    """What happens when access has changed and nobody is told."""


class Administration:
    """The services, and the administrator who uses them."""

    def __init__(self, database: Database, changed: Callable[[], None] = nothing) -> None:
        self.database = database
        self.keys = Keys(database, changed)
        self.grants = Grants(database, changed)
        self.integrations = Integrations(database, self.keys, self.grants, changed)
        self.check = AccessCheck(database)
        self.caller = Caller(Principal(uuid7(), "user", "administrator", "admin"), "192.0.2.1")

    async def integration(self, name: str = "wms", **fields: Any) -> Created:
        """An integration."""
        return await self.integrations.create(self.caller, IntegrationRequest(name=name, **fields))

    async def key(self, owner: Created, *, by: Caller | None = None, name: str = "", **limits: Any) -> NewKey:
        """A key of an integration, made by the administrator or by somebody else."""
        request = KeyRequest(name, KeyLimits(**limits))
        return await self.keys.create(by or self.caller, owner.integration.id, "integration", request)

    async def grant(
        self,
        owner: Created,
        target: ClientsNamed,
        actions: tuple[str, ...] | None = None,
        access: str | None = None,
    ) -> Grant:
        """A grant of an integration."""
        request = GrantRequest(target, actions, access)
        return await self.grants.create(self.caller, owner.integration.id, "integration", request)

    async def administrators_key(self, **limits: Any) -> tuple[NewKey, Caller]:
        """A key of another administrator with these limits, and who uses it."""
        owner = await self.integration(f"admin {uuid7()}", role="admin")
        new = await self.key(owner, **limits)
        access = Access(self.database, Log())
        return new, (await access.authenticate(new.text, "192.0.2.1")).caller("192.0.2.1")

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What the database has."""
        async with self.database.connection() as connection:
            return await (await connection.execute(query.encode(), values)).fetchall()

    async def audit(self, action: str) -> list[dict[str, Any]]:
        """The audit rows of an action, oldest first."""
        return await self.rows("SELECT * FROM audit_logs WHERE action = %s ORDER BY id", action)

    async def now(self) -> datetime:
        """The hub's clock."""
        async with self.database.connection() as connection:
            return await self.database.now(connection)


def id_of(key: NewKey) -> UUID:
    """The key's id."""
    return key.key.id
