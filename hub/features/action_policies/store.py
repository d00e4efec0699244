"""Writing the policies of actions."""

from dataclasses import asdict
from uuid import UUID

from hub.core.commands.rules.policies import Policy
from hub.database.engine import Connection
from hub.database.statements import statement

_PUT = statement("features/action_policies", "put")
_DELETE = statement("features/action_policies", "delete")


async def put(connection: Connection, action: str, policy: Policy, updated_by: UUID) -> None:
    """Make or replace a policy."""
    await connection.execute(_PUT, {"action": action, "updated_by": updated_by, **asdict(policy)})


async def delete(connection: Connection, action: str) -> bool:
    """Forget a policy; False when there is none."""
    cursor = await connection.execute(_DELETE, {"action": action})
    return await cursor.fetchone() is not None
