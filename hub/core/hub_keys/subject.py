"""Hub keys: which signing keys are the hub's."""

from hub.config import Settings
from hub.core.hub_keys.service import HubKeys
from hub.core.hub_keys.telemetry import Event
from hub.database.engine import Database
from hub.keys import SigningKeys
from hub.loops import periodic
from hub.parts import Parts
from hub.subject import Subject
from hub.telemetry.log import Log

CHECK_EVERY_S = 5.0


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs the database; brings HubKeys, and SigningKeys that are loaded once the process is prepared."""
    log = parts.get(Log)
    keys = parts.add(HubKeys(parts.get(Database), parts.add(SigningKeys(settings.keys_dir)), log))
    return Subject(
        loops=(periodic("hub-keys", keys.check, log, pause_s=CHECK_EVERY_S),),
        prepare=(keys.establish,),
        events=(Event,),
    )
