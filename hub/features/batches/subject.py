"""Batches: many commands by one request."""

from hub.config import Settings
from hub.core.access.service import Idempotency
from hub.core.commands.service.submission import Submission
from hub.core.commands.telemetry import Metrics
from hub.database.engine import Database
from hub.features.batches.causes import CAUSES
from hub.features.batches.routes import router
from hub.features.batches.service.batches import Batches
from hub.features.batches.service.creation import BatchCreation
from hub.features.batches.telemetry import Event
from hub.features.batches.worker import watch
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.subject import Subject
from hub.telemetry.log import Log


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs commands."""
    database, signals, log = parts.get(Database), parts.get(LocalSignals), parts.get(Log)
    parts.add(BatchCreation(database, parts.get(Submission), parts.get(Idempotency), signals, parts.get(Metrics), log))
    batches = parts.add(Batches(database, signals, log))
    return Subject(
        routers=(router,),
        loops=(watch(batches, log),) if "worker" in settings.roles else (),
        events=(Event,),
        causes=CAUSES,
    )
