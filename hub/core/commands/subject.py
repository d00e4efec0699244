"""Commands: the life of each from its submit to its end."""

import random
import time
from uuid import UUID

from starlette.types import ASGIApp

from hub.config import Settings
from hub.core.access.service import Access, Idempotency
from hub.core.commands.causes import CAUSES
from hub.core.commands.routes.commands import Acceptor, router
from hub.core.commands.routes.fast_path import FastPath
from hub.core.commands.service.commands import Commands
from hub.core.commands.service.policies import Policies
from hub.core.commands.service.puback_times import PubackTimes
from hub.core.commands.service.reports import Reports
from hub.core.commands.service.submission import Submission
from hub.core.commands.service.waiting import POLL_S, Waiting
from hub.core.commands.service.withholding import POLL_S as WITHHOLDING_POLL_S
from hub.core.commands.service.withholding import Withholding
from hub.core.commands.store import commands as store
from hub.core.commands.store import dispatch
from hub.core.commands.telemetry import Event, Metrics
from hub.core.commands.worker.dispatcher import Dispatcher
from hub.core.commands.worker.reaper import Reaper
from hub.core.documents.service.documents import Documents
from hub.core.limits.service import Limits
from hub.database.engine import Connection, Database
from hub.loops import Loop, periodic
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.signals.publishing import Publishing
from hub.subject import Kept, Subject, days
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs access and documents; sends by whatever routes are added to Publishing later."""
    database, signals, log = parts.get(Database), parts.get(LocalSignals), parts.get(Log)
    metrics = parts.add(Metrics(parts.get(Meters)))
    policies = parts.add(Policies(database))
    submission = parts.add(
        Submission(database, signals, parts.get(Documents), metrics, log, parts.get(Idempotency), policies.of)
    )
    commands = parts.add(Commands(database, signals, metrics, log))
    withholding = parts.add(
        Withholding(database, signals, log, withholds=settings.revoked_commands == "withhold", monotonic=time.monotonic)
    )
    waiting = signals.waiting = parts.add(Waiting(database))
    acceptor = parts.add(Acceptor(submission, commands, waiting))

    async def mark_sent(acknowledged: dict[UUID, float]) -> None:
        async with database.connection() as connection:
            await dispatch.mark_sent(connection, acknowledged)

    puback_times = parts.add(PubackTimes(mark_sent))
    publishing = parts.get(Publishing)
    reports = parts.add(
        Reports(database, publishing, signals, metrics, log, random.Random(), puback_times, waiting)  # noqa: S311 - jitter
    )
    loops: tuple[Loop, ...] = (
        Loop("submission", submission.batcher.run),
        Loop("look-ups", commands.reader.run),
        periodic("waiting", waiting.poll, log, pause_s=POLL_S),
        periodic("policies", policies.poll, log, pause_s=Policies.POLL_S),
    )
    if "worker" in settings.roles:
        dispatcher = signals.dispatcher = parts.add(
            Dispatcher(
                database,
                publishing,
                metrics,
                log,
                handed_out=reports.remember,
                alone=lambda: signals.notifications.alone,
            )
        )

        async def dispatch_judged() -> None:
            await withholding.judged.wait()
            await dispatcher.run()

        loops += (
            Loop("dispatcher", dispatch_judged),
            Reaper(database, commands, signals).loop(log),
            Loop("puback-times", puback_times.run),
            periodic("withholding", withholding.look, log, pause_s=WITHHOLDING_POLL_S, first_s=0.0),
        )

    async def count(connection: Connection) -> None:
        found = await store.unfinished(connection)
        for status in ("pending", "queued", "running"):
            metrics.unfinished.labels(status).set(found.get(status, 0))

    def fast_path(app: ASGIApp) -> ASGIApp:
        return FastPath(app, acceptor, parts.get(Access), parts.get(Limits), log)

    return Subject(
        routers=(router,),
        fast_paths=(fast_path,),
        loops=loops,
        stop=(waiting.stop,),  # Callers may wait for longer than the grace.
        prepare=(policies.poll,),  # Workers submit, too: what schedules send.
        events=(Event,),
        causes=CAUSES,
        kept=(Kept.of("quarantine", days(settings.keep_quarantine_days), "core/commands/transitions", "quarantine"),),
        figures=(count,),
    )
