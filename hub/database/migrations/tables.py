"""Every table as a class, for migrations to be compared with and for reads that are not hot.

The migrations make the tables; a test holds these classes against what they made, down to checks and indexes. Two
things exist in migrations alone: functions such as `floorhub_now` and the storage of `document_chunks.bytes`. The
classes never leave the store: they do not validate (SQLModel checks nothing on `table=True`), and rows that change hot
tables are written by the statements in `sql/` only.

States are text with a CHECK, not native enums, whose values could never be removed again.
"""

from hub.core.access import tables as access
from hub.core.audit import tables as audit
from hub.core.broker import tables as broker
from hub.core.clients import tables as clients
from hub.core.commands import tables as commands
from hub.core.documents import tables as documents
from hub.core.hub_keys import tables as hub_keys
from hub.core.limits import tables as limits
from hub.database.tables import metadata
from hub.features.batches import tables as batches
from hub.features.schedules import tables as schedules

__all__ = [
    "access",
    "audit",
    "batches",
    "broker",
    "clients",
    "commands",
    "documents",
    "hub_keys",
    "limits",
    "metadata",
    "schedules",
]
