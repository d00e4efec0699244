"""Broker: the MQTT connections of this process, and what comes in and goes out by them."""

from pydantic import SecretStr

from hub.config import Settings
from hub.core.broker.causes import CAUSES
from hub.core.broker.routes import router
from hub.core.broker.service.administration import Administration
from hub.core.broker.service.announcements import Announcements
from hub.core.broker.service.outbound import Outbound
from hub.core.broker.service.restarting import Restarting
from hub.core.broker.store import number_open
from hub.core.broker.telemetry import Event, Metrics
from hub.core.broker.worker.changes import BrokerChanges
from hub.core.broker.worker.imports import BrokerImports
from hub.core.broker.worker.inbound import SHARED_GROUP, Inbound
from hub.core.commands.service.puback_times import PubackTimes
from hub.core.commands.service.reports import Reports
from hub.core.commands.worker.dispatcher import Dispatcher
from hub.core.hub_keys.service import HubKeys
from hub.core.presence.service.presence import PresenceService
from hub.database.engine import Connection, Database
from hub.errors import SetupError
from hub.keys import SigningKeys
from hub.loops import Loop
from hub.mqtt.session import LINKS, Address, Session
from hub.mqtt.telemetry import Event as MqttEvent
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.signals.publishing import Publishing
from hub.subject import Kept, Subject, days
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.text import TextError
from schemas.tls import certificates
from schemas.topics import BROKER_CONTROL_RESPONSE, Channel, every_client, shared


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs commands, presence and clients. Takes whatever message no route before it took."""
    keys, log, metrics = parts.get(SigningKeys), parts.get(Log), Metrics(parts.get(Meters))
    outbound = Outbound(keys, log)
    parts.get(Publishing).add(outbound)
    managed = settings.mqtt_admin_password is not None
    parts.add(Restarting(parts.get(Database), log, settings.broker_restart_file, managed=managed))
    connections = _Connections(settings, parts, outbound, metrics) if "worker" in settings.roles else None

    async def count(connection: Connection) -> None:
        metrics.changes_open.set(await number_open(connection))

    return Subject(
        routers=(router,),
        loops=() if connections is None else tuple(connections.loops),
        events=(Event, MqttEvent),
        causes=CAUSES,
        kept=(Kept.of("broker_changes", days(settings.keep_audit_days), "core/broker", "changes"),),
        figures=(count,),
        readiness={} if connections is None else connections.readiness,
    )


class _Connections:
    """The session for messages, and, where the hub administers the broker, the one for that."""

    def __init__(self, settings: Settings, parts: Parts, outbound: Outbound, metrics: Metrics) -> None:
        log, self._signals, self._dispatcher = parts.get(Log), parts.get(LocalSignals), parts.get(Dispatcher)
        presence = parts.get(PresenceService)
        self._announcements = Announcements(outbound, presence, parts.get(HubKeys))
        inbound = Inbound(parts.get(Reports), presence, parts.get(PubackTimes), log)
        presence.observations_wait = lambda: bool(inbound.observations_waiting)
        session = outbound.session = Session(
            _address(settings, "hub", settings.mqtt_username, settings.mqtt_password),
            # Presence and state reach every worker; the rest reaches one of them.
            [
                (every_client(Channel.PRESENCE), 1),
                (every_client(Channel.STATE), 1),
                (shared(SHARED_GROUP, Channel.REPORTS), 1),
                (shared(SHARED_GROUP, Channel.HEARTBEAT), 0),
                (shared(SHARED_GROUP, Channel.REQUESTS), 1),
            ],
            inbound,
            log,
            on_connected=self._connected,
            on_lost=self._lost,
            link=LINKS[settings.mqtt_client],
        )
        parts.get(Restarting).connected = lambda: session.connected
        self._signals.notifications.at_broker = lambda: session.connected
        metrics.connected.set_function(lambda: float(session.connected))
        metrics.reports_waiting.set_function(lambda: float(inbound.reports_waiting))
        self.loops = [
            Loop("inbound", inbound.run),
            Loop("mqtt", session.run),
            Loop("announcements", self._announcements.run),
        ]
        self.readiness = {"broker": lambda: "ok" if session.connected else "not_connected"}
        if settings.mqtt_admin_password is not None:
            administration = Administration(log)
            administering = administration.session = Session(
                _address(settings, "admin", settings.mqtt_admin_username, settings.mqtt_admin_password),
                [(BROKER_CONTROL_RESPONSE, 1)],
                administration,
                log,
                link=LINKS[settings.mqtt_client],
            )
            told = (parts.get(Database), administration, outbound, parts.get(SigningKeys).unseal, log)
            changes, imports = BrokerChanges(*told), BrokerImports(*told)
            self._signals.broker = _Both(changes, imports)
            self.loops += [
                Loop("mqtt-administration", administering.run),
                Loop("broker-changes", changes.run),
                Loop("broker-imports", imports.run),
            ]
            self.readiness["broker_administration"] = lambda: "ok" if administering.connected else "not_connected"

    async def _connected(self) -> None:
        self._announcements.due()
        self._signals.notifications.greet()
        self._dispatcher.ready = True
        self._dispatcher.look_at_leases()

    def _lost(self) -> None:
        self._signals.notifications.greet()
        self._dispatcher.ready = False


class _Both:
    """Who works the outbox off."""

    def __init__(self, changes: BrokerChanges, imports: BrokerImports) -> None:
        self._changes = changes
        self._imports = imports

    def wake(self) -> None:
        """There may be something in the outbox."""
        self._changes.wake()
        self._imports.wake()


def _address(settings: Settings, role: str, username: str, password: SecretStr) -> Address:
    """Where and as whom one of our own accounts connects. Raises SetupError when it could trust nobody there."""
    if settings.mqtt_ca_file is not None:
        try:
            certificates(settings.mqtt_ca_file)
        except TextError as problem:
            raise SetupError(
                f"FLOORHUB_MQTT_CA_FILE: {settings.mqtt_ca_file}: {problem.english}.",
                ko=f"FLOORHUB_MQTT_CA_FILE: {settings.mqtt_ca_file}: {problem.korean}.",
            ) from None
        except OSError as problem:
            raise SetupError(
                f"FLOORHUB_MQTT_CA_FILE: {settings.mqtt_ca_file} cannot be read ({problem.strerror}).",
                ko=f"FLOORHUB_MQTT_CA_FILE: {settings.mqtt_ca_file}을(를) 읽을 수 없습니다({problem.strerror}).",
            ) from None
    return Address.of(
        settings.mqtt_url,
        username,
        password.get_secret_value(),
        f"_{role}-{settings.worker}",
        settings.mqtt_ca_file,
    )
