"""The HTTP application: routes, limits, one line of log for each request."""

import time
from http import HTTPStatus
from importlib.metadata import version
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import problems, reference
from hub.app import Hub
from hub.core.clients.routes import clients, groups
from hub.core.commands.routes import commands
from hub.core.commands.routes.fast_path import ShortWay
from hub.core.documents.routes import documents, uploads
from hub.core.http_clients.routes import device
from hub.features.action_policies import routes as actions
from hub.features.batches import routes as batches
from hub.features.dead_letters import routes as dead_letters
from hub.features.explain import routes as explaining
from hub.features.monitoring import routes as operation
from hub.features.schedules import routes as schedules
from hub.telemetry.log import Event, Log
from hub.telemetry.metrics import Metrics

ROUTES = (
    *(commands, explaining, dead_letters, batches, schedules, clients, groups, documents, operation, uploads, device),
    actions,
)
"""Modules whose `router` is served."""
MAX_BODY = 1024 * 1024
DESCRIPTION = """
Command the machines on the floor: printer PCs, PDAs, kiosks.

* Send `Authorization: Bearer KEY`. Times are UTC, ISO 8601. Fields are snake_case; camelCase is accepted.
* Errors are `application/problem+json` with a stable `code`, and say what to do, in Korean or English.
* An accepted command is never lost, its effect never happens twice, and what cannot be known is said to be `unknown`.
"""


def build(hub: Hub) -> ASGIApp:
    """What is served for a hub; whoever serves it starts and stops the hub."""
    return RequestLog(ShortWay(TooLarge(application(hub)), hub), hub.metrics, hub.log)


def application(hub: Hub) -> FastAPI:
    """The routes and their errors."""
    app = FastAPI(
        title="Floorhub",
        summary="The hub from which print shops, warehouses and stores command their machines",
        description=DESCRIPTION,
        version=version("floorhub"),
        max_body_size=MAX_BODY,
        # An order system of some age may send JSON without saying so.
        strict_content_type=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.hub = hub
    for module in ROUTES:
        app.include_router(module.router)
    reference.install(app)
    problems.install(app, hub.log)
    return app


_METHODS = {method: method for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}


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
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            took = time.perf_counter() - began
            self._metrics.requests.labels(_METHODS.get(scope["method"], "other"), str(status)).inc()
            self._metrics.request_duration.observe(took)
            self._log.info(
                Event.HTTP_REQUEST,
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration_ms=round(took * 1000, 2),
            )
            structlog.contextvars.unbind_contextvars("request_id")


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
