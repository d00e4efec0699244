"""Presence: which clients are there, by the evidence of births, heartbeats, wills and silence."""

from hub.config import Settings
from hub.core.presence.causes import CAUSES
from hub.core.presence.service.liveness import FLUSH_S
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.telemetry import Event, Metrics
from hub.database.engine import Database
from hub.loops import Loop, periodic
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.signals.publishing import Publishing
from hub.subject import Kept, Subject, days
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters

AGE_EVERY_S = 0.5


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs commands: a client that comes back, or lost its journal, changes what it holds."""
    log = parts.get(Log)
    presence = parts.add(
        PresenceService(
            parts.get(Database), parts.get(Publishing), parts.get(LocalSignals), Metrics(parts.get(Meters)), log
        )
    )
    loops: tuple[Loop, ...] = (periodic("liveness", presence.liveness.write, log, pause_s=FLUSH_S),)
    if "worker" in settings.roles:
        loops += (periodic("ageing", presence.age, log, pause_s=AGE_EVERY_S, first_s=0.0),)
    return Subject(
        loops=loops,
        events=(Event,),
        causes=CAUSES,
        kept=(Kept.of("presence", days(settings.keep_presence_days), "core/presence", "history"),),
    )
