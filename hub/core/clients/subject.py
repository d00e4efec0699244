"""Clients: machines, their groups, what they may be asked, and how they are connected."""

from datetime import timedelta

from hub.config import Settings
from hub.core.access.routes import ClientAuthenticator
from hub.core.clients.causes import CAUSES
from hub.core.clients.routes import certificates as certificate_routes
from hub.core.clients.routes import clients as client_routes
from hub.core.clients.routes import groups as group_routes
from hub.core.clients.routes import imports as import_routes
from hub.core.clients.routes import pairing as pairing_routes
from hub.core.clients.service.addresses import PublicAddresses
from hub.core.clients.service.certificates import MachineCertificates
from hub.core.clients.service.claims import Claims
from hub.core.clients.service.clients import Clients
from hub.core.clients.service.connecting import Connecting
from hub.core.clients.service.enrolments import Enrolments
from hub.core.clients.service.groups import Groups
from hub.core.clients.service.imports import Imports
from hub.core.clients.service.pairings import Pairings
from hub.core.clients.service.permissions import Permissions
from hub.core.clients.store import clients as store
from hub.core.clients.telemetry import Event, Metrics
from hub.database.engine import Connection, Database
from hub.keys import SigningKeys
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.subject import Kept, Subject
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.states import Presence

KEEP_CODES = timedelta(days=1)
"""After a code's or a token's expiry: until then who shows it hears that it has expired."""


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs presence: a client that is retired goes offline at once."""
    database, metrics = parts.get(Database), Metrics(parts.get(Meters))
    keys, log = parts.get(SigningKeys), parts.get(Log)
    clients = parts.add(
        Clients(
            database,
            parts.get(LocalSignals),
            log,
            seal=keys.seal_for_broker,
            broker_managed=settings.mqtt_admin_password is not None,
        )
    )
    parts.add(Imports(database, parts.get(LocalSignals), log, seal=keys.seal_for_broker))
    parts.add(Groups(database))
    parts.add(Permissions(database))
    addresses = parts.add(
        PublicAddresses(settings.public_url, settings.public_mqtt_url, settings.mqtt_url, settings.ca_file)
    )
    connecting = Connecting(database, log, seal=keys.seal_for_broker, broker_knows=clients.broker_knows)
    parts.add(Claims(database, keys, connecting, log, authority=addresses.authority))
    parts.add(MachineCertificates(database, keys))
    parts.add(Pairings(database, keys))
    parts.add(Enrolments(database))
    parts.add(ClientAuthenticator(clients.authenticate, clients.find_by_secret))

    async def count(connection: Connection) -> None:
        found = await store.active_by_presence(connection)
        for presence in Presence:
            metrics.active.labels(presence.value).set(found.get(presence.value, 0))

    return Subject(
        routers=(
            import_routes.router,
            client_routes.router,
            group_routes.router,
            group_routes.group_router,
            pairing_routes.router,
            certificate_routes.router,
        ),
        events=(Event,),
        causes=CAUSES,
        figures=(count,),
        kept=(
            Kept.of("pairings", KEEP_CODES, "core/clients/pairing", "pairings"),
            Kept.of("enrolments", KEEP_CODES, "core/clients/pairing", "enrolments"),
        ),
    )
