"""Writing the policies of actions."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.core.commands.rules.policies import Policy
from hub.core.commands.tables import ActionPolicy
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW


async def held(connection: Connection, action: str) -> Policy | None:
    """The policy of an action, which nobody else changes until the transaction ends."""
    this = select(*model.columns(Policy, ActionPolicy)).where(col(ActionPolicy.action) == action)
    return await model.fetch_one(connection, this.with_for_update(), Policy)


async def put(connection: Connection, action: str, policy: Policy, updated_by: UUID) -> None:
    """Make or replace a policy."""
    values = {**asdict(policy), "updated_at": NOW, "updated_by": updated_by}
    new = insert(ActionPolicy).values(action=action, **values)
    replaced = {name: new.excluded[name] for name in values}
    await model.execute(connection, new.on_conflict_do_update(index_elements=["action"], set_=replaced))


async def remove(connection: Connection, action: str) -> bool:
    """Forget a policy; False when there is none."""
    return await model.execute(connection, delete(ActionPolicy).where(col(ActionPolicy.action) == action)) > 0
