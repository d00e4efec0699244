"""Commands: post, read, list, cancel."""

import asyncio
from collections.abc import Callable
from math import ceil
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response
from uuid_utils.compat import uuid7

from hub.api import rate_limits
from hub.api.answers import json_answer, page_answer, row_answer, shown_all
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor
from hub.api.parameters import require_order
from hub.api.problems import fails
from hub.api.rate_limits import Rule
from hub.api.shapes import ActionName, IdempotencyHeader, Moment, Slug, TraceHeader, Word
from hub.core.access.routes import MayCommand, MayRead
from hub.core.access.rules import Caller, IdempotencyKey
from hub.core.commands.service.commands import Commands
from hub.core.commands.service.submission import OverLimitError, Quota, Submission
from hub.core.commands.service.waiting import Waiting
from hub.core.commands.shapes import (
    CommandInput,
    CommandLogs,
    CommandOutput,
    CommandPage,
    CommandStatus,
    LogEntry,
)
from hub.core.commands.store.commands import Filter, StoredCommand

router = Routes("commands", "Send a command to one client, follow it, cancel it.")
CommandsDep = Annotated[Commands, part(Commands)]
SubmissionDep = Annotated[Submission, part(Submission)]
WaitingDep = Annotated[Waiting, part(Waiting)]
ROUTE = "POST /api/commands"
MINUTE_S, DAY_S = 60, 86_400
LOOK_AT_CALLER_S = 1.0
"""How often a waiting request looks whether its caller is still there."""


class Acceptor:
    """Accepts commands for both ways in: the route, and the fast path past the framework."""

    def __init__(
        self, submission: Submission, commands: Commands, waiting: Waiting, *, new_id: Callable[[], UUID] = uuid7
    ) -> None:
        self._submission = submission
        self._commands = commands
        self._waiting = waiting
        self._new_id = new_id

    async def accept(
        self,
        caller: Caller,
        body: CommandInput,
        raw: bytes,
        *,
        wait: float,
        idempotency_key: str | None,
        traceparent: str | None,
        request: Request,
    ) -> Response:
        """Store a command and answer, as `POST /api/commands` describes it. `raw` is the body that a key stands for."""
        key = IdempotencyKey.of(ROUTE, idempotency_key, raw) if idempotency_key else None
        wanted = body.to_request(traceparent)
        command_id = self._new_id()
        status_code, headers = 201, dict[str, str]()
        row = None
        # Expected before it is stored: its end cannot slip through in between.
        with self._waiting.expected(command_id, caller) as end:
            try:
                accepted = await self._submission.submit(caller, wanted, key, command_id=command_id)
            except OverLimitError as refused:
                _tell(refused.quota, request)
                raise
            if accepted.quota is not None:
                _tell(accepted.quota, request)
            headers["Location"] = f"/api/commands/{accepted.command_id}"
            if accepted.row is not None:
                if not wait:
                    return row_answer(CommandOutput, accepted.row, status_code, headers)
                row = await until_end(end, request, wait)
        if accepted.repeated:
            status_code = 200
            if wait:
                with self._waiting.expected(accepted.command_id, caller) as end:
                    await self._waiting.look(accepted.command_id)
                    await until_end(end, request, wait)
        # Who may see but some commands is looked at again, with the command.
        if row is None or caller.scope.limited:
            row = await self._commands.get(caller, accepted.command_id, "command")
        return row_answer(CommandOutput, row, status_code, headers)


def _tell(quota: Quota, request: Request) -> None:
    """Have the answer's headers say what is left of the client's limits."""
    minute, day = (ceil((reset - quota.at).total_seconds()) for reset in (quota.minute_reset, quota.day_reset))
    rate_limits.tell(
        request.scope.setdefault("state", {}),
        Rule("client-minute", quota.minute_limit, MINUTE_S, quota.minute_left, minute),
        Rule("client-day", quota.day_limit, DAY_S, quota.day_left, day),
    )


CommandIdInPath = Annotated[UUID, Path(description="Id of a command.")]
AcceptorDep = Annotated[Acceptor, part(Acceptor)]


