"""Audit: the trace of who did what, the seals over it, and what looked like an attack."""

from hub.config import Settings
from hub.core.audit.service.anchor import Anchor, DayFile
from hub.core.audit.service.cleaning import Cleaning
from hub.core.audit.service.erasing import Erasing
from hub.core.audit.service.keys import AuditKey
from hub.core.audit.service.sealing import Sealing
from hub.core.audit.store import WROTE
from hub.core.audit.telemetry import Event, Metrics
from hub.database.engine import Database
from hub.loops import Loop, periodic
from hub.parts import Parts
from hub.subject import Kept, Subject, days
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters

CHECK_EVERY_S = 5.0


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs the database; brings the sealer, which each process has."""
    database, log = parts.get(Database), parts.get(Log)
    period = days(settings.keep_audit_days)
    key = parts.add(AuditKey(settings.keys_dir))
    anchor = parts.add(Anchor(settings.data_dir))
    noted = DayFile(settings.audit_seal_file) if settings.audit_seal_file is not None else None
    sealing = parts.add(Sealing(database, key, anchor, log, Metrics(parts.get(Meters)), noted))
    parts.add(Erasing(database))
    database.after_commit[WROTE] = sealing.wake

    async def check() -> None:
        await key.check(database)

    return Subject(
        loops=(Loop("audit", sealing.run), periodic("audit-key", check, log, pause_s=CHECK_EVERY_S)),
        prepare=(sealing.prepare,),
        events=(Event,),
        kept=(Kept.of("security", period, "core/audit/recording", "security_events"),),
        cleaned=(Cleaning(sealing, period),),
        advice={"audit": lambda: sealing.state},
    )
