"""What waits in a channel: bounded, cancels first, each message as often as dispatch means it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from hub.core.http_clients.service.channels import (
    LOOK_S,
    MOST_AT_A_LOOK,
    MOST_WAITING,
    Channel,
    Channels,
    key_of,
)
from hub.database.engine import Database
from schemas.messages import Cancel, Run
from tests.support.hubs import NOBODY

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def channel() -> Channel:
    return Channel("pda-1", "http:a", 1, b"", polled=False)


def run(command_id: UUID | None = None, attempt: int = 1) -> Run:
    return Run(
        client_id="pda-1",
        command_id=command_id or uuid4(),
        attempt=attempt,
        lane="client",
        action="status",
        payload={},
        priority=5,
        issued_at=NOW,
        expires_at=NOW,
        timeout_s=60,
    )


def cancel(command_id: UUID) -> Cancel:
    return Cancel(client_id="pda-1", cancel_id=uuid4(), command_id=command_id)


async def test_cancels_go_before_the_runs_that_they_are_about() -> None:
    one, asked = channel(), run()
    one.put(asked)
    one.put(stop := cancel(asked.command_id))

    assert await one.take(0) == [stop, asked]
    assert await one.take(0) == []


async def test_the_same_news_twice_is_taken_once_and_the_next_attempt_is_news() -> None:
    one, first = channel(), run()
    one.put(first)
    assert await one.take(0) == [first]
    one.put(first)
    assert await one.take(0) == []

    one.put(second := run(first.command_id, attempt=2))
    assert await one.take(0) == [second]


async def test_a_look_sends_again_only_what_was_sent_more_often_elsewhere() -> None:
    one, asked = channel(), run()
    key = key_of(asked)
    assert one.is_news(key, 1)
    one.put(asked)  # by dispatch, which does not say how often
    assert not one.is_news(key, 1)
    assert not one.is_news(key, 1)
    assert one.is_news(key, 2)


async def test_more_than_a_channel_holds_is_left_to_the_next_look() -> None:
    one = channel()
    many = [run() for _ in range(MOST_WAITING + 1)]
    for message in many:
        one.put(message)

    assert await one.take(0) == many[:-1]
    assert one.is_news(key_of(many[-1]), 1)


async def test_a_later_reader_sends_the_earlier_one_away_and_gets_what_comes() -> None:
    one = channel()
    earlier = asyncio.create_task(one.take(60))
    await asyncio.sleep(0)
    later = asyncio.create_task(one.take(60))
    assert await earlier == []

    one.put(asked := run())
    assert await later == [asked]


async def test_an_end_lets_the_reader_go_and_keeps_its_first_reason() -> None:
    one = channel()
    reader = asyncio.create_task(one.take(60))
    await asyncio.sleep(0)
    one.end("stopping")
    one.end("taken_over")

    assert await reader == []
    assert one.reason == "stopping"


async def test_what_was_put_is_known_until_what_it_is_about_has_ended() -> None:
    one, asked = channel(), run()
    assert not one.was_put(key_of(asked))
    one.put(asked, 1)
    assert one.was_put(key_of(asked))
    one.keep([key_of(asked)])
    assert one.was_put(key_of(asked))


class Looks(Channels):
    """Remembers what it has looked at."""

    def __init__(self) -> None:
        super().__init__(Database(NOBODY, size=4))
        self.looked: list[list[str]] = []

    async def look(self, channels: Sequence[Channel]) -> None:
        self.looked.append([channel.client_id for channel in channels])

    async def _stirred(self, channels: Sequence[Channel]) -> list[Channel]:
        return list(channels)


async def test_a_round_looks_at_each_channel_once_and_at_few_at_a_time() -> None:
    channels = Looks()
    ids = [f"pda-{number}" for number in range(2 * MOST_AT_A_LOOK + 1)]
    for client_id in ids:
        await channels.attach(Channel(client_id, "http:a", 1, b"", polled=False))
    channels.looked.clear()

    pauses = [await channels.look_at_some() for _ in range(3)]
    assert [len(each) for each in channels.looked] == [MOST_AT_A_LOOK, MOST_AT_A_LOOK, 1]
    assert sorted(name for each in channels.looked for name in each) == sorted(ids)
    assert sum(pauses) == pytest.approx(LOOK_S)

    # The next round; who has gone is no longer looked at.
    gone = channels.get(ids[-1])
    assert gone is not None
    await channels.look_at_some()
    await channels.look_at_some()
    channels.detach(gone)
    await channels.look_at_some()
    assert channels.looked[-1] == []
