"""Which signing keys are the hub's."""

from datetime import datetime

from hub.database.tables import Table, number, one_of, text_


class HubKey(Table, table=True):
    """The public half of a key that all processes of the hub share; the secret half is in their `keys` folders."""

    __tablename__ = "hub_keys"
    __table_args__ = (one_of("purpose", "root", "command"),)

    purpose: str = text_(primary_key=True)
    public_key: str = text_()
    since: datetime


class DataKey(Table, table=True):
    """A key that seals secrets in this database; the key itself is in `keys/data.key`. The newest one seals."""

    __tablename__ = "data_keys"

    number: int | None = number()
    kid: str = text_(unique=True)
    fingerprint: str = text_()
    since: datetime
