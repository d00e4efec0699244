"""Reading the policies of actions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from hub.core.commands.rules.policies import NAMES, Policy
from hub.core.commands.tables import ActionPolicy
from hub.database import model
from hub.database.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicy(Policy):
    """The policy of an action, and when it was changed."""

    action: str
    updated_at: datetime

    @property
    def policy(self) -> Policy:
        """The policy alone."""
        return Policy(**{name: getattr(self, name) for name in NAMES})


async def read(connection: Connection) -> list[StoredPolicy]:
    """Every policy in order of its action; there are as many as actions that somebody has given one."""
    found = select(*model.columns(StoredPolicy, ActionPolicy)).order_by(col(ActionPolicy.action))
    return await model.fetch_all(connection, found, StoredPolicy)
