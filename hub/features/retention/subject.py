"""Retention: archiving and deleting what was kept long enough. The kinds come from the subjects below."""

from collections.abc import Sequence

from hub.config import Settings
from hub.database.engine import Database
from hub.features.retention.rules import Periods
from hub.features.retention.service.archive import Archive
from hub.features.retention.service.kinds import Batches, ByAge, Commands, Documents
from hub.features.retention.service.retention import Retention
from hub.features.retention.telemetry import Event, Metrics
from hub.features.retention.worker import cleaner
from hub.parts import Parts
from hub.subject import Kind, Subject, Subjects, days
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters


def kinds_of(settings: Settings, subjects: Sequence[Subject]) -> list[Kind]:
    """All kinds, in the order in which they go."""
    periods = Periods(
        commands=days(settings.keep_commands_days),
        dead_letters=days(settings.keep_dead_letters_days),
        documents=days(settings.keep_documents_days),
    )
    by_age = (ByAge(one) for subject in subjects for one in subject.kept)
    own = (one for subject in subjects for one in subject.cleaned)
    return [*by_age, *own, Commands(periods), Batches(periods), Documents(periods)]


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs every subject that keeps rows for a time."""
    archive = Archive(settings.archive_dir) if settings.archive_dir is not None else None
    kinds = kinds_of(settings, parts.get(Subjects).all)
    retention = parts.add(
        Retention(
            parts.get(Database),
            kinds,
            archive,
            Metrics(parts.get(Meters), (kind.name for kind in kinds)),
            parts.get(Log),
        )
    )
    if "worker" not in settings.roles:
        return Subject(events=(Event,))
    return Subject(
        loops=(cleaner(retention, parts.get(Log), every_s=settings.cleanup_every_s),),
        events=(Event,),
        advice={"cleanup": lambda: retention.problem or "ok"},
    )
