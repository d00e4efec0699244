"""Signing in and out, one's sessions and one's password. No answer of these may be kept by whatever stands between."""

import contextlib
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header, Path, Request, Response
from pydantic import BaseModel

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails, fails_only
from hub.core.access.routes.cookies import PageRules, is_plain, require_csrf_token, require_our_page
from hub.core.access.routes.require import Known, SignedIn, caller_of, public
from hub.core.access.service import Access
from hub.core.access.service.first_link import FirstLink
from hub.core.access.service.people import People
from hub.core.access.service.sessions import PageSession, Sessions, TokenPair, Visitor, csrf_token
from hub.core.access.service.tokens import LASTS_S
from hub.core.access.shapes.people import (
    Confirmation,
    FirstAdministrator,
    FirstAdministratorState,
    LinkSpent,
    PagePrincipal,
    PageSignedIn,
    PasswordChange,
    Refresh,
    SessionList,
    SessionOutput,
    SignIn,
    SignOut,
    Tokens,
    WhoAmI,
)
from hub.errors import RejectedError

router = Routes("auth", "Sign in and out; your sessions and your password.")
Anyone = Annotated[None, public()]
AccessDep = Annotated[Access, part(Access)]
PeopleDep = Annotated[People, part(People)]
RulesDep = Annotated[PageRules, part(PageRules)]
SessionsDep = Annotated[Sessions, part(Sessions)]
SessionHeader = Annotated[
    Literal["page", "token"] | None,
    Header(alias="X-Floorhub-Session", description="`page`: the same as `session` in the body."),
]
_ALWAYS = {"Cache-Control": "no-store"}


@router.post(
    "/api/auth/login",
    response_model=None,
    summary="Sign in",
    description="Answers a program with an access token (15 minutes) and a refresh token (24 hours). With `session`: "
    "`page` it answers with a cookie, which scripts cannot read, and the token that every changing request shows in "
    "`X-CSRF-Token`; over HTTPS only, but for a hub on the browser's own machine.",
    responses={
        200: {"model": Tokens | PageSignedIn, "description": "Tokens, or with `session`: `page` a page's session."},
        **fails_only(400, 401, 403, 413, 415, 422, 429, 503),
    },
)
async def sign_in(
    body: SignIn,
    request: Request,
    sessions: SessionsDep,
    people: PeopleDep,
    rules: RulesDep,
    _anyone: Anyone,
    session: SessionHeader = None,
) -> Response:
    """Sign in as a program or as a page."""
    visitor = _visitor(request)
    if "page" not in (body.session, session):
        pair = await sessions.sign_in(body.login, body.password, visitor, body.screen_id)
        return _tokens(pair)
    rules.require_cookie_name(request)
    require_our_page(request)
    before = rules.cookie(request)
    made = await sessions.sign_in_page(body.login, body.password, visitor, plain=is_plain(request), before=before)
    return await _page(request, rules, people, made)


@router.post(
    "/api/auth/refresh",
    response_model=Tokens,
    summary="Exchange a refresh token for the next two tokens",
    description="A refresh token can be used once. If it is used again within 10 seconds, it is refused; if it is "
    "used again later, the session ends, because then two programs have the token.",
    responses=fails_only(400, 401, 413, 415, 422, 503),
)
async def refresh_tokens(body: Refresh, request: Request, sessions: SessionsDep, _anyone: Anyone) -> Response:
    """The next tokens."""
    return _tokens(await sessions.refresh(body.refresh_token, _visitor(request), body.screen_id))


@router.post(
    "/api/auth/logout",
    status_code=204,
    response_description="The session has ended.",
    summary="Sign out",
    description="Ends the session of the bearer token, of the cookie, or of `refreshToken`.",
    responses=fails_only(400, 401, 403, 413, 415, 422, 503),
)
async def sign_out(
    request: Request,
    access: AccessDep,
    sessions: SessionsDep,
    rules: RulesDep,
    _anyone: Anyone,
    body: SignOut | None = None,
) -> Response:
    """End a session; idempotent."""
    response = Response(status_code=204, headers=_ALWAYS)
    visitor = _visitor(request)
    shown = request.headers.get("authorization", ""), request.headers.get("x-api-key", "")
    refresh_token = None if body is None else body.refresh_token
    if any(shown):
        try:
            caller = await caller_of(access, *shown, visitor.address)
        except RejectedError:
            # The access token may have run out meanwhile: the refresh token says which session it was.
            if refresh_token is None:
                raise
        else:
            await sessions.end_current(caller)
    elif cookie := rules.cookie(request):
        require_csrf_token(request, cookie)
        rules.drop_cookie(request, response)
        try:
            await sessions.end_current((await access.by_cookie(cookie)).caller(visitor.address))
        except RejectedError:
            return response  # it had ended before
    elif refresh_token is None:
        raise RejectedError("unauthorized")
    if refresh_token is not None:
        await sessions.end_by_token(refresh_token, visitor)
    return response


@router.get("/api/auth/whoami", response_model=WhoAmI, summary="Who you are, and what you may do", responses=fails())
async def who_am_i(request: Request, sessions: SessionsDep, rules: RulesDep, caller: Known) -> Response:
    """The caller, by whatever was shown."""
    session = await sessions.current(caller)
    is_page = session is not None and session.session_kind == "page"
    cookie = rules.cookie(request) if is_page else None
    principal = caller.principal
    return _camel(
        WhoAmI,
        kind=principal.kind,
        id=principal.id,
        name=principal.name,
        login=None if session is None else session.login,
        role=principal.role,
        reach=principal.reach,
        permissions=caller.permissions,
        key_id=caller.key_id,
        session_id=caller.session_id,
        csrf_token=None if cookie is None else csrf_token(cookie),
        password_confirmed_at=None if session is None else session.confirmed_at,
        sign_in_expires_at=None if session is None else session.expires_at,
    )


