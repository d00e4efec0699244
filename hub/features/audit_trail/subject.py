"""Audit trail: who did what, for people to read, to export and to verify."""

from hub.config import Settings
from hub.core.audit.service.anchor import Anchor
from hub.core.audit.service.erasing import Erasing
from hub.core.audit.service.sealing import Sealing
from hub.database.engine import Database
from hub.features.audit_trail.routes import router
from hub.features.audit_trail.service import AuditTrail
from hub.parts import Parts
from hub.subject import Subject


def build(_settings: Settings, parts: Parts) -> Subject:
    """Needs the sealer and what it notes."""
    trail = AuditTrail(parts.get(Database), parts.get(Sealing), parts.get(Anchor), parts.get(Erasing))
    parts.add(trail)
    return Subject(routers=(router,))
