"""Policies of actions: kept in memory, so that a submit asks nobody, and looked up again every two seconds."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hub.core.access import store as principals
from hub.core.commands.rules.actions import BUILT_IN
from hub.core.commands.rules.policies import NAMES, Policy, effective
from hub.core.commands.service.submission import Caller
from hub.database.engine import Connection, Database
from hub.errors import UnavailableError
from hub.features.action_policies import store as store
from hub.telemetry.log import Event, Log

LOOK_S = 2.0
"""So late, at most, does another process go by a changed policy, while the database answers."""
_NONE = Policy()


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action with its own policy (None: it has none), and what counts for its commands."""

    action: str
    built_in: bool
    policy: Policy | None
    effective: Policy
    updated_at: datetime | None


class Policies:
    """The service; `load` before the first submit, and `run` must be running."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log
        self._policies: Mapping[str, Policy] = {}
        self._looking = asyncio.Lock()

    def of(self, action: str) -> Policy:
        """The policy of an action as far as this process knows; an empty one if it has none."""
        return self._policies.get(action, _NONE)

    async def load(self) -> None:
        """Look all policies up. Raises UnavailableError; then what was known goes on to count."""
        await self._look()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.load()
            except UnavailableError as problem:
                self._log.warning(Event.TASK_RETRY, task="policies", code=problem.code)

    async def actions(self) -> list[ActionRow]:
        """The built-in actions and those with a policy, in order of their names, as the database has them now."""
        rows = {row["action"]: row for row in await self._read()}
        return [_row(action, rows.get(action)) for action in sorted(BUILT_IN | rows.keys())]

    async def put(self, caller: Caller, action: str, policy: Policy) -> ActionRow:
        """Make or replace the policy of an action; it counts for commands that are accepted from now on."""
        async with self._database.transaction() as connection:
            await store.put(connection, action, policy, caller.principal.id)
            await self._audit(connection, caller, "action_policy.put", action, asdict(policy))
        return await self._after(action)

    async def delete(self, caller: Caller, action: str) -> ActionRow:
        """Go back to the hub's defaults; the same when there was no policy."""
        async with self._database.transaction() as connection:
            if await store.delete(connection, action):
                await self._audit(connection, caller, "action_policy.delete", action, None)
        return await self._after(action)

    async def _audit(
        self, connection: Connection, caller: Caller, what: str, action: str, detail: dict[str, Any] | None
    ) -> None:
        await principals.audit(
            connection,
            principal_id=caller.principal.id,
            action=what,
            resource="action",
            resource_id=action,
            address=caller.address,
            detail=detail,
        )

    async def _after(self, action: str) -> ActionRow:
        rows = await self._look()
        return _row(action, next((row for row in rows if row["action"] == action), None))

    async def _look(self) -> list[dict[str, Any]]:
        # One at a time: an earlier look that is slower must not bring back what a later one has found changed.
        async with self._looking:
            rows = await self._read()
            self._policies = {row["action"]: _policy(row) for row in rows}
            return rows

    async def _read(self) -> list[dict[str, Any]]:
        async with self._database.connection() as connection:
            return await store.read(connection)


def _policy(row: Mapping[str, Any]) -> Policy:
    return Policy(**{name: row[name] for name in NAMES})


def _row(action: str, row: Mapping[str, Any] | None) -> ActionRow:
    policy = None if row is None else _policy(row)
    updated_at = None if row is None else row["updated_at"]
    return ActionRow(action, action in BUILT_IN, policy, effective(policy or _NONE), updated_at)
