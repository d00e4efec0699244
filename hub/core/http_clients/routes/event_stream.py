"""The answer that stays open: messages of a channel as server-sent events."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from hub.core.http_clients.service.channels import Channel, key_of
from schemas.codec import encode
from schemas.messages import Cancel, Run

KEEP_ALIVE_S = 15.0
CLOSE_PATIENCE_S = 2.0
"""How long a stream that has ended may take to say so to somebody who does not read."""


class EventStream(Response):
    """Serves a channel until it ends, the caller hangs up, or `most_s` are over; then calls `closed` once.

    A caller who reads slowly holds up this stream only: what is dispatched meanwhile waits in the channel, which is
    bounded, and where it does not fit a lease brings it again.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        channel: Channel,
        closed: Callable[[Channel, bool], Awaitable[None]],
        *,
        most_s: float | None,
        written: Callable[[Run | Cancel], bytes] | None = None,
        alive: Callable[[], None] | None = None,
    ) -> None:
        """`closed` hears whether the caller hung up. `written`: a message as an event. `alive` is called whenever
        something went out, at least every `KEEP_ALIVE_S` seconds."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._channel = channel
        self._closed = closed
        self._most_s = most_s
        self._written = written or event
        self._alive = alive or (lambda: None)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it."""
        channel = self._channel
        listening = asyncio.create_task(_hear_hang_up(channel, receive), name="stream-hang-up")
        writing = asyncio.create_task(self._write(send), name="stream")
        over = asyncio.create_task(channel.over.wait(), name="stream-over")
        try:
            await asyncio.wait({writing, over}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({writing}, timeout=CLOSE_PATIENCE_S)
        finally:
            for task in (listening, writing, over):
                task.cancel()
            await asyncio.shield(self._closed(channel, channel.reason == HUNG_UP))
        if writing.done() and not writing.cancelled():
            writing.result()

    async def _write(self, send: Send) -> None:
        channel, loop = self._channel, asyncio.get_running_loop()
        until = loop.time() + self._most_s if self._most_s is not None else float("inf")
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send(_part(b": open\n\n"))
        while not channel.over.is_set() and (left := until - loop.time()) > 0:
            messages = await channel.take(min(KEEP_ALIVE_S, left))
            if messages:
                await send(_part(b"".join(map(self._written, messages))))
            elif not channel.over.is_set():
                await send(_part(b": keep-alive\n\n"))
            self._alive()
        await send(_part(f": {channel.reason or 'time is up'}\n\n".encode(), more=False))


HUNG_UP = "hung_up"


async def _hear_hang_up(channel: Channel, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    channel.end(HUNG_UP)


def _part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def command_event(data: Mapping[str, Any]) -> bytes:
    """An event for a client that knows only its key."""
    return b"event: command\nid: %s\ndata: %s\n\n" % (str(data["id"]).encode(), msgspec.json.encode(data))


def event(message: Run | Cancel) -> bytes:
    """One event. Its JSON has no line breaks."""
    kind, command_id, attempt = key_of(message)
    event_id = f"{command_id}.{attempt}" if isinstance(message, Run) else str(message.cancel_id)
    return b"event: %s\nid: %s\ndata: %s\n\n" % (kind.encode(), event_id.encode(), encode(message))
