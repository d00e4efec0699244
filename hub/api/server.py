"""The HTTP application: routes, limits, one line of log for each request."""

import asyncio
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from importlib.metadata import version
from uuid import uuid4

from fastapi import APIRouter, FastAPI, Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import openapi, problems, rate_limits, reference, safe_headers
from hub.api.edge import Edge
from hub.api.hosts import ANY, KnownHosts
from hub.api.origins import AllowedOrigins
from hub.api.proxies import TrustedProxies, networks
from hub.api.secret_paths import shown
from hub.api.telemetry import METHODS, Event, Metrics
from hub.parts import Parts
from hub.telemetry.log import Log, flush, of_request

MAX_BODY = 1024 * 1024
MOST_REQUESTS = 60
"""Lines a minute of requests without a key, for each status, and of each client."""
Gate = Callable[[ASGIApp, Sequence[BaseRoute]], ASGIApp]
"""Wraps what serves these routes."""
DESCRIPTION = """
Command the machines on the floor: printer PCs, PDAs, kiosks.

* Send `Authorization: Bearer KEY`. Times are UTC, ISO 8601. Fields are snake_case; camelCase is accepted.
* Errors are `application/problem+json` with a stable `code`, and say what to do, in Korean or English.
* An accepted command is never lost, its effect never happens twice, and what cannot be known is said to be `unknown`.
"""


def build(
    parts: Parts,
    routers: Sequence[APIRouter],
    fast_paths: Sequence[Callable[[ASGIApp], ASGIApp]] = (),
    trusted_proxies: Sequence[str] = (),
    *,
    gates: Sequence[Gate] = (),
    hosts: Sequence[str] = (ANY,),
    origins: Sequence[str] = (),
    local: bool = False,
) -> ASGIApp:
    """What is served for a hub; whoever serves it starts and stops the hub. `local`: also on a Unix socket."""
    app = application(parts, routers)
    routes = [*app.routes, *(route for router in routers for route in router.routes)]
    served: ASGIApp = Edge(TooLarge(app), routes)
    for fast_path in fast_paths:
        served = fast_path(served)
    for gate in gates:
        served = gate(served, routes)
    served = KnownHosts(served, hosts)
    if trusted_proxies or local:
        served = TrustedProxies(served, networks(trusted_proxies))
    if origins:
        served = AllowedOrigins(served, origins)
    return RequestLog(served, parts.get(Metrics), parts.get(Log))


def application(parts: Parts, routers: Sequence[APIRouter]) -> FastAPI:
    """The routes and their errors."""
    app = FastAPI(
        title="Floorhub",
        summary="The hub that sends commands to the machines of print shops, warehouses and stores",
        description=DESCRIPTION,
        version=version("floorhub"),
        max_body_size=MAX_BODY,
        # An order system of some age may send JSON without saying so.
        strict_content_type=False,
        docs_url=None,
        redoc_url=None,
        # It would name the host of the header `Host` and `http://`, also behind a proxy that ends TLS.
        redirect_slashes=False,
    )
    app.state.parts = parts
    for router in routers:
        app.include_router(router)
    openapi.install(app, routers)
    reference.install(app)
    problems.install(app, parts.get(Log))
    return app


_METHODS = {method: method for method in METHODS}


class RequestLog:
    """Gives each request an id, logs it with its duration, and answers with the id. Plain ASGI, for its cost."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: Log) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        of_request(request_id)
        began = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"] = list(message["headers"])
                headers.append((b"x-request-id", request_id.encode()))
                rate_limits.add_headers(headers, scope["state"])
                safe_headers.complete(headers)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            # The hub stops and waits no longer. What is under way may have been stored, or not.
            if not status:
                headers = {"Retry-After": "2", "Connection": "close"}
                await problems.problem(Request(scope), "stopped", {}, headers=headers)(scope, receive, answer)
        finally:
            took = time.perf_counter() - began
            self._metrics.requests.labels(_METHODS.get(scope["method"], "other"), str(status)).inc()
            self._metrics.request_duration.observe(took)
            state = scope["state"]
            log = self._log
            if "known" not in state or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                # A stranger may ask without end, a client too; and an outage answers everybody so.
                log = log.seldom(state.get("client_id"), status, most=MOST_REQUESTS)
            log.info(
                Event.HTTP_REQUEST,
                method=scope["method"],
                path=shown(scope["path"]),
                status=status,
                duration_ms=round(took * 1000, 2),
            )
            flush()
            of_request(None)


class TooLarge:
    """Turns the framework's bare text for a body over the limit, which no handler of ours sees, into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        replaced = False

        async def answer(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                media_type = dict(message["headers"]).get(b"content-type", b"")
                if media_type != problems.MEDIA_TYPE.encode():
                    replaced = True
                    await problems.problem(Request(scope), "body_too_large", {})(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, answer)
