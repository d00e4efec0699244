"""Services of features, as their subjects build them."""

from pathlib import Path

from hub.core.access.service import Idempotency
from hub.core.commands.service.submission import Submission
from hub.database.engine import Database
from hub.features.batches.service.creation import BatchCreation
from hub.features.retention.service.archive import Archive
from hub.features.retention.service.retention import Retention
from hub.features.retention.subject import kinds_of
from hub.features.retention.telemetry import Metrics as RetentionMetrics
from hub.signals.ports import Signals
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from tests.support.hubs import command_metrics, settings, subjects


def batch_creation(database: Database, signals: Signals) -> BatchCreation:
    """Batches that name no document by where it lies."""
    metrics, idempotency = command_metrics(), Idempotency(database)
    submission = Submission(database, signals, None, metrics, Log(), idempotency)  # type: ignore[arg-type]
    return BatchCreation(database, submission, idempotency, signals, metrics, Log())


def retention(database: Database, folder: Path | None, **periods: int) -> Retention:
    """Clean-up with the default periods, or others in days, as `keep_commands_days=90`; archives in `folder`."""
    kinds = kinds_of(settings(**periods), [one for subject in subjects(**periods) for one in subject.kept])
    return Retention(database, kinds, Archive(folder) if folder else None, RetentionMetrics(Meters()), Log())
