"""Schedules: a batch again and again, by a cron expression in a time zone."""

from hub.config import Settings
from hub.database.engine import Database
from hub.features.batches.service.creation import BatchCreation
from hub.features.schedules.routes import router
from hub.features.schedules.service.runner import ScheduleRunner
from hub.features.schedules.service.schedules import Schedules
from hub.features.schedules.telemetry import Event
from hub.features.schedules.worker import watch
from hub.parts import Parts
from hub.subject import Subject
from hub.telemetry.log import Log


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs batches."""
    database, creation, log = parts.get(Database), parts.get(BatchCreation), parts.get(Log)
    parts.add(Schedules(database, creation, log))
    runner = ScheduleRunner(database, creation, log)
    return Subject(
        routers=(router,),
        loops=(watch(runner, log),) if "worker" in settings.roles else (),
        events=(Event,),
    )
