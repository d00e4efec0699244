"""What commands of an action get that their senders do not say."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Double
from sqlmodel import Field

from hub.database.tables import Table, text_


class ActionPolicy(Table, table=True):
    """The defaults of an action; NULL: the hub's own."""

    __tablename__ = "action_policies"
    __table_args__ = (
        CheckConstraint("max_retries BETWEEN 0 AND 100"),
        CheckConstraint("first_delay_s > 0"),
        CheckConstraint("factor >= 1"),
        CheckConstraint("cap_s > 0"),
        CheckConstraint("timeout_s > 0"),
        CheckConstraint("expires_in_s > 0"),
    )

    action: str = text_(primary_key=True)
    max_retries: int | None
    first_delay_s: float | None = Field(sa_type=Double)
    factor: float | None = Field(sa_type=Double)
    cap_s: float | None = Field(sa_type=Double)
    timeout_s: float | None = Field(sa_type=Double)
    expires_in_s: float | None = Field(sa_type=Double)
    updated_at: datetime
    updated_by: UUID
