"""Which signing keys are the hub's."""

from datetime import datetime

from hub.database.tables import Table, one_of, text_


class HubKey(Table, table=True):
    """The public half of a key that all processes of the hub share; the secret half is in their `keys` folders."""

    __tablename__ = "hub_keys"
    __table_args__ = (one_of("purpose", "root", "command"),)

    purpose: str = text_(primary_key=True)
    public_key: str = text_()
    since: datetime
