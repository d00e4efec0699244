"""What routes declare: who may use them. Every route has exactly one of these, and a test holds it to that.

Each also holds the parameters against the route, once it is clear who asks.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from hub.api.lookup import parts_of
from hub.api.parameters import require_known
from hub.api.strangers import Counting, declaring
from hub.core.access.routes.cookies import PageRules, require_csrf_token, require_our_page
from hub.core.access.rules import Caller, Permission
from hub.core.access.rules.permissions import require_permission
from hub.core.access.service import Access
from hub.core.limits.service import Limits
from hub.errors import RejectedError
from hub.keys import hash_secret


@dataclass(frozen=True, slots=True)
class ClientAuthenticator:
    """Says whether a secret is that of a client, and which client's it is. Both raise RejectedError for a disabled one.
    The subject that keeps clients brings it."""

    authenticate: Callable[[str, str], Awaitable[bool]]
    find: Callable[[str], Awaitable[str | None]]


async def caller_of(access: Access, authorization: str, api_key: str, address: str | None) -> Caller:
    """Who asks, by the headers `Authorization` and `X-API-Key`; `admit` judges whether it may. Raises RejectedError
    `unauthorized`, and for an access token `invalid_token` or `token_expired`."""
    scheme, _, credentials = authorization.partition(" ")
    key = credentials.strip() if scheme.lower() == "bearer" else api_key
    if not key:
        raise RejectedError("unauthorized")
    return (await access.authenticate(key, address)).caller(address)


async def _principal(request: Request, permission: Permission) -> Caller:
    headers = request.headers
    authorization, api_key = headers.get("authorization", ""), headers.get("x-api-key", "")
    address = request.client.host if request.client else None
    access = parts_of(request).get(Access)
    # A cookie counts only alone: a browser adds it by itself, also where a program shows something else.
    if not authorization and not api_key and (cookie := parts_of(request).get(PageRules).cookie(request)):
        found = (await access.by_cookie(cookie)).caller(address)
        require_csrf_token(request, cookie)
    else:
        found = await caller_of(access, authorization, api_key, address)
    await admit(parts_of(request).get(Limits), request, found, permission)
    return found


async def admit(limits: Limits, request: Request, caller: Caller, permission: Permission) -> None:
    """Let a request of a caller who has shown who it is through, within its limits, once, and if it may do this. Raises
    RejectedError."""
    state = request.scope.setdefault("state", {})
    state["known"] = True
    headers = request.headers
    await limits.admit(
        state,
        caller.principal_id,
        caller.principal.kind,
        by_session=caller.session_id is not None,
        timestamp=headers.get("x-request-timestamp"),
        nonce=headers.get("x-request-nonce"),
    )
    require_permission(caller, permission)


async def _caller(request: Request, permission: Permission) -> Caller:
    try:
        return await _principal(request, permission)
    except RejectedError as refused:
        if refused.code != "unauthorized" or (client_id := await _client_by_any_key(request)) is None:
            raise
    # Who it is we know: what is wrong is where it asks.
    raise RejectedError("client_may_not", client_id=client_id)


async def _client_by_any_key(request: Request) -> str | None:
    """The client whose secret a request shows, in whatever way."""
    if shows_bearer(request) or "authorization" not in request.headers:
        key = _bearer(request) or request.headers.get("x-api-key", "")
        return await parts_of(request).get(ClientAuthenticator).find(key) if key else None
    try:
        return await _client(request)
    except RejectedError as refused:
        if refused.code != "unauthorized":
            raise
        return None


def _declared(
    dependency: Any, permission: Permission, *schemes: str, strangers: Counting = Counting.UNLESS_KNOWN
) -> Any:
    """A dependency with what the tests of declared permissions, the API's description, and the gate for strangers read
    of it."""
    dependency.permission = permission
    dependency.schemes = schemes
    return Depends(declaring(dependency, strangers))


def require(
    permission: Permission,
    *,
    person: bool = False,
    confirmed: bool = False,
    strangers: Counting = Counting.UNLESS_KNOWN,
) -> Any:
    """A dependency that lets only callers with this permission in, and gives the caller. `person`: only who has signed
    in, no key. `confirmed`: who has signed in must have given his password lately. `strangers`: which requests of
    callers without a valid key count against their address."""

    async def caller(request: Request) -> Caller:
        found = await _caller(request, permission)
        require_known(request)
        if person and found.session_id is None:
            raise RejectedError("people_only")
        if confirmed:
            require_confirmed(found)
        return found

    return _declared(caller, permission, "key", strangers=strangers)


def require_confirmed(caller: Caller) -> None:
    """Raise RejectedError `confirm_password` for a person who is about to do something dangerous, and has not given his
    password for a while. A key has none."""
    if not caller.confirmed:
        raise RejectedError("confirm_password")


MayRead = Annotated[Caller, require(Permission.READ)]
MayCommand = Annotated[Caller, require(Permission.COMMAND)]
MayDecide = Annotated[Caller, require(Permission.DECIDE)]
MayPair = Annotated[Caller, require(Permission.PAIR)]
MayUpload = Annotated[Caller, require(Permission.DOCUMENT)]
MayAdminister = Annotated[Caller, require(Permission.ADMINISTER)]
Confirmed = Annotated[Caller, require(Permission.ADMINISTER, confirmed=True)]
"""Who may administer, for what is dangerous: who may do what, and what cannot be taken back."""
Known = Annotated[Caller, require(Permission.SELF)]
SignedIn = Annotated[Caller, require(Permission.SELF, person=True)]


def public(strangers: Counting = Counting.ALWAYS) -> Any:
    """A dependency that declares a route open to anyone. `strangers`: which requests count against their address; as
    long as nothing else is said each does, since nobody looks at what it shows."""

    async def anyone(request: Request) -> None:
        require_known(request)

    return _declared(anyone, Permission.PUBLIC, strangers=strangers)


def public_unless_signed_in(permission: Permission) -> Any:
    """A dependency that declares a route open to anyone, but not to a page of another site, nor to a person who is
    signed in with this browser and has not this permission: what he was shown is not his to use."""

    async def anyone(request: Request) -> None:
        require_our_page(request)
        if not _shows_key(request) and parts_of(request).get(PageRules).cookie(request):
            try:
                await _principal(request, permission)
            except RejectedError as refused:
                if refused.code != "unauthorized":  # a session that has ended is nobody's
                    raise
        require_known(request)

    return _declared(anyone, Permission.PUBLIC, strangers=Counting.ALWAYS)


def _shows_key(request: Request) -> bool:
    return "authorization" in request.headers or "x-api-key" in request.headers


def client_only() -> Any:
    """A dependency for a route that only a client may use, with its own secret (HTTP Basic, or as a bearer key); gives
    its id."""

    async def who(request: Request) -> str:
        client_id = await _client(request)
        require_known(request)
        return client_id

    return _declared(who, Permission.CLIENT, "client")


def shows_bearer(request: Request) -> bool:
    """Whether a request shows a bearer key, and not a name with a secret."""
    return request.headers.get("authorization", "").partition(" ")[0].lower() == "bearer"


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").partition(" ")[2].strip() if shows_bearer(request) else ""


def _credentials(request: Request) -> tuple[str, str]:
    """Client and secret as the request shows them (HTTP Basic). Raises RejectedError where it shows none."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        raise RejectedError("unauthorized") from None
    if scheme.lower() != "basic":
        raise RejectedError("unauthorized")
    client_id, _, secret = text.partition(":")
    return client_id, secret


