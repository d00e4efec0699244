"""Schedules: make, show, change, remove, and look ahead."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from hub.api.answers import json_answer, page_answer, row_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor
from hub.api.problems import fails
from hub.api.shapes import Word
from hub.core.access.routes import MayCommand, MayRead, require_confirmed
from hub.features.schedules.service.schedules import Schedules
from hub.features.schedules.shapes import (
    NextTimes,
    ScheduleChange,
    ScheduleInput,
    ScheduleOutput,
    SchedulePage,
    ScheduleSummary,
)

router = Routes("schedules", "Batches that are sent again and again, by a cron expression.")
ScheduleIdInPath = Annotated[UUID, Path(description="Id of a schedule.")]
SchedulesDep = Annotated[Schedules, part(Schedules)]


@router.post(
    "/api/schedules",
    status_code=201,
    response_model=ScheduleOutput,
    summary="Create a schedule",
    description=(
        "At each of its times the request becomes a batch, once, however many hubs there are, with the permissions "
        "that whoever said what it sends, or when, has then."
    ),
    responses=fails(404, 409, body=True),
)
async def create_schedule(body: ScheduleInput, schedules: SchedulesDep, caller: MayCommand) -> Response:
    """Make a schedule."""
    wanted = body.to_request()
    if wanted.request.stops_machines:
        require_confirmed(caller)
    made = await schedules.create(caller, wanted)
    return row_answer(ScheduleOutput, made, 201, {"Location": f"/api/schedules/{made.id}"})


@router.get(
    "/api/schedules",
    response_model=SchedulePage,
    summary="List schedules, newest first",
    responses=fails(),
)
async def list_schedules(
    schedules: SchedulesDep,
    caller: MayRead,
    name: Annotated[Word | None, Query(max_length=200, description="With exactly this name.")] = None,
    enabled: Annotated[bool | None, Query(description="Only enabled, or only disabled ones.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of schedules."""
    found = await schedules.page(caller, before=from_cursor(cursor), limit=limit, name=name, enabled=enabled)
    return page_answer(ScheduleSummary, found)


@router.get("/api/schedules/{schedule_id}", response_model=ScheduleOutput, summary="One schedule", responses=fails(404))
async def get_schedule(schedule_id: ScheduleIdInPath, schedules: SchedulesDep, caller: MayRead) -> Response:
    """A schedule with its next time."""
    return row_answer(ScheduleOutput, await schedules.get(caller, schedule_id))


@router.get(
    "/api/schedules/{schedule_id}/next",
    response_model=NextTimes,
    summary="The next times of a schedule",
    responses=fails(404),
)
async def list_next_times(
    schedule_id: ScheduleIdInPath,
    schedules: SchedulesDep,
    caller: MayRead,
    count: Annotated[int, Query(ge=1, le=50, description="How many times.")] = 5,
) -> Response:
    """Look ahead."""
    return json_answer({"items": await schedules.preview(caller, schedule_id, count)})


@router.patch(
    "/api/schedules/{schedule_id}",
    response_model=ScheduleOutput,
    summary="Change, enable or disable a schedule",
    description=(
        "After a change of `cron`, `time_zone` or `enabled` it fires at the next time from now on; what passed is not "
        "made up for. Who changes `cron`, `time_zone` or `request` answers for it with his permissions."
    ),
    responses=fails(404, 409, body=True),
)
async def update_schedule(
    schedule_id: ScheduleIdInPath, body: ScheduleChange, schedules: SchedulesDep, caller: MayCommand
) -> Response:
    """Change what is given."""
    changes = body.changes()
    if "request" in changes and changes["request"].stops_machines:
        require_confirmed(caller)
    return row_answer(ScheduleOutput, await schedules.change(caller, schedule_id, changes))


@router.delete(
    "/api/schedules/{schedule_id}",
    response_model=ScheduleOutput,
    summary="Remove a schedule",
    response_description="The schedule as it was.",
    description="Commands that it has sent continue.",
    responses=fails(404),
)
async def delete_schedule(schedule_id: ScheduleIdInPath, schedules: SchedulesDep, caller: MayCommand) -> Response:
    """Remove it; the answer is the schedule as it was."""
    return row_answer(ScheduleOutput, await schedules.delete(caller, schedule_id))
