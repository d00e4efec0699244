"""Dead letters: list, count, replay, dismiss; and a person's word about an unknown command."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from uuid_utils.compat import uuid7

from hub.api.answers import json_answer, page_answer, row_answer, shown, shown_all
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor, to_cursor
from hub.api.parameters import require_order
from hub.api.problems import fails, prefers_korean, sentence
from hub.api.shapes import ActionName, LanguageHeader, Moment, Slug
from hub.core.access.routes import MayCommand, MayDecide, MayRead
from hub.core.commands.routes.commands import CommandIdInPath, until_end
from hub.core.commands.rules.lifecycle import Status
from hub.core.commands.service.commands import Commands
from hub.core.commands.service.waiting import Waiting
from hub.core.commands.shapes import CommandOutput
from hub.features.dead_letters.service import DeadLetters, Outcome, Outcomes
from hub.features.dead_letters.shapes import (
    CREATED_AFTER,
    CREATED_BEFORE,
    DeadLetter,
    DeadLetterPage,
    DeadLetterSummary,
    DecideInput,
    DismissInput,
    DismissOutput,
    DismissRow,
    Reason,
    Reference,
    ReplayInput,
    ReplayOutput,
    ReplayRow,
    RetryInput,
    RetryOutput,
)
from hub.features.dead_letters.store import Filter

router = Routes("dead letters", "Commands that ended without success: replay, dismiss or decide them.")
CommandsDep = Annotated[Commands, part(Commands)]
DeadLettersDep = Annotated[DeadLetters, part(DeadLetters)]
WaitingDep = Annotated[Waiting, part(Waiting)]


async def which(
    client_id: Annotated[Slug | None, Query(description="Of this client.")] = None,
    action: Annotated[ActionName | None, Query(description="Of this action.")] = None,
    reason: Annotated[Reason | None, Query(description="The cause, such as printer_stopped or expired.")] = None,
    reference: Annotated[Reference | None, Query(description="With this reference.")] = None,
    created_after: Annotated[Moment | None, Query(description=CREATED_AFTER)] = None,
    created_before: Annotated[Moment | None, Query(description=CREATED_BEFORE)] = None,
) -> Filter:
    """Which dead letters a query is about."""
    require_order(created_after, created_before)
    return Filter(
        client_id=client_id,
        action=action,
        reason=reason,
        reference=reference,
        created_after=created_after,
        created_before=created_before,
    )


Which = Annotated[Filter, Depends(which)]


@router.get(
    "/api/dead-letters",
    response_model=DeadLetterPage,
    summary="List open dead letters, newest first",
    description="Commands that ended without success and stay here until someone replays, dismisses or decides them.",
    responses=fails(),
)
async def list_dead_letters(
    dead_letters: DeadLettersDep, caller: MayRead, wanted: Which, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """A page of them."""
    return page_answer(DeadLetter, await dead_letters.page(caller, wanted, before=from_cursor(cursor), limit=limit))


@router.get(
    "/api/dead-letters/summary",
    response_model=DeadLetterSummary,
    summary="How many dead letters are open, by client, action and cause",
    responses=fails(),
)
async def get_dead_letter_summary(dead_letters: DeadLettersDep, caller: MayRead, wanted: Which) -> Response:
    """The numbers."""
    return row_answer(DeadLetterSummary, await dead_letters.summary(caller, wanted))


@router.post(
    "/api/commands/{command_id}/retry",
    status_code=201,
    response_model=RetryOutput,
    summary="Replay a dead letter",
    description=(
        "Makes one new command with `replay_of`, once: asking again gives the same one (200). It takes quota as any "
        "command does; a refusal leaves the dead letter open. An `unknown` one may have taken effect and needs `force`."
    ),
    responses={
        200: {"model": RetryOutput, "description": "It was replayed before; this is the command."},
        **fails(400, 404, 409, 415, 429),
    },
)
async def retry_command(
    command_id: CommandIdInPath,
    request: Request,
    waiting: WaitingDep,
    dead_letters: DeadLettersDep,
    commands: CommandsDep,
    caller: MayCommand,
    body: RetryInput | None = None,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the end.")] = 0,
) -> Response:
    """Run it once more."""
    asked = body or RetryInput()
    new_id = uuid7()
    with waiting.expected(new_id, caller) as end:
        done = await dead_letters.retry(
            caller, command_id, force=asked.force, expires_in_s=asked.expires_in_s, new_id=new_id
        )
        if wait and not done.repeated:
            await until_end(end, request, wait)
    found = done.command_id or new_id
    if wait and done.repeated:
        with waiting.expected(found, caller) as end:
            await waiting.look(found)
            await until_end(end, request, wait)
    row = await commands.get(caller, found, "command")
    return json_answer(
        {**shown(CommandOutput, row), "repeated": done.repeated},
        status_code=200 if done.repeated else 201,
        headers={"Location": f"/api/commands/{found}"},
    )


@router.post(
    "/api/dead-letters/replay",
    response_model=ReplayOutput,
    summary="Replay many dead letters",
    description=(
        "Each for itself, as `POST /api/commands/{command_id}/retry` does it; the answer says what became of each. "
        "With `filter` the oldest 1,000 that fit; `left` and `next_cursor` lead to the rest."
    ),
    responses=fails(400, 415),
)
async def replay_dead_letters(
    body: ReplayInput, dead_letters: DeadLettersDep, caller: MayCommand, accept_language: LanguageHeader = ""
) -> Response:
    """Run them once more."""
    done = await dead_letters.replay_chosen(caller, body.to_request(), force=body.force, expires_in_s=body.expires_in_s)
    return _several(ReplayRow, done, "replayed", accept_language)


@router.post(
    "/api/dead-letters/dismiss",
    response_model=DismissOutput,
    summary="Dismiss many dead letters",
    description=(
        "They leave the list, and commands that waited behind them by their `order_key` go. Idempotent. "
        "With `filter` the oldest 1,000 that fit; `left` and `next_cursor` lead to the rest."
    ),
    responses=fails(400, 415),
)
async def dismiss_dead_letters(
    body: DismissInput, dead_letters: DeadLettersDep, caller: MayCommand, accept_language: LanguageHeader = ""
) -> Response:
    """Let them rest."""
    done = await dead_letters.dismiss_chosen(caller, body.to_request(), note=body.note)
    return _several(DismissRow, done, "dismissed", accept_language)


@router.post(
    "/api/commands/{command_id}/decide",
    response_model=CommandOutput,
    summary="Set the outcome of an unknown command",
    description=(
        "A person looked at the device. It is final: later reports change nothing, and the dead letter is closed, "
        "whatever the outcome."
    ),
    responses=fails(400, 404, 409, 415),
)
async def decide_command(
    command_id: CommandIdInPath,
    body: DecideInput,
    dead_letters: DeadLettersDep,
    commands: CommandsDep,
    caller: MayDecide,
) -> Response:
    """Take a person's word."""
    await dead_letters.decide(caller, command_id, Status(body.outcome), note=body.note)
    return row_answer(CommandOutput, await commands.get(caller, command_id, "decide"))


@dataclass(frozen=True, slots=True)
class _Told:
    """What became of one, in words."""

    id: UUID
    outcome: str
    command_id: UUID | None = None
    code: str | None = None
    detail: str | None = None


def _told(outcome: Outcome, done: str, *, korean: bool) -> _Told:
    refusal = outcome.refusal
    if refusal is not None:
        detail = sentence(refusal.code, refusal.params, korean=korean)
        return _Told(outcome.id, "refused", code=refusal.code, detail=detail)
    return _Told(outcome.id, "repeated" if outcome.repeated else done, outcome.command_id)


def _several(shape: type[ReplayRow] | type[DismissRow], done: Outcomes, name: str, accept_language: str) -> Response:
    korean = prefers_korean(accept_language)
    rows = [_told(outcome, name, korean=korean) for outcome in done.items]
    counts = Counter(row.outcome for row in rows)
    answer: dict[str, Any] = {what: counts[what] for what in (name, "repeated", "refused")}
    answer |= {"left": done.left, "next_cursor": to_cursor(done.following), "items": shown_all(shape, rows)}
    return json_answer(answer, headers={"Content-Language": "ko" if korean else "en"})
