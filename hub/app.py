"""The composition root: builds everything from the settings and wires it together. Holds no logic of its own."""

import asyncio
import random
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from hub.config import Settings
from hub.core.access.service import Access
from hub.core.broker.service.administration import Administration
from hub.core.broker.service.outbound import Outbound
from hub.core.broker.worker.changes import BrokerChanges
from hub.core.broker.worker.inbound import SHARED_GROUP, Inbound
from hub.core.clients.service.clients import Clients
from hub.core.clients.service.groups import Groups
from hub.core.clients.service.permissions import Permissions
from hub.core.commands.service.commands import Commands
from hub.core.commands.service.puback_times import SentTimes
from hub.core.commands.service.reports import Reports
from hub.core.commands.service.submission import Submission
from hub.core.commands.service.waiting import Waiting
from hub.core.commands.store import dispatch as dispatch_store
from hub.core.commands.worker.dispatcher import Dispatcher
from hub.core.commands.worker.reaper import Reaper
from hub.core.documents.service.documents import Documents, Spool
from hub.core.documents.service.folders import Folders
from hub.core.documents.service.uploads import Uploads
from hub.core.http_clients.service.channels import Channels, Router
from hub.core.http_clients.service.http_clients import HttpClients
from hub.core.presence.rules.presence import over_http
from hub.core.presence.service.presence import PresenceService
from hub.database.engine import Database
from hub.disk import DiskWatch
from hub.errors import UnavailableError
from hub.features.action_policies.service import Policies
from hub.features.batches.service.batches import Batches
from hub.features.batches.service.creation import FanOut
from hub.features.batches.worker import BatchWatch
from hub.features.dead_letters.service import DeadLetters
from hub.features.explain.service import Explaining
from hub.features.explain.worker import StandingWatch
from hub.features.retention.service.archive import Archive
from hub.features.retention.service.retention import Retention
from hub.features.retention.worker import Cleaner
from hub.features.schedules.service.runner import Firing
from hub.features.schedules.service.schedules import Schedules
from hub.features.schedules.worker import ScheduleWatch
from hub.keys import SigningKeys, load_signing_keys
from hub.mqtt.session import LINKS, Address, Session
from hub.outbound.fetcher import Fetcher
from hub.signals.notifications import Hint, Notifications
from hub.telemetry.log import Log
from hub.telemetry.metrics import Metrics
from schemas.topics import BROKER_CONTROL_RESPONSE, Channel, every_client, shared

ANNOUNCE_PAUSE_S = 0.5


class LocalSignals:
    """Wakes who waits in this process and, through notifications, in others. Implements services.ports.Signals."""

    def __init__(self, database: Database, worker: str) -> None:
        self.dispatcher: Dispatcher | None = None
        self.waiting: Waiting | None = None
        self.broker: BrokerChanges | None = None
        self.notifications = Notifications(database, worker, self._receive)

    def work_for(self, client_ids: Iterable[str]) -> None:
        """Wake the dispatcher for these clients."""
        wanted = set(client_ids)
        if not wanted:
            return
        if self.dispatcher is not None:
            self.dispatcher.work_for(wanted)
        else:
            self.notifications.tell(clients=wanted)

    def room_for(self, client_ids: Iterable[str]) -> None:
        """Wake the dispatcher for those of these clients for whom something waits."""
        if self.dispatcher is not None and self.notifications.alone:
            self.dispatcher.room_for(client_ids)
        else:
            self.work_for(client_ids)

    def send_again(self) -> None:
        """Wake the dispatcher for what was handed out."""
        if self.dispatcher is not None:
            self.dispatcher.look_at_leases()
        else:
            self.notifications.tell(leases=True)

    def ended(self, command_ids: Iterable[UUID]) -> None:
        """Wake callers that wait for these commands."""
        ids = list(command_ids)
        if not ids:
            return
        if self.waiting is not None:
            self.waiting.ended(ids)
        if not self.notifications.alone:
            self.notifications.tell(ended=ids)

    def broker_changed(self) -> None:
        """Wake whoever tells the broker."""
        if self.broker is not None:
            self.broker.wake()
        self.notifications.tell(broker=True)

    def _receive(self, hint: Hint) -> None:
        if self.dispatcher is not None and hint.clients:
            self.dispatcher.work_for(hint.clients)
        if self.dispatcher is not None and hint.leases:
            self.dispatcher.look_at_leases()
        if self.waiting is not None and hint.ended:
            self.waiting.ended(hint.ended)
        if self.broker is not None and hint.broker:
            self.broker.wake()


