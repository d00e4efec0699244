"""The composition root: which subjects there are, and in which order they are built. Holds no logic of its own."""

from collections.abc import Sequence

from hub.api import telemetry as http
from hub.config import Settings
from hub.core.access import subject as access
from hub.core.audit import subject as audit
from hub.core.broker import subject as broker
from hub.core.clients import subject as clients
from hub.core.commands import subject as commands
from hub.core.documents import subject as documents
from hub.core.http_clients import subject as http_clients
from hub.core.hub_keys import subject as hub_keys
from hub.core.limits import subject as limits
from hub.core.presence import subject as presence
from hub.database.durability import DurabilityWatch
from hub.database.durability import Event as DurabilityEvent
from hub.database.engine import Database
from hub.disk import DiskWatch
from hub.disk import Event as DiskEvent
from hub.disk import Metrics as DiskMetrics
from hub.features.action_policies import subject as action_policies
from hub.features.audit_trail import subject as audit_trail
from hub.features.batches import subject as batches
from hub.features.dead_letters import subject as dead_letters
from hub.features.explain import subject as explain
from hub.features.monitoring import subject as monitoring
from hub.features.printing import subject as printing
from hub.features.retention import subject as retention
from hub.features.schedules import subject as schedules
from hub.features.trust import subject as trust
from hub.features.web_pages import subject as web_pages
from hub.loops import Loop, log_loop
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.signals.notifications import Notifications
from hub.signals.publishing import Publishing
from hub.subject import Build, Subject, Subjects
from hub.telemetry.log import Event, Log
from hub.telemetry.metrics import Meters

CORE: Sequence[Build] = (
    hub_keys.build,
    audit.build,
    limits.build,
    access.build,
    documents.build,
    commands.build,
    presence.build,
    clients.build,
    http_clients.build,
    broker.build,
)
FEATURES: Sequence[Build] = (
    batches.build,
    schedules.build,
    dead_letters.build,
    action_policies.build,
    audit_trail.build,
    printing.build,
    retention.build,
    explain.build,
    monitoring.build,
    web_pages.build,
    trust.build,
)
"""From the lowest to the highest: each may ask for what those before it bring."""


class Hub:
    """All parts of one hub process, built but not started; `runtime.serve` starts and stops them."""

    def __init__(self, settings: Settings, builds: Sequence[Build] = (*CORE, *FEATURES)) -> None:
        self.settings = settings
        self.parts = parts = Parts()
        self.log = parts.add(Log(worker=settings.worker))
        self.database = parts.add(Database(settings.database_url.get_secret_value(), size=settings.database_pool))
        self.subjects = parts.add(Subjects()).all
        parts.add(Publishing())
        notifications = Notifications(self.database, settings.worker, named="worker" in settings.roles)
        parts.add(LocalSignals(notifications))
        meters = parts.add(Meters())
        parts.add(http.Metrics(meters))
        disk = parts.add(
            DiskWatch.of(settings, self.database, DiskMetrics(meters), self.log),
        )
        durability = DurabilityWatch(self.database, meters, self.log)
        self.subjects.append(
            Subject(
                loops=(
                    Loop("notifications", notifications.run),
                    disk.loop(),
                    durability.loop(),
                    log_loop(self.log),
                ),
                prepare=(notifications.claim,),
                events=(Event, DiskEvent, DurabilityEvent, http.Event),
                readiness={"durability": lambda: durability.state},
            )
        )
        for build in builds:
            self.subjects.append(build(settings, parts))
