"""What Ctrl-C and SIGTERM ask for, and how work ends because of it."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

TAKEN = (signal.SIGINT, signal.SIGTERM)

Result = TypeVar("Result")


class Interruption:
    """The first signal asks for an end in good order, the second for one at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()
        self.number: signal.Signals | None = None
        """The first signal that came."""

    def listen(self) -> None:
        """Take SIGINT and SIGTERM."""
        for number in TAKEN:
            asyncio.get_running_loop().add_signal_handler(number, self._take, number)

    def ignore(self) -> None:
        """All has been said: nothing shall disturb the end of the process."""
        signal.pthread_sigmask(signal.SIG_BLOCK, TAKEN)
        for number in TAKEN:
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    def _take(self, number: signal.Signals) -> None:
        if self.asked.is_set():
            self.at_once.set()
        self.number = self.number or number
        self.asked.set()

    async def wait(self, seconds: float | None) -> bool:
        """Let time pass, None: for ever; whether a signal has come."""
        await _first(self.asked, timeout=seconds)
        return self.asked.is_set()

    async def bounded(self, work: Coroutine[Any, Any, Result], grace_s: float) -> Result | None:
        """Its result. After a signal it has `grace_s` more, after the second none; then it is cancelled, None."""
        task = asyncio.ensure_future(work)
        try:
            await _first(self.asked, task)
            if not task.done():
                await _first(self.at_once, task, timeout=grace_s)
        finally:
            await ended(task)
        return None if task.cancelled() else task.result()


async def ended(*tasks: asyncio.Future[Any], within_s: float = 5.0) -> None:
    """Cancel what still runs, and wait until it has taken that in."""
    running = {task for task in tasks if not task.done()}
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running, timeout=within_s)


async def _first(event: asyncio.Event, *tasks: asyncio.Future[Any], timeout: float | None = None) -> None:
    """Until the event, one of the tasks or the time."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting, *tasks}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
