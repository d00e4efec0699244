"""Groups of clients, and what clients may be asked to do."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from hub.api.lookup import part
from hub.api.problems import PROBLEM
from hub.core.access.routes import MayAdminister, MayRead
from hub.core.clients.routes.clients import ClientId
from hub.core.clients.service.groups import Groups
from hub.core.clients.service.permissions import Permissions, Row
from hub.core.clients.shapes import (
    Changed,
    GroupChange,
    GroupInput,
    GroupOutput,
    GroupPage,
    Left,
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
GroupId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Cursor = Annotated[str | None, Query(max_length=63, pattern=r"^[a-z0-9-]+$")]


@router.post(
    "/api/groups",
    status_code=201,
    response_model=GroupOutput,
    summary="Make a group of clients",
    responses=dict.fromkeys((400, 401, 403, 409, 413, 415, 422, 503), PROBLEM),
)
async def post_group(body: GroupInput, groups: GroupsDep, caller: MayAdminister) -> GroupOutput:
    """Make a group."""
    return GroupOutput.model_validate(await groups.create(caller, body.id, body.name, body.clients))


@router.get(
    "/api/groups",
    response_model=GroupPage,
    summary="List groups",
    responses=dict.fromkeys((401, 403, 422, 503), PROBLEM),
)
async def list_groups(
    groups: GroupsDep, _caller: MayRead, cursor: Cursor = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> GroupPage:
    """A page of groups in order of their ids."""
    rows, following = await groups.page(after=cursor, limit=limit)
    return GroupPage(items=[GroupOutput.model_validate(row) for row in rows], next_cursor=following)


@router.get(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="One group",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def get_group(group_id: GroupId, groups: GroupsDep, _caller: MayRead) -> GroupOutput:
    """A group as it stands now."""
    return GroupOutput.model_validate(await groups.get(group_id))


@router.patch(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="Rename a group",
    responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 503), PROBLEM),
)
async def patch_group(group_id: GroupId, body: GroupChange, groups: GroupsDep, caller: MayAdminister) -> GroupOutput:
    """Rename it; its id stays."""
    return GroupOutput.model_validate(await groups.rename(caller, group_id, body.name))


@router.delete(
    "/api/groups/{group_id}",
    response_model=GroupOutput,
    summary="Remove a group",
    description="Its clients stay; batches that were sent to it go on.",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def delete_group(group_id: GroupId, groups: GroupsDep, caller: MayAdminister) -> GroupOutput:
    """Remove it; the answer is the group as it was."""
    return GroupOutput.model_validate(await groups.delete(caller, group_id))


@router.get(
    "/api/groups/{group_id}/members",
    response_model=MemberPage,
    summary="The clients of a group",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def get_members(
    group_id: GroupId,
    groups: GroupsDep,
    _caller: MayRead,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> MemberPage:
    """A page of its clients in order of their ids."""
    rows, following = await groups.members(group_id, after=cursor, limit=limit)
    return MemberPage(items=[MemberOutput.model_validate(row) for row in rows], next_cursor=following)


@router.post(
    "/api/groups/{group_id}/members",
    response_model=GroupOutput,
    summary="Add clients to a group, and remove clients from it",
    description="All of it happens, or nothing. A client may be in many groups. Asking again is harmless.",
    responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 503), PROBLEM),
)
async def post_members(group_id: GroupId, body: MembersChange, groups: GroupsDep, caller: MayAdminister) -> GroupOutput:
    """Change who is in it."""
    return GroupOutput.model_validate(await groups.change_members(caller, group_id, body.add, body.remove))


@router.get(
    "/api/clients/{client_id}/permissions",
    response_model=PermissionsOutput,
    summary="What a client may be asked, and how much of it is left",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def get_permissions(client_id: ClientId, permissions: PermissionsDep, _caller: MayRead) -> PermissionsOutput:
    """Its limits, what was used, and when they begin anew."""
    return _permissions(await permissions.get(client_id))


@router.patch(
    "/api/clients/{client_id}/permissions",
    response_model=PermissionsOutput,
    summary="Change what a client may be asked",
    description="Counts from the next command on. What was used stays used.",
    responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 503), PROBLEM),
)
async def patch_permissions(
    client_id: ClientId, body: PermissionsChange, permissions: PermissionsDep, caller: MayAdminister
) -> PermissionsOutput:
    """Change what is given."""
    return _permissions(await permissions.change(caller, client_id, body.changes()))


@router.patch(
    "/api/permissions",
    response_model=Changed,
    summary="Change what many clients may be asked",
    description="All that the target means, or, when something is wrong with the request, none.",
    responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 503), PROBLEM),
)
async def patch_permissions_of_many(
    body: PermissionsOfMany, permissions: PermissionsDep, caller: MayAdminister
) -> Changed:
    """Change what is given, of every client of a target."""
    return Changed(changed=await permissions.change_many(caller, body.target.target(), body.changes()))


def _permissions(row: Row) -> PermissionsOutput:
    def left(limit: int, used: int, reset: str) -> Left:
        return Left(limit=limit, used=used, remaining=max(limit - used, 0), reset=row[reset])

    return PermissionsOutput(
        client_id=row["client_id"],
        allowed_actions=row["allowed_actions"],
        rate_limit=row["rate_limit"],
        max_commands_per_day=row["max_commands_per_day"],
        minute=left(row["rate_limit"], row["minute_used"], "minute_reset"),
        day=left(row["max_commands_per_day"], row["day_used"], "day_reset"),
        updated_at=row["updated_at"],
    )
