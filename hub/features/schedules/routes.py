"""Schedules: make, show, change, remove, and look ahead."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from hub.api.lookup import part
from hub.api.pages import from_cursor, to_cursor
from hub.api.problems import fails
from hub.core.access.routes import MayCommand, MayRead
from hub.features.batches.routes import request_of
from hub.features.schedules.rules import Misfire
from hub.features.schedules.service.schedules import ScheduleRequest, Schedules
from hub.features.schedules.shapes import (
    NextTimes,
    ScheduleChange,
    ScheduleInput,
    ScheduleOutput,
    SchedulePage,
    ScheduleSummary,
)

router = APIRouter(tags=["schedules"])
SchedulesDep = Annotated[Schedules, part(Schedules)]
_READ: dict[int | str, dict[str, Any]] = fails(404)
_MADE: dict[int | str, dict[str, Any]] = fails(404, 409, body=True)


@router.post(
    "/api/schedules",
    status_code=201,
    response_model=ScheduleOutput,
    summary="Make a schedule",
    description=(
        "At each of its times the request becomes a batch, once, however many hubs there are, with the permissions "
        "that whoever said what it sends, or when, has then."
    ),
    responses=_MADE,
)
async def post_schedule(
    body: ScheduleInput, schedules: SchedulesDep, caller: MayCommand, response: Response
) -> ScheduleOutput:
    """Make a schedule."""
    asked = ScheduleRequest(
        name=body.name,
        cron=body.cron,
        time_zone=body.time_zone,
        request=request_of(body.request),
        misfire=Misfire(body.misfire),
        grace_s=body.grace_s,
        enabled=body.enabled,
    )
    row = await schedules.create(caller, asked)
    response.headers["Location"] = f"/api/schedules/{row['id']}"
    return ScheduleOutput.model_validate(row)


@router.get(
    "/api/schedules",
    response_model=SchedulePage,
    summary="List schedules, newest first",
    responses=fails(),
)
async def list_schedules(
    schedules: SchedulesDep,
    _caller: MayRead,
    name: Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] = None,
    enabled: Annotated[bool | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=200, description="next_cursor of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SchedulePage:
    """A page of schedules."""
    rows, following = await schedules.page(before=from_cursor(cursor), limit=limit, name=name, enabled=enabled)
    items = [ScheduleSummary.model_validate(row) for row in rows]
    return SchedulePage(items=items, next_cursor=to_cursor(following))


@router.get("/api/schedules/{schedule_id}", response_model=ScheduleOutput, summary="One schedule", responses=_READ)
async def get_schedule(schedule_id: UUID, schedules: SchedulesDep, _caller: MayRead) -> ScheduleOutput:
    """A schedule as it stands now."""
    return ScheduleOutput.model_validate(await schedules.get(schedule_id))


@router.get(
    "/api/schedules/{schedule_id}/next",
    response_model=NextTimes,
    summary="The next times of a schedule",
    responses=_READ,
)
async def get_next(
    schedule_id: UUID, schedules: SchedulesDep, _caller: MayRead, count: Annotated[int, Query(ge=1, le=50)] = 5
) -> NextTimes:
    """Look ahead."""
    return NextTimes(items=await schedules.preview(schedule_id, count))


@router.patch(
    "/api/schedules/{schedule_id}",
    response_model=ScheduleOutput,
    summary="Change, enable or disable a schedule",
    description=(
        "After a change of `cron`, `time_zone` or `enabled` it fires at the next time from now on; what passed is not "
        "made up for. Who changes `cron`, `time_zone` or `request` answers for it with his permissions."
    ),
    responses=_MADE,
)
async def patch_schedule(
    schedule_id: UUID, body: ScheduleChange, schedules: SchedulesDep, caller: MayCommand
) -> ScheduleOutput:
    """Change what is given."""
    changes = body.changes()
    if body.request is not None:
        changes["request"] = request_of(body.request)
    return ScheduleOutput.model_validate(await schedules.change(caller, schedule_id, changes))


@router.delete(
    "/api/schedules/{schedule_id}",
    response_model=ScheduleOutput,
    summary="Remove a schedule",
    description="What it has sent goes on.",
    responses=_READ,
)
async def delete_schedule(schedule_id: UUID, schedules: SchedulesDep, caller: MayCommand) -> ScheduleOutput:
    """Remove it; the answer is the schedule as it was."""
    return ScheduleOutput.model_validate(await schedules.delete(caller, schedule_id))
