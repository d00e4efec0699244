"""Batches: post, preview, read, pause, resume, cancel."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response

from hub.api.answers import json_answer, page_answer, paged, row_answer, shown, shown_all
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor
from hub.api.problems import fails
from hub.api.shapes import IdempotencyHeader, TraceHeader
from hub.core.access.routes import MayCommand, MayRead, require_confirmed
from hub.core.access.rules import IdempotencyKey
from hub.core.commands.shapes import CommandStatus
from hub.errors import FieldProblem, RejectedError
from hub.features.batches.rules import Change
from hub.features.batches.service.batches import Batches
from hub.features.batches.service.creation import BatchCreation
from hub.features.batches.shapes import (
    BatchDetail,
    BatchInput,
    BatchOutput,
    BatchPage,
    BatchRow,
    BatchSummary,
    Preview,
    PreviewRow,
)

router = Routes("batches", "One request for many clients: preview, send, pause, resume, cancel.")
BatchesDep = Annotated[Batches, part(Batches)]
BatchCreationDep = Annotated[BatchCreation, part(BatchCreation)]
BatchIdInPath = Annotated[UUID, Path(description="Id of a batch.")]
ROUTE = "POST /api/batches"
_UNFINISHED = {"pending", "queued", "running"}


@router.post(
    "/api/batches",
    status_code=201,
    response_model=BatchOutput,
    summary="Command many clients with one request",
    response_description="The stored batch.",
    description=(
        "Stores a command for each client of the target (or each of `commands`) in one step; the answer comes after "
        "the commit. A client that quota, permission or its own state refuses gets a `rejected` row with the reason, "
        "and nothing is taken from it. With `dry_run` the answer says who would get it and who not."
    ),
    responses={
        200: {
            "model": Preview | BatchOutput,
            "description": "The preview; or the batch of a request with this key that was accepted before.",
        },
        **fails(404, 409, 502, body=True),
    },
)
async def create_batch(
    body: BatchInput,
    request: Request,
    creation: BatchCreationDep,
    batches: BatchesDep,
    caller: MayCommand,
    idempotency_key: IdempotencyHeader = None,
    traceparent: TraceHeader = None,
) -> Response:
    """Accept a batch."""
    wanted = body.to_request(traceparent)
    if body.dry_run:
        preview = await creation.preview(caller, wanted)
        return json_answer(shown(Preview, preview) | {"items": shown_all(PreviewRow, preview.items)})
    if wanted.stops_machines:
        require_confirmed(caller)
    key = IdempotencyKey.of(ROUTE, idempotency_key, await request.body()) if idempotency_key else None
    created = await creation.create(caller, wanted, key)
    return row_answer(
        BatchOutput,
        await (batches.get(caller, created.batch_id) if created.repeated else batches.created(created.batch_id)),
        status_code=200 if created.repeated else 201,
        headers={"Location": f"/api/batches/{created.batch_id}"},
    )


@router.get(
    "/api/batches",
    response_model=BatchPage,
    summary="List batches, newest first",
    responses=fails(),
)
async def list_batches(
    batches: BatchesDep,
    caller: MayRead,
    status: Annotated[
        list[Literal["running", "paused", "cancelled", "finished"]] | None,
        Query(max_length=4, description="With this status; may be given several times."),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of batches."""
    return page_answer(
        BatchSummary, await batches.page(caller, before=from_cursor(cursor), limit=limit, statuses=status)
    )


@router.get(
    "/api/batches/{batch_id}",
    response_model=BatchDetail,
    summary="One batch, its progress and its commands",
    description="Filters and `cursor` are for `items`; the counts are always those of the whole batch.",
    responses=fails(404),
)
async def get_batch(
    batch_id: BatchIdInPath,
    batches: BatchesDep,
    caller: MayRead,
    status: Annotated[
        list[CommandStatus] | None,
        Query(max_length=9, description="Commands with this status; may be given several times."),
    ] = None,
    blocked_by: Annotated[
        Literal["offline", "unresponsive"] | None, Query(description="Unfinished ones that wait for such a client.")
    ] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Entries in a page.")] = 50,
) -> Response:
    """A batch with its progress."""
    if blocked_by is not None and status and not _UNFINISHED.intersection(status):
        problem = FieldProblem("blocked_by", "empty_filter", {"names": sorted(_UNFINISHED)})
        raise RejectedError("validation_error", fields=(problem,))
    batch = await batches.get(caller, batch_id)
    rows = await batches.rows(
        caller, batch_id, after=from_cursor(cursor), limit=limit, statuses=status, blocked_by=blocked_by
    )
    return json_answer(shown(BatchOutput, batch) | paged(BatchRow, rows))


@router.post(
    "/api/batches/{batch_id}/pause",
    response_model=BatchOutput,
    summary="Pause a batch",
    description=(
        "No further commands of the batch are handed out; running ones continue. Waiting commands keep their "
        "`expires_at`. "
        "Idempotent."
    ),
    responses=fails(404, 409),
)
async def pause_batch(batch_id: BatchIdInPath, batches: BatchesDep, caller: MayCommand) -> Response:
    """Hold it back."""
    return row_answer(BatchOutput, await batches.change(caller, batch_id, Change.PAUSE))


@router.post(
    "/api/batches/{batch_id}/resume",
    response_model=BatchOutput,
    summary="Resume a paused batch",
    description=(
        "A staged rollout continues: commands that had not begun begin, and expire, later by the length of the pause."
    ),
    responses=fails(404, 409),
)
async def resume_batch(batch_id: BatchIdInPath, batches: BatchesDep, caller: MayCommand) -> Response:
    """Let it go on."""
    return row_answer(BatchOutput, await batches.change(caller, batch_id, Change.RESUME))


@router.post(
    "/api/batches/{batch_id}/cancel",
    response_model=BatchOutput,
    summary="Cancel a batch",
    description=(
        "As a cancel of each of its commands: what is pending is cancelled at once, of what was handed out the agents "
        "are asked, and what they have done already wins. Idempotent."
    ),
    responses=fails(404, 409),
)
async def cancel_batch(batch_id: BatchIdInPath, batches: BatchesDep, caller: MayCommand) -> Response:
    """Ask for a cancel of all of it."""
    return row_answer(BatchOutput, await batches.change(caller, batch_id, Change.CANCEL))
