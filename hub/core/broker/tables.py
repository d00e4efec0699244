"""What the broker has yet to learn."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field

from hub.database.tables import Table, number, one_of, text_


class BrokerChange(Table, table=True):
    """A change that the broker has yet to learn, in order. The sealed secret is emptied when the broker has it."""

    __tablename__ = "broker_outbox"
    __table_args__ = (
        one_of("change", "put", "disable", "remove"),
        Index("broker_outbox_open", "id", postgresql_where=text("done_at IS NULL")),
        Index("broker_outbox_urgent", "id", postgresql_where=text("done_at IS NULL AND NOT bulk")),
        Index("broker_outbox_bulk", "client_id", postgresql_where=text("done_at IS NULL AND bulk")),
        Index("broker_outbox_refused", "client_id", postgresql_where=text("error IS NOT NULL")),
    )

    id: int | None = number()
    at: datetime
    client_id: str = text_()
    change: str = text_()
    sealed_secret: bytes | None = Field(sa_type=LargeBinary)
    done_at: datetime | None
    error: str | None = text_()
    bulk: bool = Field(sa_column_kwargs={"server_default": text("false")})
    """It came with many others: nobody waits for it, and the broker learns of it slowly."""
