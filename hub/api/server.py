"""The HTTP application: routes, limits, one line of log for each request."""

import time
from importlib.metadata import version
from uuid import uuid4

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import problems
from hub.api.routes import clients, commands, documents, operation
from hub.app import Hub
from hub.observability import Event, Log

MAX_BODY = 1024 * 1024
DESCRIPTION = """
Command the machines on the floor: printer PCs, PDAs, kiosks.

* Send `Authorization: Bearer KEY`. Times are UTC, ISO 8601. Fields are snake_case; camelCase is accepted.
* Errors are `application/problem+json` with a stable `code`, and say what to do, in Korean or English.
* An accepted command is never lost, its effect never happens twice, and what cannot be known is said to be `unknown`.
"""


def build(hub: Hub) -> FastAPI:
    """The application for a hub; whoever serves it starts and stops the hub."""
    app = FastAPI(
        title="Floorhub",
        summary="The hub from which print shops, warehouses and stores command their machines",
        description=DESCRIPTION,
        version=version("floorhub"),
        max_body_size=MAX_BODY,
        # An order system of some age may send JSON without saying so.
        strict_content_type=False,
        redoc_url=None,
    )
    app.state.hub = hub
    for module in (commands, clients, documents, operation):
        app.include_router(module.router)
    problems.install(app, hub.log)
    app.add_middleware(RequestLog, log=hub.log)
    return app


class RequestLog:
    """Gives each request an id, logs it with its duration, and answers with the id. Plain ASGI, for its cost."""

    def __init__(self, app: ASGIApp, log: Log) -> None:
        self._app = app
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
            self._log.info(
                Event.HTTP_REQUEST,
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration_ms=round((time.perf_counter() - began) * 1000, 2),
            )
            structlog.contextvars.unbind_contextvars("request_id")
