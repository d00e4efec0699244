"""Clients: machines, their groups, and what they may be asked."""

from hub.config import Settings
from hub.core.access.routes import ClientAuthenticator
from hub.core.clients.causes import CAUSES
from hub.core.clients.routes import clients as client_routes
from hub.core.clients.routes import groups as group_routes
from hub.core.clients.service.clients import Clients
from hub.core.clients.service.groups import Groups
from hub.core.clients.service.permissions import Permissions
from hub.core.clients.store import clients as store
from hub.core.clients.telemetry import Event, Metrics
from hub.database.engine import Connection, Database
from hub.keys import SigningKeys
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.subject import Subject
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.states import Presence


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs presence: a client that is retired goes offline at once."""
    database, metrics = parts.get(Database), Metrics(parts.get(Meters))
    clients = parts.add(
        Clients(
            database,
            parts.get(LocalSignals),
            parts.get(Log),
            seal=parts.get(SigningKeys).seal_for_broker,
            broker_managed=settings.mqtt_admin_password is not None,
        )
    )
    parts.add(Groups(database))
    parts.add(Permissions(database))
    parts.add(ClientAuthenticator(clients.authenticate, clients.find_by_secret))

    async def count(connection: Connection) -> None:
        found = await store.active_by_presence(connection)
        for presence in Presence:
            metrics.active.labels(presence.value).set(found.get(presence.value, 0))

    return Subject(
        routers=(client_routes.router, group_routes.router, group_routes.group_router),
        events=(Event,),
        causes=CAUSES,
        figures=(count,),
    )
