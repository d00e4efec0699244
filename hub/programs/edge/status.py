"""Health, readiness and figures of the edge itself, for whoever looks after this machine; on loopback, without TLS."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.api import problems
from hub.api.answers import json_answer
from hub.telemetry.metrics import Meters
from schemas.version import installed_version

LOOK_S = 3.0
"""For each look at the hub and the broker."""

Check = Callable[[], Awaitable[str]]


class Status:
    """Plain ASGI: `/health`, `/health/ready` and `/metrics`, as the hub has them."""

    def __init__(self, checks: Mapping[str, Check], meters: Meters, look: Callable[[], None]) -> None:
        """`checks` answer `ok` or what is wrong; `look` sets the gauges."""
        self._checks = checks
        self._meters = meters
        self._look = look

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] not in ("GET", "HEAD"):
            answer: Response = problems.problem(
                Request(scope), "method_not_allowed", {}, headers={"Allow": "GET, HEAD"}
            )
        elif scope["path"] == "/health":
            answer = json_answer({"status": "ok", "version": installed_version()})
        elif scope["path"] == "/health/ready":
            found = dict(
                zip(self._checks, await asyncio.gather(*(run() for run in self._checks.values())), strict=True)
            )
            is_ready = all(state == "ok" for state in found.values())
            status = "ready" if is_ready else "not_ready"
            answer = json_answer({"status": status, "checks": found}, 200 if is_ready else 503)
        elif scope["path"] == "/metrics":
            self._look()
            answer = Response(self._meters.render(), media_type=CONTENT_TYPE_LATEST)
        else:
            answer = problems.problem(Request(scope), "not_found", {})
        await answer(scope, receive, send)


async def hub_state(socket: Path) -> str:
    """Whether the hub answers at its socket that it is alive."""
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(LOOK_S):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(request)
                return "ok" if b" 200 " in await reader.readline() else "failing"
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return "unreachable"


async def broker_state(host: str, port: int) -> str:
    """Whether somebody listens at the broker's port."""
    try:
        async with asyncio.timeout(LOOK_S):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
    except (OSError, TimeoutError):
        return "unreachable"
    return "ok"