async def _client(request: Request) -> str:
    authenticator = parts_of(request).get(ClientAuthenticator)
    found: str | None
    if shows_bearer(request):
        found = await authenticator.find(_bearer(request))
    else:
        found, secret = _credentials(request)
        if not await authenticator.authenticate(found, secret):
            found = None
    if found is None:
        raise RejectedError("unauthorized")
    request.state.client_id = found
    return found


async def _shown_secret(request: Request) -> bytes:
    return hash_secret(_bearer(request) if shows_bearer(request) else _credentials(request)[1])


async def _is_by_bearer(request: Request) -> bool:
    return shows_bearer(request)


def client_or(permission: Permission) -> Any:
    """A dependency for a route that a client may use with its own secret (HTTP Basic, or as a bearer key), or a caller
    with a permission.

    Gives the client's id, or the other caller.
    """

    async def who(request: Request) -> str | Caller:
        if request.headers.get("authorization", "").partition(" ")[0].lower() != "basic":
            try:
                caller = await _principal(request, permission)
            except RejectedError as refused:
                if refused.code != "unauthorized" or not shows_bearer(request):
                    raise
            else:
                require_known(request)
                return caller
        client_id = await _client(request)
        require_known(request)
        return client_id

    return _declared(who, Permission.CLIENT, "key", "client")


ItsOwnId = Annotated[str, client_only()]
ShownSecret = Annotated[bytes, Depends(_shown_secret)]
"""SHA-256 of the secret that a client shows: it may have been replaced since the client was let in."""
ByBearer = Annotated[bool, Depends(_is_by_bearer)]
"""Whether a client shows its secret as a bearer key: programs that know nothing of sessions do."""
ClientOrReader = Annotated[str | Caller, client_or(Permission.READ)]
