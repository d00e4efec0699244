"""HTTP clients: clients that speak HTTP in place of MQTT, by the same services."""

from hub.config import Settings
from hub.core.commands.service.reports import Reports
from hub.core.http_clients.causes import CAUSES
from hub.core.http_clients.routes.device import reports, router
from hub.core.http_clients.service.channels import LOOK_S, ChannelRoute, Channels
from hub.core.http_clients.service.http_clients import HttpClients
from hub.core.presence.rules.presence import over_http
from hub.core.presence.service.presence import PresenceService
from hub.database.engine import Database
from hub.loops import Loop, periodic
from hub.parts import Parts
from hub.signals.publishing import Publishing
from hub.subject import Subject
from hub.telemetry.log import Log


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs commands and presence. Its route comes before the broker's."""
    database, log = parts.get(Database), parts.get(Log)
    channels = Channels(database)
    parts.get(Publishing).add(ChannelRoute(channels, is_http=over_http))
    clients = parts.add(HttpClients(database, parts.get(PresenceService), parts.get(Reports), channels, log))
    if "api" not in settings.roles:
        return Subject(causes=CAUSES)
    return Subject(
        routers=(router, reports),
        loops=(
            Loop("http-reports", clients.reports.run),
            periodic("channels", channels.look_at_some, log, pause_s=LOOK_S),
        ),
        stop=(channels.stop,),  # Streams would outlast the grace.
        causes=CAUSES,
    )
