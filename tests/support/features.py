"""Services of features, as their subjects build them."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from hub.core.access.service import Idempotency
from hub.core.audit.service.cleaning import Cleaning
from hub.core.commands.service.submission import Submission
from hub.database.engine import Database
from hub.features.batches.service.creation import BatchCreation
from hub.features.retention.service.archive import Archive
from hub.features.retention.service.retention import Retention
from hub.features.retention.subject import kinds_of
from hub.features.retention.telemetry import Metrics as RetentionMetrics
from hub.signals.ports import Signals
from hub.subject import days
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from tests.support.audit import Trail
from tests.support.hubs import command_metrics, settings, subjects


def batch_creation(database: Database, signals: Signals) -> BatchCreation:
    """Batches that name no document by where it lies."""
    metrics, idempotency = command_metrics(), Idempotency(database)
    submission = Submission(database, signals, None, metrics, Log(), idempotency)  # type: ignore[arg-type]
    return BatchCreation(database, submission, idempotency, signals, metrics, Log())


def retention(database: Database, folder: Path | None, trail: Trail | None = None, **periods: int) -> Retention:
    """Clean-up with the default periods, or others in days, as `keep_commands_days=90`; archives in `folder`. The
    audit is sealed by `trail`."""
    chosen = settings(**periods)
    sealing = (trail or Trail(database, _folder_of(database.url))).sealing
    kinds = [kind for kind in kinds_of(chosen, subjects(**periods)) if kind.name != "audit"]
    kinds.append(Cleaning(sealing, days(chosen.keep_audit_days)))
    return Retention(database, kinds, Archive(folder) if folder else None, RetentionMetrics(Meters()), Log())


@cache
def _folder_of(_database_url: str) -> Path:
    """The data folder of the hubs of a database."""
    return Path(mkdtemp()) / "data"
