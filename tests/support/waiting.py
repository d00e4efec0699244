"""Waiting for what another task, thread or process brings about: poll with a deadline, never a fixed sleep.

`until` for tests that run in no event loop, `eventually` for those that do.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

READY_S = 90.0
"""What a program may take to become ready on a busy machine."""
SOON_S = 30.0
"""What anything else may take there."""
_POLL_S = 0.02
"""Longer than in one's own event loop: a look is often a request."""
_POLL_MOST_S = 0.2
_POLL_IN_LOOP_S = 0.01


def until(
    look: Callable[[], T | None],
    what: str | Callable[[], str],
    deadline_s: float = READY_S,
    step: Callable[[], object] | None = None,
) -> T:
    """The first truthy answer of `look`. Fails with `what`, a text or what makes one, when there is none in time.

    Between two looks it calls `step`, for whoever has to be driven meanwhile, or pauses: for a twentieth of the time
    that has passed, so that a long wait does not keep busy what it waits for.
    """
    began = time.monotonic()
    while True:
        found = look()
        if found:
            return found
        passed = time.monotonic() - began
        if passed > deadline_s:
            raise AssertionError(f"{what if isinstance(what, str) else what()}: not within {deadline_s:g} s")
        if step is None:
            time.sleep(min(max(_POLL_S, passed / 20), _POLL_MOST_S))
        else:
            step()


@overload
async def eventually(predicate: Callable[[], Awaitable[T]], deadline_s: float = SOON_S) -> T: ...


@overload
async def eventually(predicate: Callable[[], T], deadline_s: float = SOON_S) -> T: ...


async def eventually(predicate: Callable[[], Any], deadline_s: float = SOON_S) -> Any:
    """The first truthy answer of `predicate`, which may be async. Fails when there is none by the deadline.

    An AssertionError from the predicate counts as "not yet", and is what is shown at the end.
    """
    end = time.monotonic() + deadline_s
    while True:
        problem: AssertionError | None = None
        try:
            answer = predicate()
            value = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
        except AssertionError as not_yet:
            problem = not_yet
        if time.monotonic() > end:
            raise AssertionError(f"still not so after {deadline_s:g} s: {predicate}") from problem
        await asyncio.sleep(_POLL_IN_LOOP_S)


async def paused(seconds: float) -> None:
    """A pause that a slow peer makes; no test waits for anything by it."""
    await asyncio.sleep(seconds)
