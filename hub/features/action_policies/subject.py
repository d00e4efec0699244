"""Action policies: administration of what counts for all commands of an action."""

from hub.config import Settings
from hub.core.commands.service.policies import Policies
from hub.database.engine import Database
from hub.features.action_policies.routes import router
from hub.features.action_policies.service import ActionPolicies
from hub.parts import Parts
from hub.subject import Subject


def build(_settings: Settings, parts: Parts) -> Subject:
    """Needs the policies that commands go by."""
    parts.add(ActionPolicies(parts.get(Database), parts.get(Policies)))
    return Subject(routers=(router,))
