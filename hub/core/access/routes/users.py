"""The people who may sign in, for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from hub.api.answers import json_answer, page_answer, row_answer, shown_all
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor
from hub.api.problems import fails
from hub.api.shapes import Word
from hub.core.access.routes.require import Confirmed, MayAdminister
from hub.core.access.service.people import People
from hub.core.access.shapes.people import (
    NewPassword,
    PasswordLink,
    UserChange,
    UserInput,
    UserOutput,
    UserPage,
    UserSession,
    UserSessions,
)

router = Routes(
    "users",
    "The people who can sign in. Changes need a password that was entered in the last 10 minutes: see "
    "`confirm_password`.",
)
PeopleDep = Annotated[People, part(People)]
UserId = Annotated[UUID, Path(description="Id of a person.")]


@router.post(
    "/api/users",
    status_code=201,
    response_model=UserOutput,
    summary="Add a person",
    description="With a first password, or without: then POST /api/users/{user_id}/password-link gives a link with "
    "which the person sets one.",
    responses=fails(409, body=True),
)
async def create_user(body: UserInput, people: PeopleDep, caller: Confirmed) -> Response:
    """Add a person."""
    person = await people.create(caller, body.to_request())
    return row_answer(UserOutput, person, 201, {"Location": f"/api/users/{person.id}"})


@router.get("/api/users", response_model=UserPage, summary="List people", responses=fails())
async def list_users(
    people: PeopleDep,
    _caller: MayAdminister,
    login: Annotated[Word | None, Query(max_length=200, description="The one of this login.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of people, those added first at its head."""
    return page_answer(UserOutput, await people.page(login=login, after=from_cursor(cursor), limit=limit))


@router.get("/api/users/{user_id}", response_model=UserOutput, summary="One person", responses=fails(404))
async def get_user(user_id: UserId, people: PeopleDep, _caller: MayAdminister) -> Response:
    """A person."""
    return row_answer(UserOutput, await people.get(user_id))


@router.patch(
    "/api/users/{user_id}",
    response_model=UserOutput,
    summary="Change a person",
    description="Role and reach apply to sessions and keys of before, too, within a second. The last administrator who "
    "can sign in stays one.",
    responses=fails(404, 409, body=True),
)
async def update_user(user_id: UserId, body: UserChange, people: PeopleDep, caller: Confirmed) -> Response:
    """Change what is given."""
    return row_answer(UserOutput, await people.change(caller, user_id, body.changes()))


@router.delete(
    "/api/users/{user_id}",
    response_model=UserOutput,
    summary="Disable a person",
    response_description="The person, disabled.",
    description="The person is signed out and cannot sign in any more; records that name the person stay.",
    responses=fails(404, 409),
)
async def delete_user(user_id: UserId, people: PeopleDep, caller: Confirmed) -> Response:
    """Disable a person."""
    return row_answer(UserOutput, await people.change(caller, user_id, {"disabled": True}))


@router.post(
    "/api/users/{user_id}/password",
    status_code=204,
    response_description="The password is set.",
    summary="Set somebody's password",
    description="All sessions of the person end.",
    responses=fails(404, body=True),
)
async def set_user_password(user_id: UserId, body: NewPassword, people: PeopleDep, caller: Confirmed) -> Response:
    """Set a password."""
    await people.set_password(caller, user_id, body.password)
    return Response(status_code=204)


@router.post(
    "/api/users/{user_id}/password-link",
    status_code=201,
    response_model=PasswordLink,
    summary="A link with which somebody sets the password",
    description="Good once, for 24 hours; one of before is no good any more.",
    responses=fails(404, 409),
)
async def create_password_link(user_id: UserId, people: PeopleDep, caller: Confirmed) -> Response:
    """A secret for a person."""
    return row_answer(PasswordLink, await people.password_link(caller, user_id), 201, {"Cache-Control": "no-store"})


@router.get(
    "/api/users/{user_id}/sessions",
    response_model=UserSessions,
    summary="Where somebody is signed in",
    responses=fails(404),
)
async def list_user_sessions(user_id: UserId, people: PeopleDep, _caller: MayAdminister) -> Response:
    """The living sessions of a person."""
    return json_answer({"items": shown_all(UserSession, await people.sessions_of(user_id))})


@router.delete(
    "/api/users/{user_id}/sessions",
    status_code=204,
    response_description="The person is signed out.",
    summary="Sign somebody out everywhere",
    responses=fails(404),
)
async def end_user_sessions(user_id: UserId, people: PeopleDep, caller: Confirmed) -> Response:
    """End all sessions of a person."""
    await people.end_sessions(caller, user_id)
    return Response(status_code=204)
