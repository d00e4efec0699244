"""What the agent and a driver promise each other.

A driver carries out one attempt and says how it ended as far as it knows. It is honest about doubt: `unknown` when
nobody can say whether the effect took place, and `retryable` only when it is certain that nothing did, because a
retry of anything else may print a second invoice.

How an attempt is stopped: the executor cancels the task that runs `execute`. Why it does so stands in
`context.stop_reason`, and nowhere else, since a task may be cancelled again and by anybody while it cleans up. None
means that nobody asked for the effect to stop, whatever ended the task: the device may finish what it has, and the next
start asks for evidence. With a reason the effect itself must stop: the driver stops it within a few seconds, leaves
what became of it in `context.cancelled_outcome` and raises the CancelledError on. `stopping` does that.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

from device_agent.core.events import StopReason
from device_agent.core.gate import PayloadError
from device_agent.core.lifetime import Lifetime
from device_agent.core.outcome import Outcome
from schemas import actions
from schemas.actions import AnyPayload, DocumentSent

STOP_S = 10.0
"""How long stopping an effect and finding out how far it came may take. Less than the executor's patience."""
_LAST_WORDS_S = 1.0


def read_payload(form: type[AnyPayload], payload: dict[str, Any]) -> AnyPayload:
    """The payload of an action as the contract has it. Raises PayloadError `payload_invalid` that names the field."""
    try:
        return actions.read(form, payload)
    except actions.PayloadError as problem:
        raise PayloadError("payload_invalid", str(problem)) from None


class DriverContext(Protocol):
    """What a driver sees of the agent while it works on one attempt."""

    command_id: str
    attempt: int
    job_name: str
    """`floorhub-<command_id>-<attempt>`: what a device should call the job, so that it can be found again."""
    began: Lifetime
    """When the effect began: now, or before the restart that cut it off."""
    now: Lifetime
    stop_reason: StopReason | None
    """Why the effect must stop, set before its task is cancelled. None: nobody asked for that."""
    cancelled_outcome: Outcome | None
    """Set by the driver before it lets a CancelledError out; None: it cannot say what became of the effect."""

    async def progress(self, data: dict[str, Any]) -> None:
        """How far the effect is; small JSON, only the latest counts."""

    remembered: dict[str, Any]
    """For evidence: what the attempt that was cut off told `remember` last; else empty."""

    async def held(self, reasons: list[str], *, untouched: bool = False, pauses: bool = True) -> None:
        """The effect waits for a person, for example because the printer has no paper. Its time stands still meanwhile.

        `untouched`: nothing was done yet, and nothing is done before `resumed` returns. Then a restart begins the
        attempt anew, and it is stopped once it has expired.

        `pauses` False: its time goes on, because the device cannot say whether a person is waited for.
        """

    async def begins(self) -> None:
        """The effect begins now. Returns once that is in the journal; until then a restart begins the attempt anew. Of
        use to drivers that announce their effects; nothing where it has begun already."""

    async def resumed(self) -> None:
        """The effect goes on after it was held. After `untouched` it returns once that is in the journal."""

    async def found(self) -> None:
        """Asked for evidence: the effect is at its device, and the driver follows it. Until then asking has a short
        limit; from now on the attempt's own time runs, `held` and `progress` are told, and the driver may be asked to
        stop the effect."""

    pinned: dict[str, Any]
    """Kept beside whatever `remember` keeps, from the next time on; empty at first."""

    async def remember(self, evidence: dict[str, Any]) -> None:
        """Keep small JSON in the journal by which the device can be asked after a restart, such as a job's number."""

    async def mark(self, fact: str) -> None:
        """Keep a fact at once, also while the journal cannot be written: asked for evidence, `remembered` has it as
        true. For what `remember` is told besides: a mark may be lost with the machine's power."""

    async def unmark(self, fact: str) -> None:
        """It is so no more."""

    async def document(self, reference: DocumentSent) -> Path:
        """The verified file of a document; it stays until the driver has ended. Raises `documents.DocumentError`."""

    async def upload(self, file: Path, content_type: str) -> dict[str, Any]:
        """Bring a file up to the hub; `{id, path, sha256, size}` for the result. Raises `uploads.UploadError`."""

    def restart_agent(self) -> None:
        """End this process soon, and start it anew."""


class Driver(Protocol):
    """Carries out one or several actions. One instance serves several attempts at once, in different lanes.

    A driver with an attribute `announces_effect` that is True promises to do nothing to its device before
    `context.begins()`, or `context.resumed()` after it was held untouched, has returned. What is cut off before that
    has done nothing, without a doubt, and is begun anew.
    """

    def check(self, action: str, payload: dict[str, Any]) -> None:
        """Raise PayloadError for what can never be carried out. Pure and quick: nothing is asked, nothing begins."""

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        """Carry it out to its end. May raise PayloadError and DocumentError, but only before any effect."""

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        """After a crash between started and finished: ask the outside world what became of the attempt.

        Never has an effect of its own. May follow what is still running to its end, after `context.found()`.
        """


def announces_effect(driver: object) -> bool:
    """Whether a driver promises to say before it does anything; see `Driver`."""
    return getattr(driver, "announces_effect", False) is True


@contextlib.asynccontextmanager
async def stopping(
    context: DriverContext, stop: Callable[[], Coroutine[Any, Any, Outcome]], *, with_agent: bool = False
) -> AsyncIterator[None]:
    """Run the body; when it is cancelled and somebody asked for the effect to stop, call `stop` and keep its answer.

    After `STOP_S` seconds `stop` is given up, and the outcome stays open (None). `with_agent`: the effect cannot go on
    without the agent, so stop it also when only the agent stops.
    """
    try:
        yield
    except asyncio.CancelledError:
        if with_agent or context.stop_reason is not None:
            context.cancelled_outcome = await _apart(stop(), STOP_S, name=f"stop-{context.job_name}")
        raise


async def _apart(work: Coroutine[Any, Any, Outcome], within_s: float, name: str) -> Outcome | None:
    """Await `work` in a task of its own: a task that was cancelled cannot use time-outs reliably any more.

    A second cancellation (the agent stops as well) ends `work` at once.
    """
    task = asyncio.create_task(work, name=name)
    try:
        await asyncio.wait({task}, timeout=within_s)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_LAST_WORDS_S)
    if not task.done() or task.cancelled():
        return None
    problem = task.exception()
    if problem is None:
        return task.result()
    return Outcome(status="unknown", code="stop_failed", message=f"stopping it failed: {problem}: check the device")
