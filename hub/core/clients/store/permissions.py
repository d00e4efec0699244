"""What clients may be asked to do, how often, and how much of it is left."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlmodel import col

from hub.core.clients.tables import Client, ClientPermissions
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a limit, until it begins anew."""

    limit: int
    used: int
    remaining: int
    reset: datetime


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """A client's permissions with what was used of them."""

    client_id: str
    allowed_actions: list[str] | None
    rate_limit: int
    max_commands_per_day: int
    minute_used: int
    minute_reset: datetime
    day_used: int
    day_reset: datetime
    updated_at: datetime

    @property
    def minute(self) -> Left:
        """Of this minute."""
        return _left(self.rate_limit, self.minute_used, self.minute_reset)

    @property
    def day(self) -> Left:
        """Of this day."""
        return _left(self.max_commands_per_day, self.day_used, self.day_reset)


def _left(limit: int, used: int, reset: datetime) -> Left:
    return Left(limit=limit, used=used, remaining=max(limit - used, 0), reset=reset)


_LEFT = Statement("core/clients/permissions", "left", Permissions)


async def get(connection: Connection, client_id: str) -> Permissions | None:
    """A client's permissions; None when there is no such client."""
    return await _LEFT.fetch_one(connection, client_id=client_id)


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """A client's permissions as they were before a change."""

    client_id: str
    allowed_actions: list[str] | None
    rate_limit: int
    max_commands_per_day: int


async def change(connection: Connection, client_ids: Sequence[str], changes: Mapping[str, Any]) -> list[Before]:
    """Change permissions of clients that are not retired; whose were changed, as they were. Needs a transaction.

    `changes` may hold allowed_actions (None: all), rate_limit, max_commands_per_day.
    """
    client_id = col(ClientPermissions.client_id)
    # In order of ids, so that two that change the same clients do not wait for each other in a circle.
    living = (
        select(*model.columns(Before, ClientPermissions))
        .join(Client, col(Client.id) == client_id)
        .where(model.among(client_id, client_ids), col(Client.status) != "retired")
        .order_by(client_id)
        .with_for_update(of=ClientPermissions)
    )
    locked = await model.fetch_all(connection, living, Before)
    these = model.among(client_id, [one.client_id for one in locked])
    await model.execute(connection, update(ClientPermissions).where(these).values(**changes, updated_at=NOW))
    return locked
