"""`POST /api/commands` past the framework, for its cost: half of what the hub did for a command was done there.

Only a request that is plainly right is served here, by the same models and the same function as the route; whatever
else comes in, wrong or merely unusual, goes the slow path with its body, where all its errors have their home. A test
compares the answers of both.
"""

import re
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import problems
from hub.api.parameters import SINGLE_HEADERS
from hub.core.access.routes import admit, caller_of
from hub.core.access.rules import Permission
from hub.core.access.service import Access
from hub.core.commands.routes.commands import Acceptor
from hub.core.commands.shapes import CommandInput
from hub.core.limits.service import Limits
from hub.errors import HubError, RejectedError
from hub.telemetry.log import Log
from schemas import json_keys

PATH = "/api/commands"
MAX_BODY = 64 * 1024
"""Bytes; what is larger takes the slow path, which has the limit."""
_WAIT = re.compile(rb"wait=(0|[1-9]\d?)")
_KEY = re.compile(rb"[\x21-\x7e]{1,200}")
_TRACEPARENT = re.compile(rb"[0-9a-f-]{1,100}")
_JSON = (b"", b"application/json", b"application/json; charset=utf-8")
_MAX_WAIT_S = 60.0


class _UnusualError(Exception):
    """Not a request for the fast path."""


class FastPath:
    """Serves the hottest route itself and passes everything else on."""

    def __init__(self, app: ASGIApp, acceptor: Acceptor, access: Access, limits: Limits, log: Log) -> None:
        self._app = app
        self._acceptor = acceptor
        self._access = access
        self._limits = limits
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        messages: list[Message] = []
        try:
            asked = _Asked(scope, await _body(receive, messages))
        except _UnusualError:
            await self._app(scope, _again(messages, receive), send)
            return
        request = Request(scope, receive)
        response: Response
        try:
            response = await self._answer(asked, request)
        except _UnusualError:
            await self._app(scope, _again(messages, receive), send)
            return
        except HubError as error:
            response = problems.of_hub_error(request, error)
        except Exception as error:  # noqa: BLE001 - logged, and answered as every other bug
            response = problems.of_bug(request, error, self._log)
        await response(scope, receive, send)

    async def _answer(self, asked: "_Asked", request: Request) -> Response:
        address = request.client.host if request.client else None
        try:
            caller = await caller_of(self._access, asked.authorization, asked.api_key, address)
        except RejectedError as refused:
            if refused.code != "unauthorized":
                raise
            # Whose key it is after all is said by the slow path. Only before anything is stored: a wait that ends
            # because its key was revoked must not store its command once more.
            raise _UnusualError from None
        await admit(self._limits, request, caller, Permission.COMMAND)
        return await self._acceptor.accept(
            caller,
            asked.command,
            asked.body,
            wait=asked.wait,
            idempotency_key=asked.idempotency_key,
            traceparent=asked.traceparent,
            request=request,
        )


class _Asked:
    """What a request says. Raises _UnusualError for anything that the slow path might see in another light."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        self.body = body
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in headers and name in SINGLE_HEADERS:
                raise _UnusualError
            headers[name] = value
        if headers.get(b"content-type", b"").lower() not in _JSON:
            raise _UnusualError
        self.authorization = headers.get(b"authorization", b"").decode("latin-1")
        self.api_key = headers.get(b"x-api-key", b"").decode("latin-1")
        self.idempotency_key = _matching(_KEY, headers.get(b"idempotency-key"))
        self.traceparent = _matching(_TRACEPARENT, headers.get(b"traceparent"))
        self.wait = _wait(scope["query_string"])
        try:
            decoded: Any = msgspec.json.decode(body)
            self.command = CommandInput.model_validate(decoded)
            repeats = not json_keys.is_plainly_unique(body, decoded) and bool(json_keys.loads(body)[1])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise _UnusualError from None
        if repeats:
            raise _UnusualError


def _matching(pattern: re.Pattern[bytes], value: bytes | None) -> str | None:
    if value is None:
        return None
    if not pattern.fullmatch(value):
        raise _UnusualError
    return value.decode("ascii")


def _wait(query: bytes) -> float:
    if not query:
        return 0.0
    match = _WAIT.fullmatch(query)
    if match is None or (wait := float(match[1])) > _MAX_WAIT_S:
        raise _UnusualError
    return wait


async def _body(receive: Receive, messages: list[Message]) -> bytes:
    """The whole body; `messages` keeps what was received for the slow path."""
    size = 0
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            raise _UnusualError
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise _UnusualError
        if not message.get("more_body", False):
            return message.get("body", b"") if len(messages) == 1 else b"".join(m.get("body", b"") for m in messages)


def _again(messages: list[Message], receive: Receive) -> Receive:
    """A `receive` that first gives what was received before."""
    waiting = iter(messages)

    async def again() -> Message:
        for message in waiting:
            return message
        return await receive()

    return again
