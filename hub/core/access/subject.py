"""Access: who asks, and what he may do."""

from datetime import timedelta

from hub.config import Settings
from hub.core.access.service import Access, Idempotency
from hub.core.access.telemetry import Event
from hub.database.engine import Database
from hub.loops import periodic
from hub.parts import Parts
from hub.subject import Kept, Subject
from hub.telemetry.log import Log

RECORD_USES_EVERY_S = 5.0
KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)
"""How long an idempotency key stands for the answer that its first request got."""


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs the database; brings Access and Idempotency."""
    access = parts.add(Access(parts.get(Database), parts.get(Log)))
    parts.add(Idempotency(parts.get(Database)))

    async def administrator() -> None:
        await access.ensure_administrator(settings.admin_key_file)

    return Subject(
        loops=(periodic("key-uses", access.record_uses, parts.get(Log), pause_s=RECORD_USES_EVERY_S),),
        prepare=(administrator,) if "api" in settings.roles else (),
        events=(Event,),
        kept=(Kept.of("keys", KEEP_IDEMPOTENCY_KEYS, "core/access/idempotency", "idempotency_keys"),),
    )
