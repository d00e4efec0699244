"""Policies in memory: what was set through this process counts from its answer on."""

import asyncio
from collections.abc import Sequence

from uuid_utils.compat import uuid7

from hub.core.access.rules import Caller, Principal
from hub.core.access.store import keys as principals
from hub.core.commands.rules.policies import Policy
from hub.core.commands.service.policies import Policies
from hub.core.commands.store.policies import StoredPolicy
from hub.database.engine import Database
from hub.features.action_policies.service import ActionPolicies


class Held(Policies):
    """Its first look has read, and is held up before it can tell."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.has_read = asyncio.Event()
        self.go_on = asyncio.Event()

    async def read(self) -> Sequence[StoredPolicy]:
        rows = await super().read()
        if not self.has_read.is_set():
            self.has_read.set()
            await self.go_on.wait()
        return rows


async def test_a_look_that_began_before_a_change_does_not_take_it_back(database: Database) -> None:
    async with database.transaction() as connection:
        me = await principals.ensure(connection, Principal(uuid7(), "user", "ann", "admin"))
    policies = Held(database)
    earlier = asyncio.create_task(policies.refresh())
    await policies.has_read.wait()
    changing = asyncio.create_task(
        ActionPolicies(database, policies).put(
            Caller(Principal(me, "user", "ann", "admin"), None), "label", Policy(timeout_s=9)
        )
    )
    await asyncio.wait({changing}, timeout=0.5)  # either it waits for the look, or it is done
    policies.go_on.set()
    await asyncio.gather(earlier, changing)
    assert policies.of("label").timeout_s == 9
