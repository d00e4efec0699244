"""The application behind HTTPS: passes each request to the hub, and the hub's answer back, part by part."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hub.api import problems
from hub.api.proxies import Network, caller
from hub.api.telemetry import METHODS
from hub.programs.edge import headers as fields
from hub.programs.edge.front import MQTT_PATH, Front
from hub.programs.edge.telemetry import Event, Metrics
from hub.programs.edge.upstream import AwayError, CutOffError, NoAnswerError, RefusedHeadError, Upstream
from hub.telemetry.log import Log

RETRY_S = 2
MOST = 1_900
"""Requests at a time, with streams. The hub takes 2,000, and those who call it on this machine must have room."""
_EVENTS = b"text/event-stream"
_SAFE = ("GET", "HEAD", "OPTIONS")
_METHODS = {method: method for method in METHODS}


class Forwarding:
    """Plain ASGI. Bounds of what callers send and how fast they read are those of `Front`."""

    def __init__(self, socket: Path, trusted: tuple[Network, ...], log: Log, metrics: Metrics) -> None:
        """`trusted`: whose `X-Forwarded-For` counts."""
        self._socket = socket
        self._under_way = 0
        self._trusted = trusted
        self._log = log
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        with self._counted(scope["method"], send) as answer:
            if scope["path"] == MQTT_PATH:
                headers = {"Upgrade": "websocket", "Connection": "upgrade"}
                await self._refuse("websocket_needed", scope, receive, answer, headers)
                return
            if self._under_way >= MOST:
                await self._refuse("overloaded", scope, receive, answer, {"Retry-After": "1", "Connection": "close"})
                return
            try:
                await self._exchange(scope, receive, answer)
            except AwayError:
                self._failed("away", scope)
                await self._refuse("hub_unreachable", scope, receive, answer, {"Retry-After": str(RETRY_S)})
            except NoAnswerError:
                self._failed("no_answer", scope)
                await self._refuse("hub_no_answer", scope, receive, answer)
            except CutOffError:
                # Only the end of the connection tells the caller that this is not all.
                self._failed("cut_off", scope)
                front: Front = scope["state"]["front"]
                front.cut()
            except RefusedHeadError:
                await self._refuse("bad_request", scope, receive, answer, {"Connection": "close"})

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        front: Front = scope["state"]["front"]
        try:
            if (kept := front.take_upstream()) is not None:
                try:
                    await self._over(kept, scope, receive, send)
                except NoAnswerError:
                    if kept.heard or scope["method"] not in _SAFE or front.transport.is_closing():
                        raise
                    # The hub ended a connection of before, and has not read this request.
                else:
                    return
            await self._over(await Upstream.open(self._socket), scope, receive, send)
        except (NoAnswerError, CutOffError):
            if not front.transport.is_closing():
                raise
            # It is the caller who has left.

    async def _over(self, upstream: Upstream, scope: Scope, receive: Receive, send: Send) -> None:
        front: Front = scope["state"]["front"]
        front.upstream = upstream  # which ends with the caller's connection
        self._under_way += 1
        try:
            self._send_head(upstream, scope)
            if _has_body(scope["headers"]):
                await self._both_ways(upstream, scope, receive, send)
            else:
                upstream.end()
                await self._answer(upstream, front, send)
        finally:
            self._under_way -= 1
            front.answers_without_end = False
            if front.upstream is upstream:
                front.keep_upstream()
            else:  # the next request of the connection has begun
                upstream.close()

    def _send_head(self, upstream: Upstream, scope: Scope) -> None:
        """Raises RefusedHeadError."""
        host, _ = scope["client"]
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        server = scope["server"][0] if scope["server"] else ""
        head = fields.for_the_api(scope["headers"], caller(host, forwarded, self._trusted), server)
        if not _asks_first(scope):
            head = [(name, value) for name, value in head if name != b"expect"]
        query = scope["query_string"]
        upstream.send_head(scope["method"].encode(), scope["raw_path"] + (b"?" + query if query else b""), head)

    async def _both_ways(self, upstream: Upstream, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body while the answer may come: the hub may answer before it has all of it."""
        sending = asyncio.create_task(self._send_body(upstream, scope, receive))
        answering = asyncio.create_task(self._answer(upstream, scope["state"]["front"], send))
        try:
            await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
            hung_up = sending.done() and sending.exception() is None and not sending.result()
            if not hung_up:
                await asyncio.wait({answering})  # also when the hub takes no more of the body: it may say why
        finally:
            for task in (sending, answering):
                task.cancel()
            await asyncio.wait({sending, answering})
            if not sending.cancelled():
                sending.exception()
        if not answering.cancelled():
            answering.result()

    @staticmethod
    async def _send_body(upstream: Upstream, scope: Scope, receive: Receive) -> bool:
        """Whether all of it came; the caller may hang up before. Raises OSError."""
        if _asks_first(scope):
            await upstream.goes_on.wait()
        whole = False

        async def part() -> bytes | None:
            nonlocal whole
            if whole:
                return None
            message = await receive()
            if message["type"] != "http.request":
                raise _HungUpError
            whole = not message.get("more_body", False)
            return bytes(message.get("body", b""))

        try:
            await upstream.send_body(part)
        except _HungUpError:
            return False
        return True

    @staticmethod
    async def _answer(upstream: Upstream, front: Front, send: Send) -> None:
        head = await upstream.head()
        front.answers_without_end = (b"content-type", _EVENTS) in _without_parameters(head.headers)
        start = {"type": "http.response.start", "status": head.status_code}
        await send({**start, "headers": fields.for_the_caller(head.headers)})
        async for part in upstream.body():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    @contextlib.contextmanager
    def _counted(self, method: str, send: Send) -> Iterator[Send]:
        status = "none"

        async def answer(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            yield answer
        finally:
            self._metrics.requests.labels(_METHODS.get(method, "other"), status).inc()

    def _failed(self, why: str, scope: Scope) -> None:
        self._metrics.upstream_failures.labels(why).inc()
        self._log.seldom(why).warning(Event.UPSTREAM_FAILED, reason=why, method=scope["method"])

    @staticmethod
    async def _refuse(
        code: str, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str] | None = None
    ) -> None:
        await problems.problem(Request(scope), code, {}, headers=headers)(scope, receive, send)


def _asks_first(scope: Scope) -> bool:
    """Whether the caller waits for `100 Continue`. HTTP/1.0 does not know what that is."""
    return scope["http_version"] != "1.0" and any(name == b"expect" for name, _ in scope["headers"])


def _without_parameters(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value.partition(b";")[0].strip()) for name, value in headers]


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in headers
    )


class _HungUpError(Exception):
    """The caller is gone."""
