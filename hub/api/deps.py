"""What routes need: the hub's parts, who asks, and whether he may."""

import base64
import binascii
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from hub.app import Hub
from hub.core.access.rules import Permission as Permission
from hub.core.access.rules import may
from hub.core.commands.service.submission import Caller
from hub.errors import RejectedError


def hub_of(request: Request) -> Hub:
    """The hub that serves this request."""
    return cast("Hub", request.app.state.hub)


async def _hub(request: Request) -> Hub:
    # A coroutine, although it waits for nothing: the framework runs plain functions in a thread, which costs more than
    # the rest of a request.
    return hub_of(request)


HubDep = Annotated[Hub, Depends(_hub)]


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None


async def caller_of(hub: Hub, authorization: str, api_key: str, address: str | None, permission: Permission) -> Caller:
    """Who asks, by the headers `Authorization` and `X-API-Key`. Raises RejectedError `unauthorized` or `forbidden`."""
    scheme, _, credentials = authorization.partition(" ")
    key = credentials.strip() if scheme.lower() == "bearer" else api_key
    if not key:
        raise RejectedError("unauthorized")
    principal = await hub.access.authenticate(key)
    if not may(principal.role, permission):
        raise RejectedError("forbidden")
    return Caller(principal, address)


async def _caller(request: Request, permission: Permission) -> Caller:
    headers = request.headers
    authorization, api_key = headers.get("authorization", ""), headers.get("x-api-key", "")
    return await caller_of(hub_of(request), authorization, api_key, _address(request), permission)


def require(permission: Permission) -> Any:
    """A dependency that lets only callers with this permission in, and gives the caller."""

    async def caller(request: Request) -> Caller:
        return await _caller(request, permission)

    caller.permission = permission  # type: ignore[attr-defined]  # read by the test of declared permissions
    return Depends(caller)


def public() -> Any:
    """A dependency that declares a route open to anyone."""

    async def anyone() -> None:
        return None

    anyone.permission = Permission.PUBLIC  # type: ignore[attr-defined]
    return Depends(anyone)


def client_only() -> Any:
    """A dependency for a route that only a client may use, with its own secret (HTTP Basic); gives its id."""

    async def who(request: Request) -> str:
        return await _client(request)

    who.permission = Permission.CLIENT  # type: ignore[attr-defined]
    return Depends(who)


async def _client(request: Request) -> str:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        raise RejectedError("unauthorized") from None
    client_id, _, secret = text.partition(":")
    if scheme.lower() != "basic" or not await hub_of(request).clients.authenticate(client_id, secret):
        raise RejectedError("unauthorized")
    return client_id


def client_or(permission: Permission) -> Any:
    """A dependency for a route that a client may use with its own secret (HTTP Basic), or a caller with a permission.

    Gives the client's id, or None for the other caller.
    """

    async def who(request: Request) -> str | None:
        if request.headers.get("authorization", "").partition(" ")[0].lower() != "basic":
            await _caller(request, permission)
            return None
        return await _client(request)

    who.permission = Permission.CLIENT  # type: ignore[attr-defined]
    return Depends(who)