@router.get("/api/auth/sessions", response_model=SessionList, summary="Where you are signed in", responses=fails())
async def list_sessions(sessions: SessionsDep, caller: SignedIn) -> Response:
    """The caller's living sessions."""
    items = [
        _fields(SessionOutput, entry, current=entry.id == caller.session_id) for entry in await sessions.living(caller)
    ]
    return json_answer({"items": items}, headers=_ALWAYS)


@router.delete(
    "/api/auth/sessions",
    status_code=204,
    response_description="All other sessions have ended.",
    summary="Sign out everywhere else",
    responses=fails(),
)
async def end_other_sessions(sessions: SessionsDep, caller: SignedIn) -> Response:
    """End all sessions but the caller's."""
    await sessions.end_others(caller)
    return Response(status_code=204)


@router.delete(
    "/api/auth/sessions/{session_id}",
    status_code=204,
    response_description="The session has ended.",
    summary="Sign out there",
    responses=fails(404),
)
async def end_session(
    session_id: Annotated[UUID, Path(description="Id of one of your sessions.")],
    sessions: SessionsDep,
    caller: SignedIn,
) -> Response:
    """End one session of the caller."""
    await sessions.end(caller, session_id)
    return Response(status_code=204)


@router.post(
    "/api/auth/password",
    status_code=204,
    response_description="The password is changed.",
    summary="Change your password",
    description="All your other sessions end.",
    responses=fails(429, body=True),
)
async def change_password(body: PasswordChange, sessions: SessionsDep, caller: SignedIn) -> Response:
    """Another password."""
    await sessions.change_password(caller, body.current_password, body.new_password, field="newPassword")
    return Response(status_code=204)


@router.post(
    "/api/auth/confirm",
    status_code=204,
    response_description="The password was right.",
    summary="Give your password again",
    description="Dangerous acts need it to be at most 10 minutes ago; see `confirm_password`.",
    responses=fails(429, body=True),
)
async def confirm_password(body: Confirmation, access: AccessDep, sessions: SessionsDep, caller: SignedIn) -> Response:
    """Note that the caller is still who signed in."""
    if caller.session_id is not None:
        await sessions.confirm(caller, caller.session_id, body.password)
        access.forget()
    return Response(status_code=204)


@router.get(
    "/api/auth/first-administrator",
    response_model=FirstAdministratorState,
    summary="Whether a first administrator is awaited",
    responses=fails_only(422, 503),
)
async def first_administrator_state(people: PeopleDep, _anyone: Anyone) -> Response:
    """Whether no person is an administrator yet."""
    return _camel(FirstAdministratorState, open=not await people.has_administrator())


@router.post(
    "/api/auth/first-administrator",
    response_model=PageSignedIn,
    summary="Become the first administrator",
    description="With the token of the link that the hub wrote at its start. The token can be used once. The hub "
    "makes no more such tokens when an administrator can sign in. Answers as a page's sign-in.",
    responses=fails_only(400, 403, 409, 413, 415, 422, 503),
)
async def become_first_administrator(
    body: FirstAdministrator,
    request: Request,
    people: PeopleDep,
    rules: RulesDep,
    link: Annotated[FirstLink, part(FirstLink)],
    _anyone: Anyone,
) -> Response:
    """Make the first administrator, and sign him in."""
    rules.require_cookie_name(request)
    require_our_page(request)
    made = await people.become_first(body.token, body.to_request(), _visitor(request), plain=is_plain(request))
    with contextlib.suppress(OSError):  # it is spent, whether it can be removed or not
        await link.remove()
    return await _page(request, rules, people, made)


@router.post(
    "/api/auth/password-link",
    status_code=204,
    response_description="The password is set.",
    summary="Set your password with a link",
    description="With the token that an administrator passed on. The token can be used once; all your sessions end.",
    responses=fails_only(400, 403, 413, 415, 422, 503),
)
async def spend_password_link(body: LinkSpent, request: Request, people: PeopleDep, _anyone: Anyone) -> Response:
    """Set a password."""
    require_our_page(request)
    await people.redeem(body.token, body.password, _visitor(request))
    return Response(status_code=204, headers=_ALWAYS)


def _visitor(request: Request) -> Visitor:
    return Visitor(request.client.host if request.client else None, request.headers.get("user-agent"))


def _tokens(pair: TokenPair) -> Response:
    return _camel(Tokens, access_token=pair.access, refresh_token=pair.refresh, expires_in=LASTS_S)


async def _page(request: Request, rules: PageRules, people: People, made: PageSession) -> Response:
    person = await people.get(made.principal_id)
    response = _camel(
        PageSignedIn,
        csrf_token=csrf_token(made.cookie),
        expires_at=made.expires_at,
        principal=_fields(PagePrincipal, person),
    )
    rules.set_cookie(request, response, made.cookie)
    return response


def _camel(shape: type[BaseModel], **values: Any) -> Response:
    names = {name: field.alias or name for name, field in shape.model_fields.items()}
    return json_answer({names[name]: value for name, value in values.items()}, headers=_ALWAYS)


def _fields(shape: type[BaseModel], row: Any, **more: Any) -> dict[str, Any]:
    """The fields of a row that a shape has, under the names that it shows, with further ones."""
    return {
        field.alias or name: more[name] if name in more else getattr(row, name)
        for name, field in shape.model_fields.items()
    }