@router.post(
    "/api/commands",
    status_code=201,
    response_model=CommandOutput,
    summary="Command a client",
    response_description="The stored command; with `wait`, as it has ended.",
    description=(
        "Stores the command. The answer is sent after the commit; from then on the command is never lost. With `wait` "
        "the answer is sent when the command has ended, or after that many seconds. An `Idempotency-Key` makes "
        "it safe to send the request again: the same key and body give the same command for 24 hours."
    ),
    responses={
        200: {"model": CommandOutput, "description": "The same request was accepted before; this is its command."},
        **fails(404, 408, 409, 429, 502, body=True),
    },
)
async def create_command(
    body: CommandInput,
    request: Request,
    acceptor: AcceptorDep,
    caller: MayCommand,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the end.")] = 0,
    idempotency_key: IdempotencyHeader = None,
    traceparent: TraceHeader = None,
) -> Response:
    """Accept a command."""
    raw = await request.body() if idempotency_key else b""
    return await acceptor.accept(
        caller, body, raw, wait=wait, idempotency_key=idempotency_key, traceparent=traceparent, request=request
    )


async def until_end(end: asyncio.Future[StoredCommand | None], request: Request, wait: float) -> StoredCommand | None:
    """Until the end, the time, or the caller's hanging up; the command, where the end came with it.

    Raises RejectedError when the caller may not see it any more."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    while not end.done() and (left := deadline - loop.time()) > 0:
        await asyncio.wait({end}, timeout=min(left, LOOK_AT_CALLER_S))
        if not end.done() and await request.is_disconnected():
            return None
    return end.result() if end.done() else None


@router.get(
    "/api/commands/{command_id}",
    response_model=CommandOutput,
    summary="One command",
    responses=fails(404),
)
async def get_command(command_id: CommandIdInPath, commands: CommandsDep, caller: MayRead) -> Response:
    """A command with its current status."""
    return row_answer(CommandOutput, await commands.get(caller, command_id))


@router.get(
    "/api/commands/{command_id}/logs",
    response_model=CommandLogs,
    summary="Every change of a command",
    responses=fails(404),
)
async def get_command_logs(command_id: CommandIdInPath, commands: CommandsDep, caller: MayRead) -> Response:
    """Every change of a command, oldest first."""
    logs = await commands.logs(caller, command_id)
    return json_answer({"command_id": command_id, "items": shown_all(LogEntry, logs)})


@router.get(
    "/api/commands",
    response_model=CommandPage,
    summary="List commands, newest first",
    responses=fails(),
)
async def list_commands(
    commands: CommandsDep,
    caller: MayRead,
    client_id: Annotated[Slug | None, Query(description="Of this client.")] = None,
    status: Annotated[
        list[CommandStatus] | None, Query(max_length=9, description="With this status; may be given several times.")
    ] = None,
    action: Annotated[ActionName | None, Query(description="Of this action.")] = None,
    reference: Annotated[Word | None, Query(max_length=200, description="With this reference.")] = None,
    tag: Annotated[Word | None, Query(max_length=100, description="With this tag.")] = None,
    created_after: Annotated[Moment | None, Query(description="Stored after this time.")] = None,
    created_before: Annotated[Moment | None, Query(description="Stored before this time.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of commands."""
    require_order(created_after, created_before)
    wanted = Filter(
        client_id=client_id,
        statuses=status or None,
        action=action,
        reference=reference,
        tag=tag,
        created_after=created_after,
        created_before=created_before,
    )
    return page_answer(CommandOutput, await commands.page(caller, wanted, before=from_cursor(cursor), limit=limit))


@router.post(
    "/api/commands/{command_id}/cancel",
    response_model=CommandOutput,
    summary="Cancel a command",
    description=(
        "A pending command is cancelled at once. One that was handed out is a question to its agent, asked until it "
        "answers; what it has done already wins. Idempotent."
    ),
    responses=fails(404, 409),
)
async def cancel_command(command_id: CommandIdInPath, commands: CommandsDep, caller: MayCommand) -> Response:
    """Ask for a cancel."""
    return row_answer(CommandOutput, await commands.cancel(caller, command_id))
