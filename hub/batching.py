"""Group commit: requests that wait while one statement runs go together into the next.

No timer collects them, so a lone request pays nothing, and under load the batches grow by themselves. Of those who wait
each principal has its turn, so that a flood of one fills the room that others leave, and no more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hub.database.engine import DEADLINE_S
from hub.errors import RejectedError, UnavailableError
from hub.fairness import FairQueue, served

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    answer: asyncio.Future[Answer]


class Batcher(Generic[Item, Answer]):
    """Calls `work` with up to `most` items at a time, from `lanes` tasks; `run` must be running.

    `work` answers with one answer per item, in order; an exception of it goes to every caller of the batch.
    """

    def __init__(
        self,
        work: Callable[[list[Item]], Awaitable[list[Answer]]],
        *,
        most: int = 200,
        lanes: int = 2,
        bound: int = 5_000,
        bound_each: int = 1_000,
        patience_s: float = DEADLINE_S,
    ) -> None:
        """An item that waits longer than `patience_s` behind others is dropped. `bound_each`: how many of one principal
        may wait."""
        self._work = work
        self._patience_s = patience_s
        self._most = most
        self._lanes = lanes
        self._queue: FairQueue[_Waiting[Item, Answer]] = FairQueue(bound, bound_each)
        self._some = asyncio.Event()

    async def submit(self, item: Item) -> Answer:
        """The answer for `item`, which waits for its turn among those of whom the running task serves. Raises
        UnavailableError at once when too many wait already, and when its turn or its answer does not come in time;
        RejectedError when too many are of this one."""
        loop = asyncio.get_running_loop()
        who = served()
        if self._queue.full_for(who):
            raise RejectedError("too_many_waiting", retry_after_s=1)
        if self._queue.full:
            raise UnavailableError("overloaded", retry_after_s=2)
        waiting: _Waiting[Item, Answer] = _Waiting(item, loop.create_future())
        self._queue.put(who, waiting)
        self._some.set()
        # A timer of its own costs a tenth of `asyncio.timeout`, and every command comes by here several times.
        patience = loop.call_later(self._patience_s, _end_waiting, waiting.answer)
        try:
            return await waiting.answer
        finally:
            patience.cancel()

    async def run(self) -> None:
        """Work until cancelled; then whoever still waits is told that the hub stops."""
        try:
            async with asyncio.TaskGroup() as group:
                for lane in range(self._lanes):
                    group.create_task(self._lane(), name=f"batcher-{lane}")
        finally:
            while self._queue:
                waiting = self._queue.pop()
                if not waiting.answer.done():
                    waiting.answer.set_exception(UnavailableError("stopping", retry_after_s=2))

    async def _lane(self) -> None:
        while True:
            if not self._queue:
                self._some.clear()
                await self._some.wait()
            batch: list[_Waiting[Item, Answer]] = []
            while self._queue and len(batch) < self._most:
                waiting = self._queue.pop()
                if not waiting.answer.done():  # else whoever asked has been told that it takes too long
                    batch.append(waiting)
            if not batch:
                continue
            # Shielded: a statement that has begun is finished, and its callers hear of it, even while stopping.
            work = asyncio.ensure_future(self._answer(batch))
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                await work
                raise

    async def _answer(self, batch: list[_Waiting[Item, Answer]]) -> None:
        try:
            answers = await self._work([waiting.item for waiting in batch])
        except Exception as problem:  # noqa: BLE001 - every caller must hear of it
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(problem)
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)


def _end_waiting(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(UnavailableError("database_unavailable"))
