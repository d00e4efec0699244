"""Channels to clients that speak HTTP: what waits for a stream or a poll of this process.

What dispatch of this process sends comes at once. Besides, each channel is looked after twice a second: what was handed
out and has not been sent here is sent, also when another process claimed it or its lease ran out there. So a channel
may be lost at any moment, and nothing is kept but memory: leases and the look bring everything again. Of the idle ones
the database is asked first whether there is anything: a thousand full looks took 6 % of a processor.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from uuid import UUID

from hub.core.http_clients import store as store
from hub.core.http_clients.store import Known, Present
from hub.core.presence.rules.presence import SILENCE
from hub.database.engine import Database
from hub.errors import UnavailableError
from schemas.messages import Cancel, Receipt, Run, Welcome

LOOK_S = 0.5
MOST_AT_A_LOOK = 50
"""Channels: a look at a thousand held up every request of this process for 15 ms."""
MOST_ASKED_FOR = 250
"""Idle channels at a time."""
MOST_CHANNELS = 1_000
"""In one process; the HTTP server takes 2,000 connections in all."""
MOST_WAITING = 64
"""Messages that wait in one channel; a client holds 16 commands, and some urgent ones."""
RECENT_S = 2.0
"""What was sent so shortly before is not sent again: the first lease lasts longer, so that it is the same news."""
POLL_MEMORY_S = SILENCE.total_seconds()
"""How long a channel waits for the next poll."""

Key = tuple[str, UUID, int]


@dataclass(frozen=True, slots=True)
class _Sent:
    """How often a message had been sent, by the database's count, when it was put here; None: not looked yet."""

    sends: int | None
    at: float


class Channel:
    """What waits for one connection of one session. It ends once, with a reason."""

    def __init__(
        self,
        client_id: str,
        session: str,
        connection: int,
        secret_sha256: bytes,
        *,
        polled: bool,
        once: bool = False,
    ) -> None:
        """`once`: its client carries out whatever comes, so that each attempt comes once, and no cancel."""
        self.client_id = client_id
        self.session = session
        self.connection = connection
        self.secret_sha256 = secret_sha256
        self.polled = polled
        self.once = once
        self.known = Known(client_id, session, connection, secret_sha256.hex())
        """For looks by the hundred."""
        self.over = asyncio.Event()
        self.reason = ""
        self.read_at = asyncio.get_running_loop().time()
        self._waiting: dict[Key, Run | Cancel] = {}
        self._sent: dict[Key, _Sent] = {}
        self._news = asyncio.Event()
        self._reader = 0

    def is_silent(self, now: float) -> bool:
        """Whether its next poll does not come."""
        return self.polled and now - self.read_at >= POLL_MEMORY_S

    def is_idle(self, now: float) -> bool:
        """Whether nothing has passed here that a look might have to follow."""
        return not (self.over.is_set() or self.is_silent(now) or self._sent or self._waiting)

    def end(self, reason: str) -> None:
        """No more comes of it; idempotent."""
        if not self.over.is_set():
            self.reason = reason
            self.over.set()
            self._news.set()

    def put(self, message: Run | Cancel, sends: int | None = None) -> None:
        """Let a message wait, unless it was sent just now or there is no room: then it comes by a later look."""
        key, now = key_of(message), asyncio.get_running_loop().time()
        known = self._sent.get(key)
        if known is not None and now - known.at < RECENT_S:
            self._sent[key] = replace(known, sends=sends)
            return
        if key not in self._waiting and len(self._waiting) >= MOST_WAITING:
            return
        self._waiting[key] = message
        self._sent[key] = _Sent(sends, now)
        self._news.set()

    def is_news(self, key: Key, sends: int) -> bool:
        """Whether a message that was sent so often, by the database's count, has to be put here."""
        known = self._sent.get(key)
        if known is None:
            return True
        if known.sends is None:  # put by dispatch, which does not know the count
            self._sent[key] = replace(known, sends=sends)
            return False
        return sends > known.sends

    def was_put(self, key: Key) -> bool:
        """Whether a message was put here before; forgotten once what it is about has ended."""
        return key in self._sent

    def keep(self, keys: Iterable[Key]) -> None:
        """Forget all messages but these: what they were about has ended."""
        wanted = set(keys)
        loop_time = asyncio.get_running_loop().time()
        for key, sent in list(self._sent.items()):
            if key not in wanted and loop_time - sent.at >= RECENT_S:
                del self._sent[key]
                self._waiting.pop(key, None)

    async def take(self, wait_s: float) -> list[Run | Cancel]:
        """What waits, cancels first; waits for the first message at most so long. A later reader goes first."""
        loop = asyncio.get_running_loop()
        self._reader += 1
        mine, until = self._reader, loop.time() + wait_s
        self._news.set()  # an earlier reader leaves
        while True:
            self._news.clear()
            if mine != self._reader or self.over.is_set():
                return []
            if self._waiting:
                break
            try:
                async with asyncio.timeout_at(until):
                    await self._news.wait()
            except TimeoutError:
                break
        taken, self._waiting = list(self._waiting.values()), {}
        self.read_at = loop.time()
        return sorted(taken, key=lambda message: isinstance(message, Run))


