"""Waiting for what another task or process brings about: poll with a deadline, never a fixed sleep."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_POLL_S = 0.01


@overload
async def eventually(predicate: Callable[[], Awaitable[T]], deadline_s: float = 10.0) -> T: ...


@overload
async def eventually(predicate: Callable[[], T], deadline_s: float = 10.0) -> T: ...


async def eventually(predicate: Callable[[], Any], deadline_s: float = 10.0) -> Any:
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
        await asyncio.sleep(_POLL_S)
