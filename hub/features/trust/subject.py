"""Trust: the certificate authority of this hub, for machines and browsers that do not know it yet."""

from hub.config import Settings
from hub.features.trust.routes import router
from hub.features.trust.service import Trust
from hub.parts import Parts
from hub.subject import Subject


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs nothing of the other subjects. Raises SetupError when the authority's file cannot be used."""
    parts.add(Trust(settings.ca_file, settings.public_url))
    return Subject(routers=(router,))
