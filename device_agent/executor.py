"""Runs effects: one named task per effect, stopped with a bounded patience, and exactly one answer to each.

The core decides when an effect begins and stops; drivers know how. A driver is foreign code: whatever it raises becomes
an outcome, and one that does not stop is left behind so that its lane goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from device_agent import logs
from device_agent.actions.base import Driver
from device_agent.core.events import (
    EffectEnded,
    EffectFound,
    EffectHeld,
    EffectProgress,
    EffectRemembered,
    EffectResumed,
    Event,
    ResumeEffect,
    StartEffect,
    StopEffect,
    StopReason,
)
from device_agent.core.gate import PayloadError
from device_agent.core.lifetime import Lifetime
from device_agent.core.log import Log
from device_agent.core.outcome import Outcome
from device_agent.documents import DocumentError, Documents
from device_agent.marks import Marks
from device_agent.uploads import UploadError, Uploads
from schemas.actions import DocumentSent

STOP_GRACE_S = 15.0
"""How long a driver may take to stop its effect and to find out how far it came. A guess: a printer answers in 6 s."""
EVIDENCE_S = 60.0
"""How long a driver may look for evidence. What it finds and follows is watched over by the core, as what runs."""

DRIVER_ERROR = "driver_error"
DOCUMENT_PENDING = "document-pending"
"""The reason of an effect that is held until its document is there."""
DOCUMENT_PROMPT_S = 2.0
"""So long a document may take without a word: most are there at once, and each word costs two commits."""

Deliver = Callable[[Event], Awaitable[None]]


class _Context:
    """What a driver sees of the agent (`DriverContext`)."""

    def __init__(self, step: StartEffect, deliver: Deliver, surroundings: "Surroundings") -> None:
        self._id = step.command_id
        self._deliver = deliver
        self._surroundings = surroundings
        self.began = step.began
        self.now = surroundings.life
        self._patience_s = step.patience_s
        self._prompt_s = surroundings.prompt_s
        self.command_id = str(step.command_id)
        self.attempt = step.attempt
        self.job_name = f"floorhub-{step.command_id}-{step.attempt}"
        self.stop_reason: StopReason | None = None
        self.cancelled_outcome: Outcome | None = None
        self.remembered = dict(step.remembered)
        self.pinned: dict[str, Any] = {}
        self.let_go_on: asyncio.Future[None] | None = None
        """While it is untouched: done when its beginning is in the journal."""
        self._announced = step.untouched
        self._held = False
        if step.untouched:
            self.let_go_on = asyncio.get_running_loop().create_future()
        self.finding: asyncio.Timeout | None = None
        """While the driver looks for evidence: its limit."""
        self._documents: list[Path] = []
        self._document_problem = ""

    async def progress(self, data: dict[str, Any]) -> None:
        await self._deliver(EffectProgress(self._id, self.attempt, dict(data)))

    async def held(self, reasons: list[str], *, untouched: bool = False, pauses: bool = True) -> None:
        self._held = True
        if untouched and self.let_go_on is None:
            self.let_go_on = asyncio.get_running_loop().create_future()
        await self._deliver(EffectHeld(self._id, self.attempt, list(reasons), untouched, pauses))

    async def begins(self) -> None:
        if self.let_go_on is not None:
            await self.resumed()

    async def resumed(self) -> None:
        self._held = False
        await self._deliver(EffectResumed(self._id, self.attempt))
        if self.let_go_on is not None:
            await self.let_go_on
            self.let_go_on = None

    async def remember(self, evidence: dict[str, Any]) -> None:
        kept = msgspec.json.encode({**evidence, **self.pinned})
        await self._deliver(EffectRemembered(self._id, self.attempt, kept))

    async def mark(self, fact: str) -> None:
        if (marks := self._surroundings.marks) is not None:
            await asyncio.to_thread(marks.leave, (self._id, self.attempt), fact)

    async def unmark(self, fact: str) -> None:
        if (marks := self._surroundings.marks) is not None:
            await asyncio.to_thread(marks.take_back, (self._id, self.attempt), fact)

    async def recall(self) -> None:
        """Add what was marked to `remembered`, for evidence."""
        if (marks := self._surroundings.marks) is not None:
            marked = await asyncio.to_thread(marks.of, (self._id, self.attempt))
            self.remembered |= dict.fromkeys(marked, True)

    async def found(self) -> None:
        if self.finding is not None:
            self.finding.reschedule(None)
        await self._deliver(EffectFound(self._id, self.attempt))

    async def document(self, reference: DocumentSent) -> Path:
        fetching = asyncio.create_task(
            self._surroundings.documents.fetch(
                msgspec.structs.asdict(reference), self._patience_s, self._document_waits
            ),
            name=f"document-{self.job_name}",
        )
        try:
            await asyncio.wait({fetching}, timeout=self._prompt_s)
            late = not fetching.done() and not self._held  # else it is held untouched for another reason
            if late:  # so long nothing is done: an agent that ends meanwhile need not wonder what became of it
                await self.held([DOCUMENT_PENDING], untouched=True)
                await self._tell_document_problem()
            path = await fetching
        except asyncio.CancelledError:
            fetching.cancel()
            fetching.add_done_callback(self._not_wanted)  # it may have come in this very moment
            raise
        self._documents.append(path)
        if late and not self._announced:  # else it stays untouched until its driver says so
            await self.resumed()
        return path

    async def _document_waits(self, problem: str) -> None:
        if problem != self._document_problem:
            self._document_problem = problem
            if self._held:  # else it is told once it is: what an attempt is held for takes the place of its progress
                await self._tell_document_problem()

    async def _tell_document_problem(self) -> None:
        if self._document_problem:
            await self.progress({"waiting_for": "document", "problem": self._document_problem})

    def _not_wanted(self, fetching: asyncio.Task[Path]) -> None:
        if not fetching.cancelled() and fetching.exception() is None:
            self._surroundings.documents.release(fetching.result())

    def let_go(self) -> None:
        """What the driver read may leave the cache."""
        while self._documents:
            self._surroundings.documents.release(self._documents.pop())

    async def upload(self, file: Path, content_type: str) -> dict[str, Any]:
        uploads = self._surroundings.uploads
        if uploads is None:
            raise UploadError("upload_refused", "this agent uploads nothing")
        return msgspec.structs.asdict(await uploads.send(self.command_id, file, content_type))

    def restart_agent(self) -> None:
        self._surroundings.restart()


def _no_restart() -> None:
    """Where nobody can start the agent anew."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What effects find around them, the same for all."""

    documents: Documents
    uploads: Uploads | None = None
    marks: Marks | None = None
    life: Lifetime = Lifetime(boot="", process="")
    prompt_s: float = DOCUMENT_PROMPT_S
    restart: Callable[[], None] = _no_restart
    """Ends this process soon, and starts it anew."""


