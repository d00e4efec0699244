"""Whoever asks for much waits behind itself, and before nobody else."""

import asyncio

import pytest

from hub.batching import Batcher
from hub.database.turns import MOST_EACH, NoTurnError, Turns
from hub.errors import RejectedError, UnavailableError
from hub.fairness import FairQueue, serve_for

PATIENCE_S = 30.0


def test_of_those_who_wait_each_in_turn_and_its_own_in_order() -> None:
    queue: FairQueue[str] = FairQueue(100, 100)
    for who, items in {"flood": "abcdef", "shop": "xy", "wms": "1"}.items():
        for item in items:
            queue.put(who, item)
    assert "".join(queue.pop() for _ in range(9)) == "ax1bycdef"
    assert len(queue) == 0


def test_who_comes_again_stands_at_the_end() -> None:
    queue: FairQueue[str] = FairQueue(100, 100)
    queue.put("flood", "a")
    queue.put("flood", "b")
    queue.put("shop", "x")
    assert queue.pop() == "a"
    queue.put("wms", "1")
    queue.put("shop", "y")
    assert "".join(queue.pop() for _ in range(4)) == "xb1y"


def test_an_empty_queue_has_nothing() -> None:
    with pytest.raises(IndexError):
        FairQueue[str](1, 1).pop()


class Recording:
    """Answers one batch after the other, when told to."""

    def __init__(self, most: int, bound_each: int = 1_000) -> None:
        self.batches: list[list[str]] = []
        self.began, self.go = asyncio.Event(), asyncio.Event()
        self.batcher: Batcher[str, str] = Batcher(self._work, most=most, lanes=1, bound_each=bound_each)

    async def _work(self, items: list[str]) -> list[str]:
        self.batches.append(items)
        self.began.set()
        await self.go.wait()
        return items

    async def submit(self, who: str | None, item: str) -> str:
        serve_for(who)
        return await self.batcher.submit(item)


async def test_a_flood_of_one_leaves_room_in_the_very_next_batch() -> None:
    recording = Recording(most=10)
    running = asyncio.create_task(recording.batcher.run())
    asked = [asyncio.create_task(recording.submit("flood", f"flood-{number}")) for number in range(500)]
    await asyncio.sleep(0)
    asked += [asyncio.create_task(recording.submit(who, f"{who}-0")) for who in ("shop", "wms")]
    await recording.began.wait()
    recording.go.set()
    await asyncio.gather(*asked)
    running.cancel()
    began = recording.batches[0]
    others = {"shop-0", "wms-0"}
    assert others <= set(began) | set(recording.batches[1])
    floods = [item for batch in recording.batches for item in batch if item.startswith("flood")]
    assert floods == [f"flood-{number}" for number in range(500)]


async def test_a_flood_is_bounded_and_shuts_nobody_else_out() -> None:
    recording = Recording(most=1, bound_each=3)
    waiting = [asyncio.create_task(recording.submit("flood", "a")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(RejectedError) as refused:
        await asyncio.create_task(recording.submit("flood", "one too many"))
    assert refused.value.code == "too_many_waiting"
    waiting += [asyncio.create_task(recording.submit("shop", "b")) for _ in range(3)]
    # The hub's own work is bounded by the whole queue only.
    waiting += [asyncio.create_task(recording.submit(None, "c")) for _ in range(10)]
    running = asyncio.create_task(recording.batcher.run())
    recording.go.set()
    assert sorted(await asyncio.gather(*waiting)) == ["a"] * 3 + ["b"] * 3 + ["c"] * 10
    running.cancel()


async def test_stopping_tells_everybody_who_waits() -> None:
    recording = Recording(most=1)
    waiting = [asyncio.create_task(recording.submit(who, "a")) for who in ("flood", "flood", "shop")]
    running = asyncio.create_task(recording.batcher.run())
    await recording.began.wait()
    running.cancel()
    recording.go.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, UnavailableError)] == ["a"]


async def test_connections_go_to_each_in_turn() -> None:
    turns, order = Turns(1), list[str]()

    async def use(who: str) -> None:
        async with turns.taken(who, PATIENCE_S):
            order.append(who)

    async with turns.taken("holder", PATIENCE_S):
        asked = [asyncio.create_task(use(who)) for who in ("flood",) * 20 + ("shop", "shop")]
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    assert order[:4] == ["flood", "shop", "flood", "shop"]
    assert order[4:] == ["flood"] * 18


async def test_a_place_is_never_lost() -> None:
    turns = Turns(1)

    async def use() -> None:
        async with turns.taken("wms", PATIENCE_S):
            await asyncio.sleep(0)

    async with turns.taken("wms", PATIENCE_S):
        asked = [asyncio.create_task(use()) for _ in range(10)]
        await asyncio.sleep(0)
        for task in asked[::2]:
            task.cancel()
        with pytest.raises(NoTurnError):
            await turns.take("wms", 0.0)
    # Cancelled just when its turn has come.
    asked[1].cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    async with asyncio.timeout(PATIENCE_S):
        await use()


async def test_those_of_one_who_wait_for_a_connection_are_bounded() -> None:
    turns = Turns(1)
    async with turns.taken(None, PATIENCE_S):
        waiting = [asyncio.create_task(turns.take("flood", PATIENCE_S)) for _ in range(MOST_EACH)]
        await asyncio.sleep(0)
        with pytest.raises(NoTurnError):
            await turns.take("flood", PATIENCE_S)
        other = asyncio.create_task(turns.take("shop", PATIENCE_S))
        await asyncio.sleep(0)
        assert not other.done()
    for task in (*waiting, other):
        task.cancel()
    await asyncio.gather(*waiting, other, return_exceptions=True)
