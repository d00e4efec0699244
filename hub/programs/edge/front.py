"""HTTP with those who call from the network: the hub's own protocol with its bounds, and `/mqtt` beside it."""

import asyncio
from collections.abc import Callable
from typing import Any

from hub.api.protocol import BoundedHttp
from hub.programs.edge.admission import State, Visit
from hub.programs.edge.upstream import Upstream

MQTT_PATH = "/mqtt"
KEPT_S = 5.0
"""How long a connection to the hub waits for the next request of its caller. The hub ends idle ones later."""

TakeOver = Callable[["Front", bytes], None]


class Front(BoundedHttp):
    """One connection; its requests go to the application, which finds it in the scope's state as `front`."""

    def __init__(self, *args: Any, visit: Visit, take_over: TakeOver, **options: Any) -> None:
        """`take_over` goes on with a connection that asks for a WebSocket at `/mqtt`."""
        super().__init__(*args, **options)
        self.visit = visit
        self._take_over = take_over
        self.upstream: Upstream | None = None
        """The connection to the hub on which a request of this one is under way."""
        self.answers_without_end = False
        """The answer that is under way is a stream of events."""
        self._kept: Upstream | None = None
        self._kept_until: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # What the connection is, also when it has gone by the time that somebody asks.
        self.client = (self.visit.address, self.client[1] if self.client else 0)
        self.visit.closes_by(transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self.visit.end()
        self._drop_kept()
        if self.upstream is not None:
            self.upstream.close()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # as the hub's
        # TLS knows no connection of which one half is closed: what is under way ends with it.
        super().eof_received()
        return False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["front"] = self

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if not self._in_head:
            self.visit.becomes(State.BUSY)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.pipeline and (self.cycle is None or self.cycle.response_complete):
            self.visit.becomes(State.IDLE)

    def takes_offer(self) -> bool:
        path, _, _ = self.url.partition(b"?")
        names = {name for name, _ in self.headers}
        offered = [value.strip().lower() for name, value in self.headers if name == b"upgrade"]
        return (
            path == MQTT_PATH.encode()
            and self.parser.get_method() == b"GET"
            and offered == [b"websocket"]
            and not names & {b"content-length", b"transfer-encoding"}
            and (self.cycle is None or self.cycle.response_complete)
        )

    def switch(self, data: bytes) -> None:
        self.connections.discard(self)
        self._end_wait()
        self._end_answer_wait()
        self._unset_keepalive_if_required()
        self._take_over(self, data)

    def take_upstream(self) -> Upstream | None:
        """The connection of the request before, if it still stands."""
        kept, self._kept = self._kept, None
        if self._kept_until is not None:
            self._kept_until.cancel()
        if kept is not None and not kept.stands:
            kept.close()
            return None
        return kept

    def keep_upstream(self) -> None:
        """A request is over: its connection serves the next one, if there is one soon."""
        upstream, self.upstream = self.upstream, None
        if upstream is None:
            return
        if self.transport.is_closing() or not upstream.renew():
            upstream.close()
            return
        self._kept = upstream
        self._kept_until = self.loop.call_later(KEPT_S, self._drop_kept)

    def _drop_kept(self) -> None:
        if (kept := self.take_upstream()) is not None:
            kept.close()

    def shutdown(self) -> None:
        super().shutdown()
        if self.answers_without_end:
            self.cut()  # nothing but its reader would end it

    def cut(self) -> None:
        """End a connection whose answer cannot be completed."""
        self.cycle.disconnected = True
        self.transport.abort()
