"""Printing: the printers that clients report."""

from hub.config import Settings
from hub.database.engine import Database
from hub.features.printing.routes import router
from hub.features.printing.service import Printers
from hub.parts import Parts
from hub.subject import Subject


def build(_settings: Settings, parts: Parts) -> Subject:
    """Needs the clients' tables."""
    parts.add(Printers(parts.get(Database)))
    return Subject(routers=(router,))
