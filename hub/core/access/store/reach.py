"""The rule of grants, as statements that are built ask it."""

from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Text, Uuid, func, literal, select
from sqlalchemy.orm import Mapped

from hub.core.access.rules import Scope
from hub.database import model
from hub.database.engine import Connection


def reached(client_id: Mapped[str], scope: Scope, want: str = "read") -> list[ColumnElement[bool]]:
    """The conditions by which a statement keeps to clients that a caller may `read`, or do something else with; none
    for one who reaches all."""
    if not scope.limited:
        return []
    return [client_id.in_(select(func.floorhub_clients(*principal_of(scope), literal(want, Text)).column_valued("id")))]


def principal_of(scope: Scope) -> tuple[ColumnElement[UUID], ColumnElement[UUID | None]]:
    """The principal and the key, as the functions of the rule take them."""
    return literal(scope.principal_id, Uuid()), literal(scope.key_id, Uuid())


async def allows(connection: Connection, scope: Scope, want: str, client_id: str, action: str | None = None) -> bool:
    """Whether a caller may `read`, `command` or `administer` a client; for `command` perhaps only this action."""
    if not scope.limited:
        return True
    asked = select(
        func.floorhub_allows(
            *principal_of(scope), literal(want, Text), literal(client_id, Text), literal(action, Text), type_=Boolean
        )
    )
    return await model.fetch_one(connection, asked, bool) or False
