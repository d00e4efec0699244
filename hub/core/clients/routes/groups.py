"""Groups of clients, and what clients may be asked to do."""

from typing import Annotated

from fastapi import Path, Query, Response

from hub.api.answers import json_answer, page_answer, row_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Limit, SlugCursor
from hub.api.problems import fails
from hub.api.shapes import SLUG, ClientIdInPath
from hub.core.access.routes import MayAdminister, MayRead
from hub.core.clients.service.groups import Groups
from hub.core.clients.service.permissions import Permissions
from hub.core.clients.shapes import (
    ChangedClients,
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

router = Routes("clients")
group_router = Routes("groups", "Groups of clients, to command them together.")
GroupsDep = Annotated[Groups, part(Groups)]
GroupIdInPath = Annotated[str, Path(pattern=SLUG, description="Id of a group.", examples=["presses"])]
PermissionsDep = Annotated[Permissions, part(Permissions)]


@group_router.post(
    "/api/groups",
    status_code=201,
    response_model=GroupOutput,
    summary="Create a group of clients",
    responses=fails(409, body=True),
)
async def create_group(body: GroupInput, groups: GroupsDep, caller: MayAdminister) -> Response:
    """Make a group."""
    return row_answer(GroupOutput, await groups.create(caller, body.id, body.name, body.clients), 201)


@group_router.get(
    "/api/groups",
    response_model=GroupPage,
    summary="List groups",
    responses=fails(),
)
async def list_groups(groups: GroupsDep, caller: MayRead, cursor: SlugCursor = None, limit: Limit = 50) -> Response:
    """A page of groups in order of their ids."""
    return page_answer(GroupOutput, await groups.page(caller, after=cursor, limit=limit))


@group_router.get(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="One group",
    responses=fails(404),
)
async def get_group(group_id: GroupIdInPath, groups: GroupsDep, caller: MayRead) -> Response:
    """A group with the number of its clients."""
    return row_answer(GroupOutput, await groups.get(caller, group_id))


@group_router.patch(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="Rename a group",
    responses=fails(404, body=True),
)
async def update_group(
    group_id: GroupIdInPath, body: GroupChange, groups: GroupsDep, caller: MayAdminister
) -> Response:
    """Rename it; its id stays."""
    return row_answer(GroupOutput, await groups.rename(caller, group_id, body.name))


@group_router.delete(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="Remove a group",
    response_description="The group as it was.",
    description="Its clients stay, and batches that were sent to it continue. What was granted of it ends: "
    "another group with its id gives nobody what this one gave.",
    responses=fails(404),
)
async def delete_group(group_id: GroupIdInPath, groups: GroupsDep, caller: MayAdminister) -> Response:
    """Remove it; the answer is the group as it was."""
    return row_answer(GroupOutput, await groups.delete(caller, group_id))


@group_router.get(
    "/api/groups/{group_id}/members",
    response_model=MemberPage,
    summary="The clients of a group",
    responses=fails(404),
)
async def list_group_members(
    group_id: GroupIdInPath,
    groups: GroupsDep,
    caller: MayRead,
    cursor: SlugCursor = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Entries in a page.")] = 200,
) -> Response:
    """A page of its clients in order of their ids."""
    return page_answer(MemberOutput, await groups.members(caller, group_id, after=cursor, limit=limit))


@group_router.post(
    "/api/groups/{group_id}/members",
    response_model=GroupOutput,
    summary="Add clients to a group, and remove clients from it",
    description="All of it happens, or nothing. A client may be in many groups. Idempotent.",
    responses=fails(404, body=True),
)
async def change_group_members(
    group_id: GroupIdInPath, body: MembersChange, groups: GroupsDep, caller: MayAdminister
) -> Response:
    """Change who is in it."""
    return row_answer(GroupOutput, await groups.change_members(caller, group_id, body.add, body.remove))


@router.get(
    "/api/clients/{client_id}/permissions",
    response_model=PermissionsOutput,
    summary="The limits of a client, and how much of them is left",
    responses=fails(404),
)
async def get_client_permissions(client_id: ClientIdInPath, permissions: PermissionsDep, caller: MayRead) -> Response:
    """Its limits, what was used, and when they begin anew."""
    return row_answer(PermissionsOutput, await permissions.get(caller, client_id))


@router.patch(
    "/api/clients/{client_id}/permissions",
    response_model=PermissionsOutput,
    summary="Change the limits of a client",
    description="Applies from the next command on. Quota that is already used stays used.",
    responses=fails(404, body=True),
)
async def update_client_permissions(
    client_id: ClientIdInPath, body: PermissionsChange, permissions: PermissionsDep, caller: MayAdminister
) -> Response:
    """Change what is given."""
    return row_answer(PermissionsOutput, await permissions.change(caller, client_id, body.changes()))


@router.patch(
    "/api/permissions",
    response_model=ChangedClients,
    response_description="How many clients were changed.",
    summary="Change the limits of many clients",
    description="All clients of the target; none if the request is wrong.",
    responses=fails(404, body=True),
)
async def update_permissions(body: PermissionsOfMany, permissions: PermissionsDep, caller: MayAdminister) -> Response:
    """Change what is given, of every client of a target."""
    changed = await permissions.change_many(caller, body.target.to_request(), body.changes())
    return json_answer({"changed": changed})
