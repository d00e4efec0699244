"""Parts of a hub, built as `hub.app` builds them, without a process of its own."""

import tempfile
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from hub.app import Hub
from hub.config import Settings
from hub.core.access.service import Idempotency
from hub.core.commands.service.submission import Submission
from hub.core.commands.telemetry import Metrics as CommandMetrics
from hub.database.engine import Database
from hub.features.batches.service.creation import BatchCreation
from hub.features.retention.service.archive import Archive
from hub.features.retention.service.retention import Retention
from hub.features.retention.subject import kinds_of
from hub.features.retention.telemetry import Metrics as RetentionMetrics
from hub.signals.ports import Signals
from hub.subject import Subject
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters

NOBODY = "postgresql://nobody@127.0.0.1:1/none"
"""A database that never answers."""


def settings(**fields: Any) -> Settings:
    """Settings of a hub that is built and not started."""
    return Settings(**{"database_url": NOBODY, "data_dir": Path("/nonexistent"), "worker": "test", **fields})


def subjects() -> list[Subject]:
    """What all subjects bring."""
    with tempfile.TemporaryDirectory() as folder:
        return Hub(settings(data_dir=Path(folder))).subjects


def routes() -> list[APIRoute]:
    """Every route of the API, with those that its description leaves out."""
    found = [route for subject in subjects() for router in subject.routers for route in router.routes]
    return [route for route in found if isinstance(route, APIRoute)]


def command_metrics() -> CommandMetrics:
    """Figures of commands that nobody reads."""
    return CommandMetrics(Meters())


def batch_creation(database: Database, signals: Signals) -> BatchCreation:
    """Batches that name no document by where it lies."""
    metrics, idempotency = command_metrics(), Idempotency(database)
    submission = Submission(database, signals, None, metrics, Log(), idempotency)  # type: ignore[arg-type]
    return BatchCreation(database, submission, idempotency, signals, metrics, Log())


def retention(database: Database, folder: Path | None, **periods: int) -> Retention:
    """Clean-up with the default periods, or others in days, as `keep_commands_days=90`; archives in `folder`."""
    kept_for = settings(**periods)
    with tempfile.TemporaryDirectory() as data:
        built = Hub(settings(data_dir=Path(data), **periods)).subjects
    kinds = kinds_of(kept_for, [one for subject in built for one in subject.kept])
    return Retention(database, kinds, Archive(folder) if folder else None, RetentionMetrics(Meters()), Log())
