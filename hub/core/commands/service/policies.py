"""Policies of actions as a submit needs them: kept in memory, and read again every two seconds."""

import asyncio
from collections.abc import Mapping, Sequence

from hub.core.commands.rules.policies import Policy
from hub.core.commands.store import policies as store
from hub.core.commands.store.policies import StoredPolicy
from hub.database.engine import Database

_NONE = Policy()


class Policies:
    """`refresh` before the first submit, and every `POLL_S` seconds."""

    POLL_S = 2.0
    """So late, at most, does another process go by a changed policy, while the database answers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._policies: Mapping[str, Policy] = {}
        self._reading = asyncio.Lock()

    def of(self, action: str) -> Policy:
        """The policy of an action as far as this process knows; an empty one if it has none."""
        return self._policies.get(action, _NONE)

    async def refresh(self) -> Sequence[StoredPolicy]:
        """Read all policies, and go by them. Raises UnavailableError; then what was known goes on to count."""
        # One at a time: an earlier read that is slower must not bring back what a later one has found changed.
        async with self._reading:
            rows = await self.read()
            self._policies = {row.action: row.policy for row in rows}
            return rows

    async def poll(self) -> None:
        """The same, for a loop."""
        await self.refresh()

    async def read(self) -> Sequence[StoredPolicy]:
        """Every policy with its action and when it was changed, as the database has them now."""
        async with self._database.connection() as connection:
            return await store.read(connection)