def key_of(message: Run | Cancel) -> Key:
    """What makes a message the same one again."""
    if isinstance(message, Run):
        return "run", message.command_id, message.attempt
    return "cancel", message.command_id, 0


class Channels:
    """The channels of this process, one for each client."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[str, Channel] = {}
        self._due: set[str] = set()
        self._looks: set[asyncio.Task[None]] = set()
        self._to_look_at: list[Channel] = []
        """The rest of the present round over all channels."""
        self._with_news: list[Channel] = []
        """Those of them that a look may have something for."""
        self._pause_s = LOOK_S
        self._stopping = False

    def get(self, client_id: str) -> Channel | None:
        """The client's channel, if it has one here."""
        return self._open.get(client_id)

    def check_room(self, client_id: str) -> None:
        """Raises UnavailableError when there is no room for a channel of this client, or the hub stops."""
        if self._stopping:
            raise UnavailableError("stopping", retry_after_s=1)
        if client_id not in self._open and len(self._open) >= MOST_CHANNELS:
            raise UnavailableError("overloaded", retry_after_s=5)

    async def attach(self, channel: Channel) -> None:
        """Open a channel in place of the one that the client has, and fill it with what the client holds."""
        self.check_room(channel.client_id)
        former = self._open.get(channel.client_id)
        if former is not None and former is not channel:
            former.end("taken_over")
        self._open[channel.client_id] = channel
        await self.look([channel])

    def detach(self, channel: Channel) -> None:
        """Forget a channel."""
        if self._open.get(channel.client_id) is channel:
            del self._open[channel.client_id]

    def put(self, message: Run | Cancel) -> bool:
        """Send by the client's channel; False when it has none here."""
        channel = self._open.get(message.client_id)
        if channel is None or channel.over.is_set():
            return False
        if channel.once:
            self._look_soon(channel)  # Dispatch may mean it again; the database says whether it has to go out.
        else:
            channel.put(message)
        return True

    def _look_soon(self, channel: Channel) -> None:
        if channel.client_id not in self._due:
            self._due.add(channel.client_id)
            task = asyncio.create_task(self._look_now(channel), name="channel-look")
            self._looks.add(task)
            task.add_done_callback(self._looks.discard)

    async def _look_now(self, channel: Channel) -> None:
        self._due.discard(channel.client_id)
        with contextlib.suppress(UnavailableError):  # the next look at all finds the same
            await self.look([channel])

    def stop(self) -> None:
        """End all channels, and open no more: the hub stops."""
        self._stopping = True
        for channel in self._open.values():
            channel.end("stopping")

    async def look_at_some(self) -> float:
        """Look after some of the channels; the pause before the next ones, so that each is looked after every `LOOK_S`
        seconds. Raises UnavailableError."""
        if not self._with_news:
            self._to_look_at = self._to_look_at or list(self._open.values())
            some, self._to_look_at = self._to_look_at[:MOST_ASKED_FOR], self._to_look_at[MOST_ASKED_FOR:]
            self._with_news = await self._stirred(some)
            steps = max(1, ceil(len(self._with_news) / MOST_AT_A_LOOK))
            self._pause_s = LOOK_S * len(some) / max(1, len(self._open)) / steps if some else LOOK_S
        some, self._with_news = self._with_news[:MOST_AT_A_LOOK], self._with_news[MOST_AT_A_LOOK:]
        await self.look([channel for channel in some if self._open.get(channel.client_id) is channel])
        return min(self._pause_s, LOOK_S)

    async def _stirred(self, channels: Sequence[Channel]) -> list[Channel]:
        """Of these channels those that a look may have something for."""
        now = asyncio.get_running_loop().time()
        idle = [channel for channel in channels if channel.is_idle(now)]
        if not idle:
            return list(channels)
        async with self._database.connection() as connection:
            stirred = await store.stirred(connection, [channel.known for channel in idle])
        return [channel for channel in channels if not channel.is_idle(now) or channel.client_id in stirred]

    async def look(self, channels: Sequence[Channel]) -> None:
        """End the channels whose time is over, and put into the others what was not sent there. Raises
        UnavailableError."""
        now = asyncio.get_running_loop().time()
        for channel in channels:
            if channel.is_silent(now):
                channel.end("silent")
        living = {channel.client_id: channel for channel in channels if not channel.over.is_set()}
        if living:
            async with self._database.connection() as connection:
                present = await store.present(connection, list(living))
                for client_id, channel in living.items():
                    if reason := _ending(channel, present.get(client_id)):
                        channel.end(reason)
                rows = await store.held(connection, list(living))
                missing: dict[UUID, int] = {}
                kept: dict[str, list[Key]] = {client_id: [] for client_id in living}
                for row in rows:
                    channel = living[row.client_id]
                    run, cancel = ("run", row.id, row.attempt), ("cancel", row.id, 0)
                    kept[channel.client_id] += [run, cancel]
                    if channel.once:
                        if not (row.cancelled or row.unknown or channel.was_put(run)):
                            missing[row.id] = row.sends
                        continue
                    if row.cancelled:
                        if row.cancel_id is None:
                            continue  # Its cancel goes first, and dispatch is about to name it.
                        if channel.is_news(cancel, row.cancel_sends):
                            asked = Cancel(client_id=channel.client_id, cancel_id=row.cancel_id, command_id=row.id)
                            channel.put(asked, row.cancel_sends)
                    if channel.is_news(run, row.sends):
                        missing[row.id] = row.sends
                for message in await store.runs(connection, list(missing)) if missing else ():
                    living[message.client_id].put(message, missing[message.command_id])
            for client_id, keys in kept.items():
                living[client_id].keep(keys)
        for channel in channels:
            if channel.over.is_set():
                self.detach(channel)


def _ending(channel: Channel, present: Present | None) -> str | None:
    """Why a channel has to end; None: it goes on."""
    if present is None or present.secret_sha256 != channel.secret_sha256:
        return "secret_rotated"
    if present.session != channel.session or present.connection > channel.connection:
        return "taken_over"
    if present.keep_away is not None:
        return "fenced"
    return None if present.here else "offline"


class ChannelRoute:
    """Implements `signals.publishing.Route`: to the channel of a client that has one here."""

    def __init__(self, channels: Channels, *, is_http: Callable[[str], bool]) -> None:
        """`is_http` says of a session whether its client speaks HTTP."""
        self._channels = channels
        self._is_http = is_http

    def run(self, run: Run) -> bool:
        """Send one attempt."""
        return self._channels.put(run)

    def cancel(self, cancel: Cancel) -> bool:
        """Send a cancel."""
        return self._channels.put(cancel)

    def receipt(self, _receipt: Receipt) -> bool:
        """Reports that came over HTTP have their receipt in the answer; those of the broker get theirs there."""
        return False

    def welcome(self, welcome: Welcome) -> bool:
        """Over HTTP the answer to the request answers a birth."""
        return self._is_http(welcome.session)