class Hub:
    """All parts of one hub process, built but not started; `runtime.run` starts and stops them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = Log(worker=settings.worker)
        self.database = Database(settings.database_url.get_secret_value(), size=settings.database_pool)
        self.keys: SigningKeys = load_signing_keys(settings.keys_dir)
        self.metrics = Metrics()
        self.roll_called_at: datetime | None = None
        log, database = self.log, self.database
        self.signals = signals = LocalSignals(database, settings.worker)
        self.outbound = Outbound(self.keys, log, key_list=lambda: load_signing_keys(settings.keys_dir).key_list)

        self.access = Access(database, log)
        self.waiting = signals.waiting = Waiting(database)
        places = {"data": settings.data_dir}
        if settings.archive_dir is not None:
            places["archive"] = settings.archive_dir
        self.disk = DiskWatch(
            database,
            places,
            self.metrics,
            log,
            low=settings.disk_low_mib * 1024**2,
            full=settings.disk_full_mib * 1024**2,
            database_low=settings.database_low_mib * 1024**2 or None,
        )
        self.documents = Documents(
            database,
            spool := Spool(settings.data_dir / "spool", self.disk.require_room),
            settings.max_document_mib * 1024 * 1024,
            Fetcher(settings.fetch_patterns, private=settings.fetch_private),
            Folders(settings.document_folders),
        )
        self.uploads = Uploads(database, spool, settings.max_upload_mib * 1024 * 1024, log)
        self.policies = Policies(database, log)
        self.submission = Submission(database, signals, self.documents, self.metrics, log, self.policies.of)
        self.explaining = Explaining(database, lambda: signals.notifications.any_at_broker, log)
        self.commands = Commands(database, signals, self.metrics, log, causes=self.explaining.causes)
        self.dead_letters = DeadLetters(database, signals, self.metrics, log)
        self.fan_out = FanOut(database, self.submission, signals, self.metrics, log)
        self.batches = Batches(database, signals, log)
        self.schedules = Schedules(database, self.fan_out, log)
        self.groups = Groups(database)
        archive = Archive(settings.archive_dir) if settings.archive_dir is not None else None
        self.retention = Retention(database, settings.periods, archive, self.metrics, log)
        self.permissions = Permissions(database)
        self.clients = Clients(
            database,
            signals,
            log,
            seal=self.keys.seal,
            broker_managed=settings.mqtt_admin_password is not None,
        )
        self.channels = Channels(database, log)
        self.publisher = Router(self.channels, self.outbound, is_http=over_http)
        self.presence = PresenceService(database, self.publisher, signals, self.metrics, log)

        async def mark_sent(acknowledged: dict[UUID, float]) -> None:
            async with database.connection() as connection:
                await dispatch_store.mark_sent(connection, acknowledged)

        self.sent = SentTimes(mark_sent)
        self.reports = Reports(database, self.outbound, signals, self.metrics, log, random.Random(), self.sent)  # noqa: S311 - jitter

        self.http_clients = HttpClients(database, self.presence, self.reports, self.channels, log)

        self.worker: Worker | None = Worker(self) if "worker" in settings.roles else None


class Worker:
    """The parts that only the role `worker` has."""

    def __init__(self, hub: Hub) -> None:
        settings, log, database = hub.settings, hub.log, hub.database
        self._hub = hub
        self._announce = asyncio.Event()
        self.dispatcher = hub.signals.dispatcher = Dispatcher(
            database,
            hub.publisher,
            hub.metrics,
            log,
            handed_out=hub.reports.remember,
            alone=lambda: hub.signals.notifications.alone,
        )

        self.inbound = Inbound(hub.reports, hub.presence, hub.sent, log)
        self.session = hub.outbound.session = Session(
            Address.of(
                settings.mqtt_url,
                settings.mqtt_username,
                settings.mqtt_password.get_secret_value(),
                f"_hub-{settings.worker}",
                settings.mqtt_ca_file,
            ),
            # Presence and state reach every worker; the rest reaches one of them.
            [
                (every_client(Channel.PRESENCE), 1),
                (every_client(Channel.STATE), 1),
                (shared(SHARED_GROUP, Channel.REPORTS), 1),
                (shared(SHARED_GROUP, Channel.HEARTBEAT), 0),
                (shared(SHARED_GROUP, Channel.REQUESTS), 1),
            ],
            self.inbound,
            log,
            on_connected=self._connected,
            on_lost=self._lost,
            link=LINKS[settings.mqtt_client],
        )
        hub.signals.notifications.at_broker = lambda: self.session.connected
        hub.metrics.broker_connected.set_function(lambda: float(self.session.connected))
        hub.metrics.reports_waiting.set_function(lambda: float(self.inbound.reports_waiting))
        self.reaper = Reaper(database, hub.commands, hub.presence, hub.signals, self._roll_called_at, log)
        self.batch_watch = BatchWatch(hub.batches, log)
        self.schedule_watch = ScheduleWatch(Firing(database, hub.fan_out, log), log)
        self.cleaner = Cleaner(hub.retention, log, every_s=settings.cleanup_every_s)
        self.standing = StandingWatch(hub.explaining, log)
        self.administration: Administration | None = None
        self.admin_session: Session | None = None
        self.broker: BrokerChanges | None = None
        if settings.mqtt_admin_password is not None:
            self.administration = Administration(log)
            self.admin_session = self.administration.session = Session(
                Address.of(
                    settings.mqtt_url,
                    settings.mqtt_admin_username,
                    settings.mqtt_admin_password.get_secret_value(),
                    f"_admin-{settings.worker}",
                    settings.mqtt_ca_file,
                ),
                [(BROKER_CONTROL_RESPONSE, 1)],
                self.administration,
                log,
                link=LINKS[settings.mqtt_client],
            )
            self.broker = hub.signals.broker = BrokerChanges(
                database, self.administration, hub.outbound, hub.keys.unseal, log
            )

    def _roll_called_at(self) -> datetime | None:
        """When silence began to count. Not while answers wait here to be looked at: they may be what breaks it."""
        return None if self.inbound.signs_waiting else self._hub.roll_called_at

    async def _connected(self) -> None:
        self._announce.set()
        self._hub.signals.notifications.greet()
        self.dispatcher.ready = True
        self.dispatcher.look_at_leases()

    async def announce(self) -> None:
        """After each connection: publish the key list and a roll call, as soon as the database tells the time."""
        while True:
            await self._announce.wait()
            try:
                now = await self._hub.presence.now()
            except UnavailableError:
                await asyncio.sleep(ANNOUNCE_PAUSE_S)
                continue
            self._announce.clear()
            self._hub.roll_called_at = now
            self._hub.outbound.announce(now)

    def _lost(self) -> None:
        self._hub.signals.notifications.greet()
        self.dispatcher.ready = False
