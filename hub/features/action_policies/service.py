"""Administration of the policies of actions."""

from dataclasses import asdict, dataclass
from datetime import datetime

from hub.core.access.rules import Caller
from hub.core.audit import store as audit
from hub.core.commands.rules.policies import Policy, effective
from hub.core.commands.service.policies import Policies
from hub.core.commands.store.policies import StoredPolicy
from hub.database.engine import Database
from hub.features.action_policies import store
from schemas.actions import ACTIONS


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action with its own policy (None: it has none), and what counts for its commands."""

    action: str
    built_in: bool
    policy: Policy | None
    effective: Policy
    updated_at: datetime | None


class ActionPolicies:
    """The service. What it changes counts in this process at once."""

    def __init__(self, database: Database, policies: Policies) -> None:
        self._database = database
        self._policies = policies

    async def actions(self) -> list[ActionRow]:
        """The built-in actions and those with a policy, in order of their names, as the database has them now."""
        rows = {row.action: row for row in await self._policies.read()}
        return [_row(action, rows.get(action)) for action in sorted(ACTIONS.keys() | rows.keys())]

    async def put(self, caller: Caller, action: str, policy: Policy) -> ActionRow:
        """Make or replace the policy of an action; it counts for commands that are accepted from now on. Raises
        RejectedError unless the caller is for all clients, as a policy is."""
        caller.require_all_clients(for_action=action)
        async with self._database.transaction() as connection:
            before = await store.held(connection, action)
            await store.put(connection, action, policy, caller.principal_id)
            detail = {**asdict(policy), **audit.changed(asdict(before or Policy()), asdict(policy))}
            await audit.record(connection, caller, "action_policy.put", "action", action, detail)
        return await self._after(action)

    async def delete(self, caller: Caller, action: str) -> ActionRow:
        """Go back to the hub's defaults; the same when there was no policy. Raises like `put`."""
        caller.require_all_clients(for_action=action)
        async with self._database.transaction() as connection:
            before = await store.held(connection, action)
            if await store.remove(connection, action):
                detail = audit.changed(asdict(before or Policy()), asdict(Policy()))
                await audit.record(connection, caller, "action_policy.delete", "action", action, detail)
        return await self._after(action)

    async def _after(self, action: str) -> ActionRow:
        rows = await self._policies.refresh()
        return _row(action, next((row for row in rows if row.action == action), None))


def _row(action: str, stored: StoredPolicy | None) -> ActionRow:
    policy = None if stored is None else stored.policy
    updated_at = None if stored is None else stored.updated_at
    return ActionRow(action, action in ACTIONS, policy, effective(policy or Policy()), updated_at)
