"""Groups of clients, and what clients may be asked to do."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from hub.api.answers import json_answer, page_answer, row_answer
from hub.api.lookup import part
from hub.api.pages import Limit, SlugCursor
from hub.api.problems import fails
from hub.api.shapes import SlugInPath
from hub.core.access.routes import MayAdminister, MayRead
from hub.core.clients.service.groups import Groups
from hub.core.clients.service.permissions import Permissions
from hub.core.clients.shapes import (
    Changed,
    GroupChange,
    GroupInput,
    GroupOutput,
    GroupPage,
    MemberOutput,
    MemberPage,
    MembersChange,
    PermissionsChange,
    PermissionsOfMany,
    PermissionsOutput,
)

router = APIRouter(tags=["clients"])
GroupsDep = Annotated[Groups, part(Groups)]
PermissionsDep = Annotated[Permissions, part(Permissions)]


@router.post(
    "/api/groups",
    status_code=201,
    response_model=GroupOutput,
    summary="Make a group of clients",
    responses=fails(409, body=True),
)
async def post_group(body: GroupInput, groups: GroupsDep, caller: MayAdminister) -> Response:
    """Make a group."""
    return row_answer(GroupOutput, await groups.create(caller, body.id, body.name, body.clients), 201)


@router.get(
    "/api/groups",
    response_model=GroupPage,
    summary="List groups",
    responses=fails(),
)
async def list_groups(groups: GroupsDep, _caller: MayRead, cursor: SlugCursor = None, limit: Limit = 50) -> Response:
    """A page of groups in order of their ids."""
    return page_answer(GroupOutput, await groups.page(after=cursor, limit=limit))


@router.get(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="One group",
    responses=fails(404),
)
async def get_group(group_id: SlugInPath, groups: GroupsDep, _caller: MayRead) -> Response:
    """A group as it stands now."""
    return row_answer(GroupOutput, await groups.get(group_id))


@router.patch(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="Rename a group",
    responses=fails(404, body=True),
)
async def patch_group(group_id: SlugInPath, body: GroupChange, groups: GroupsDep, caller: MayAdminister) -> Response:
    """Rename it; its id stays."""
    return row_answer(GroupOutput, await groups.rename(caller, group_id, body.name))


@router.delete(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="Remove a group",
    description="Its clients stay; batches that were sent to it go on.",
    responses=fails(404),
)
async def delete_group(group_id: SlugInPath, groups: GroupsDep, caller: MayAdminister) -> Response:
    """Remove it; the answer is the group as it was."""
    return row_answer(GroupOutput, await groups.delete(caller, group_id))


@router.get(
    "/api/groups/{group_id}/members",
    response_model=MemberPage,
    summary="The clients of a group",
    responses=fails(404),
)
async def get_members(
    group_id: SlugInPath,
    groups: GroupsDep,
    _caller: MayRead,
    cursor: SlugCursor = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> Response:
    """A page of its clients in order of their ids."""
    return page_answer(MemberOutput, await groups.members(group_id, after=cursor, limit=limit))


@router.post(
    "/api/groups/{group_id}/members",
    response_model=GroupOutput,
    summary="Add clients to a group, and remove clients from it",
    description="All of it happens, or nothing. A client may be in many groups. Idempotent.",
    responses=fails(404, body=True),
)
async def post_members(group_id: SlugInPath, body: MembersChange, groups: GroupsDep, caller: MayAdminister) -> Response:
    """Change who is in it."""
    return row_answer(GroupOutput, await groups.change_members(caller, group_id, body.add, body.remove))


@router.get(
    "/api/clients/{client_id}/permissions",
    response_model=PermissionsOutput,
    summary="What a client may be asked, and how much of it is left",
    responses=fails(404),
)
async def get_permissions(client_id: SlugInPath, permissions: PermissionsDep, _caller: MayRead) -> Response:
    """Its limits, what was used, and when they begin anew."""
    return row_answer(PermissionsOutput, await permissions.get(client_id))


@router.patch(
    "/api/clients/{client_id}/permissions",
    response_model=PermissionsOutput,
    summary="Change what a client may be asked",
    description="Counts from the next command on. What was used stays used.",
    responses=fails(404, body=True),
)
async def patch_permissions(
    client_id: SlugInPath, body: PermissionsChange, permissions: PermissionsDep, caller: MayAdminister
) -> Response:
    """Change what is given."""
    return row_answer(PermissionsOutput, await permissions.change(caller, client_id, body.changes()))


@router.patch(
    "/api/permissions",
    response_model=Changed,
    summary="Change what many clients may be asked",
    description="All that the target means, or, when something is wrong with the request, none.",
    responses=fails(404, body=True),
)
async def patch_permissions_of_many(
    body: PermissionsOfMany, permissions: PermissionsDep, caller: MayAdminister
) -> Response:
    """Change what is given, of every client of a target."""
    changed = await permissions.change_many(caller, body.target.to_request(), body.changes())
    return json_answer({"changed": changed})
