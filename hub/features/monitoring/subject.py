"""Monitoring: health, readiness and metrics over HTTP, from what the other subjects bring."""

from hub.config import Settings
from hub.database.engine import Database
from hub.disk import DiskWatch
from hub.features.monitoring.routes import router
from hub.features.monitoring.service import Monitoring
from hub.parts import Parts
from hub.subject import Subject, Subjects
from hub.telemetry.metrics import Meters


def build(_settings: Settings, parts: Parts) -> Subject:
    """Reads all other subjects when it is asked."""
    disk = parts.get(DiskWatch)
    parts.add(Monitoring(parts.get(Database), parts.get(Subjects), parts.get(Meters)))
    return Subject(routers=(router,), advice={"disk": lambda: disk.room.value})
