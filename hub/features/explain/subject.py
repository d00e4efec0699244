"""Explain: what keeps a command, and its timeline. The causes come from the subjects below."""

from hub.config import Settings
from hub.core.commands.service.commands import Commands
from hub.database.engine import Database
from hub.features.explain.routes import routes
from hub.features.explain.service import Explaining
from hub.features.explain.telemetry import Event
from hub.features.explain.worker import watch
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.subject import Subject, Subjects
from hub.telemetry.log import Log


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs every subject that brings causes."""
    causes = [cause for subject in parts.get(Subjects).all for cause in subject.causes]
    notifications, log = parts.get(LocalSignals).notifications, parts.get(Log)
    explaining = parts.add(Explaining(parts.get(Database), causes, lambda: notifications.any_at_broker, log))
    parts.get(Commands).causes = explaining.codes
    return Subject(
        routers=(routes(causes),),
        loops=(watch(explaining, log),) if "worker" in settings.roles else (),
        events=(Event,),
    )