class Executor:
    """Starts and stops effects in the caller's TaskGroup. `driver_for` gives the driver of an action, or None."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        driver_for: Callable[[str], Driver | None],
        surroundings: Surroundings,
        deliver: Deliver,
        *,
        stop_grace_s: float = STOP_GRACE_S,
    ) -> None:
        self._group = group
        self._driver_for = driver_for
        self._surroundings = surroundings
        self._deliver = deliver
        self._stop_grace_s = stop_grace_s
        self._stops: dict[tuple[UUID, int], asyncio.Future[StopReason]] = {}
        self._contexts: dict[tuple[UUID, int], _Context] = {}
        self._drivers: set[asyncio.Task[Outcome]] = set()
        self._closed = False

    def start(self, step: StartEffect) -> None:
        """Begin an effect; `EffectEnded` follows."""
        stop: asyncio.Future[StopReason] = asyncio.get_running_loop().create_future()
        self._stops[step.command_id, step.attempt] = stop
        self._group.create_task(self._watch(step, stop), name=f"watch-{step.command_id}-{step.attempt}")

    def resume(self, step: ResumeEffect) -> None:
        """Let an effect go on that was held untouched."""
        context = self._contexts.get((step.command_id, step.attempt))
        if context is not None and context.let_go_on is not None and not context.let_go_on.done():
            context.let_go_on.set_result(None)

    def stop(self, step: StopEffect) -> None:
        """Ask an effect to stop. One that has ended meanwhile has answered already."""
        stop = self._stops.get((step.command_id, step.attempt))
        if stop is not None and not stop.done():
            stop.set_result(step.reason)

    @property
    def busy(self) -> bool:
        """Whether an effect runs, or one that did not stop in time."""
        return bool(self._drivers)

    async def let_end(self, within_s: float) -> None:
        """Answer for no effect any more, and wait until those that run have ended by themselves: what a device already
        has goes on anyway, but a program, or a document that is being sent, needs this process."""
        self._closed = True
        if self._drivers:
            await asyncio.wait(self._drivers, timeout=within_s)

    def close(self) -> None:
        """Let go of everything: no effect is answered for any more; the journal says `started`."""
        self._closed = True
        for task in self._drivers:
            task.cancel()

    async def _watch(self, step: StartEffect, stop: asyncio.Future[StopReason]) -> None:
        context = _Context(step, self._deliver, self._surroundings)
        self._contexts[step.command_id, step.attempt] = context
        task = self._group.create_task(
            _guard(self._drive(step, context)), name=f"{step.mode}-{step.command_id}-{step.attempt}"
        )
        self._drivers.add(task)
        task.add_done_callback(self._drivers.discard)
        task.add_done_callback(lambda _: context.let_go())
        try:
            waits: set[asyncio.Future[Any]] = {task, stop}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                context.stop_reason = stop.result()
                task.cancel()
                await asyncio.wait({task}, timeout=self._stop_grace_s)
        finally:
            del self._stops[step.command_id, step.attempt]
            del self._contexts[step.command_id, step.attempt]
        if self._closed:
            return
        if not task.done():
            logs.write(Log.EFFECT_ABANDONED, command_id=step.command_id, attempt=step.attempt)
            outcome = None
        elif task.cancelled():
            outcome = context.cancelled_outcome
        else:
            outcome = task.result()
        await self._deliver(EffectEnded(step.command_id, step.attempt, outcome))

    async def _drive(self, step: StartEffect, context: _Context) -> Outcome:
        driver = self._driver_for(step.action)
        if driver is None:  # after a restart with another configuration
            message = f"this agent has no driver for {step.action!r} any more"
            return Outcome(
                status="unknown" if step.mode == "evidence" else "failed", code="unsupported_action", message=message
            )
        if step.mode == "evidence":
            return await _ask(driver, step, context)
        failed = await _guard(driver.execute(step.action, step.payload, context))
        if failed.code != DRIVER_ERROR:
            return failed
        # The driver failed, and its device may be at work: what a restart would ask is asked now.
        found = await _guard(_ask(driver, step, context))
        return failed if found.status == "unknown" else found


async def _ask(driver: Driver, step: StartEffect, context: _Context) -> Outcome:
    try:
        async with asyncio.timeout(EVIDENCE_S) as context.finding:
            await context.recall()
            return await driver.evidence(step.action, step.payload, context)
    except TimeoutError:
        return Outcome(status="unknown", message=f"the driver found no evidence within {EVIDENCE_S:.0f} s")
    except (PayloadError, DocumentError) as problem:  # true before an effect, and this one may have happened
        return Outcome(status="unknown", code=problem.code, message=problem.message)


async def _guard(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Turn what a driver raises into an outcome: one bad driver must not stop the others."""
    try:
        return await work
    except asyncio.CancelledError as problem:
        if _is_cancelled():
            raise
        # Nobody cancelled the attempt, but something within it.
        return _broken(problem)
    except PayloadError as problem:
        return Outcome(status="failed", code=problem.code, message=problem.message)
    except DocumentError as problem:  # documents come before the effect
        return Outcome(status="failed", code=problem.code, message=problem.message, retryable=problem.retryable)
    except Exception as problem:  # noqa: BLE001 - foreign code; the log has the stack, the report says unknown
        return _broken(problem)


def _broken(problem: BaseException) -> Outcome:
    logs.write(Log.DRIVER_FAILED, stack=True)
    message = f"the driver failed ({type(problem).__name__}: {problem}): check the device"
    return Outcome(status="unknown", code=DRIVER_ERROR, message=message)


def _is_cancelled() -> bool:
    """Whether somebody cancelled the current task, however often; else a CancelledError is only passing through."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
