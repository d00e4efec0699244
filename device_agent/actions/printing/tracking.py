"""Where the job of an attempt is at its printer: looked for with patience, followed to its end. Sends nothing that
prints."""

import asyncio
import contextlib
import time

from device_agent.actions.base import STOP_S, DriverContext
from device_agent.actions.printing.absence import UNREACHABLE
from device_agent.actions.printing.finding import Found, cancel_own, find_job
from device_agent.actions.printing.job import JobFollower
from device_agent.actions.printing.own_job import OwnJob
from device_agent.actions.printing.poll import Poll, Timing
from device_agent.core.outcome import Outcome
from device_agent.core.sentences import sentences
from device_agent.ipp.client import IppClient
from device_agent.ipp.errors import IppBusy, IppError, IppRefused, is_no_answer

_SECOND_LOOK_S = 1.0
_BUSY_S = 0.25


class JobTracker:
    """Asks one printer about the job of one attempt."""

    def __init__(self, client: IppClient, printer_name: str, context: DriverContext, timing: Timing) -> None:
        self._client = client
        self._printer_name = printer_name
        self._context = context
        self._timing = timing

    async def search(self, within_s: float, known: OwnJob | None = None) -> Found:
        """`find_job` with patience for a printer that is away; it may be restarting."""
        began = time.monotonic()
        poll = Poll(self._timing.poll_first_s, self._timing.poll_most_s)
        held = False
        while True:
            try:
                found = await self._look(known)
            except IppError as problem:
                refused = isinstance(problem, IppRefused)
                if refused and not isinstance(problem, IppBusy):
                    return Found(own=None, said=f"Get-Jobs at {self._client.uri} was refused: {problem}")
                patience_s = within_s if is_no_answer(problem) else min(within_s, self._timing.lost_s)
                silent_s = time.monotonic() - began
                if silent_s >= patience_s:
                    manner = "and had no time" if refused else "without an answer"
                    said = f"Get-Jobs at {self._client.uri} was asked for {silent_s:.0f} s {manner}: {problem}"
                    return Found(own=None, said=said)
                if not held and silent_s > self._timing.quiet_s and is_no_answer(problem):
                    held = True
                    if known is not None:  # asked for evidence: the printer took the job, and has it when it is back
                        await self._context.found()
                    await self._context.held([UNREACHABLE])
                await poll.wait()
            else:
                if held:
                    await self._context.resumed()
                return found

    async def _look(self, known: OwnJob | None) -> Found:
        found = await find_job(self._client, self._context.job_name, known)
        if found.own is None:  # it may be about to enter the job it just received
            await asyncio.sleep(_SECOND_LOOK_S)
            found = await find_job(self._client, self._context.job_name, known)
        return found

    async def follow(self, own: OwnJob) -> Outcome:
        """How the job ended; see `JobFollower.to_the_end`."""
        return await JobFollower(self._client, self._printer_name, own, self._context, self._timing).to_the_end()

    async def cancel(self, own: OwnJob) -> None:
        """Cancel-Job, again while the printer has no time for it. Raises IppError, and TimeoutError after `STOP_S`."""
        async with asyncio.timeout(STOP_S):
            while True:
                try:
                    return await cancel_own(self._client, own)
                except IppBusy:
                    await asyncio.sleep(_BUSY_S)

    async def discard(self, own: OwnJob | None = None) -> None:
        """Cancel what an earlier try left at the printer without a document, as well as it goes: it prints nothing, but
        it has our name and waits in front of others. Only for an attempt whose document never went out."""
        with contextlib.suppress(IppError, TimeoutError):
            if own is None:
                found = await find_job(self._client, self._context.job_name)
                own = None if found.ended else found.own
            if own is not None:
                await self.cancel(own)

    def unknown(self, message: str, said: str) -> Outcome:
        """Nobody can say whether it was printed. `said`: what the printer was asked and answered."""
        data = {"printer": self._printer_name, "job_name": self._context.job_name, "evidence": said}
        return Outcome(status="unknown", code="printer_lost", data=data, message=sentences(message, said))

    def cut_off(self, outcome: Outcome) -> Outcome:
        """What a job came to whose document may not have got to the printer in full."""
        if outcome.status != "completed":
            return outcome
        job = outcome.data.get("job_id")
        message = f"job {job} ended, and its document may not have got there in full: look whether it was printed"
        doubt = self.unknown(message, outcome.data.get("evidence", ""))
        return Outcome(status="unknown", code=doubt.code, data={**doubt.data, **outcome.data}, message=doubt.message)
