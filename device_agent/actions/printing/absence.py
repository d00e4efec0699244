"""Waits for a printer that cannot be reached, or prints for somebody else, as long as nothing was sent to it."""

from device_agent.actions.base import DriverContext
from device_agent.actions.printing.poll import Poll, Timing

UNREACHABLE = "printer-unreachable"
BUSY = "printer-busy"


class Absence:
    """The waiting of one attempt. It has no end of its own: the agent stops an attempt that is held untouched when it
    expires, when it is cancelled, or when the agent ends."""

    def __init__(self, context: DriverContext, timing: Timing) -> None:
        self._context = context
        self._timing = timing
        self._poll: Poll | None = None
        self._reason = ""
        self.problem = ""
        """Why it waits, in words; empty when it does not."""

    async def wait(self, reason: str, problem: str) -> None:
        """Say that the attempt is held, and return when it is time to try the printer again."""
        self._poll = self._poll or Poll(self._timing.away_first_s, self._timing.away_most_s)
        if reason != self._reason:
            await self._context.held([reason], untouched=True)
        if (reason, problem) != (self._reason, self.problem):
            await self._context.progress({"waiting_for": reason.replace("-", "_"), "problem": problem})
        self._reason, self.problem = reason, problem
        await self._poll.wait()

    async def over(self) -> None:
        """The printer is there. Returns when the attempt may touch it."""
        if self._reason:
            await self._context.resumed()
        else:
            await self._context.begins()
        self._poll, self._reason, self.problem = None, "", ""
