"""Virtual time: what happens next, and coroutines that are driven by hand.

Nothing here looks at a clock or a hash. Events of the same moment run in the order in which they were planned.
"""

import heapq
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from hub.errors import UnavailableError


class Scheduler:
    """A queue of what will happen. `now` is in seconds since the world began."""

    def __init__(self) -> None:
        self.now = 0.0
        self.count = 0
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []

    def after(self, delay: float, do: Callable[..., None], *arguments: Any) -> None:
        """Plan something."""
        self.count += 1
        heapq.heappush(self._queue, (self.now + delay, self.count, do, arguments))

    def run(self, until: float, done: Callable[[], bool] | None = None) -> bool:
        """Let things happen up to a moment, or until `done`, which is asked now and then; whether it was."""
        asked = 0
        while self._queue and self._queue[0][0] <= until:
            self.now, _, do, arguments = heapq.heappop(self._queue)
            do(*arguments)
            asked += 1
            if done is not None and asked % 8 == 0 and done():
                return True
        self.now = max(self.now, until)
        return False


class Pause:
    """What a driven coroutine awaits: time passes, others go on, and whoever runs it may die."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __await__(self) -> Generator[float, None, None]:
        yield self._seconds


class Driven:
    """A coroutine of the hub, stepped by the scheduler as long as its process lives."""

    def __init__(
        self,
        scheduler: Scheduler,
        work: Coroutine[Any, Any, Any],
        alive: Callable[[], bool],
        done: Callable[[UnavailableError | None], None],
    ) -> None:
        self._scheduler = scheduler
        self._work = work
        self._alive = alive
        self._done = done
        scheduler.after(0.0, self._step)

    def _step(self) -> None:
        if not self._alive():
            self._work.close()
            return
        try:
            seconds = self._work.send(None)
        except StopIteration:
            self._done(None)
        except UnavailableError as problem:
            self._done(problem)
        else:
            self._scheduler.after(seconds, self._step)
