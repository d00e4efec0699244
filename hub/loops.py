"""What a loop is: work that never ends, under a name. `runtime` runs them; the death of one ends the process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.errors import UnavailableError
from hub.telemetry.log import Event, Log
from hub.telemetry.throttle import WINDOW_S


@dataclass(frozen=True, slots=True)
class Loop:
    """`run` never returns; it is cancelled when the process ends."""

    name: str
    run: Callable[[], Awaitable[None]]


def periodic(
    name: str,
    work: Callable[[], Awaitable[float | None]],
    log: Log,
    *,
    pause_s: float,
    first_s: float | None = None,
) -> Loop:
    """A loop that calls `work` again and again, and goes on when the database or the broker is away.

    `work` answers with the pause before the next call, in seconds, or None for `pause_s`, which also follows an
    UnavailableError. `first_s` is the pause before the first call; None: `pause_s`.
    """

    async def run() -> None:
        pause: float | None = first_s
        while True:
            await asyncio.sleep(pause_s if pause is None else pause)
            pause = None
            try:
                pause = await work()
            except UnavailableError as problem:
                log.seldom(name).warning(Event.TASK_RETRY, task=name, code=problem.code)

    return Loop(name, run)


def log_loop(log: Log) -> Loop:
    """A loop that tells what was left out of the log."""

    async def tell() -> None:
        log.tell_left_out()

    return periodic("log", tell, log, pause_s=WINDOW_S)
