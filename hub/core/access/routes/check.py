"""Who may do what, and why."""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from hub.api.answers import json_answer, shown, shown_all
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor, to_cursor
from hub.api.problems import fails, prefers_korean
from hub.api.shapes import SLUG, ActionName, LanguageHeader, Slug, Word
from hub.core.access.routes.require import MayAdminister
from hub.core.access.rules.reasons import Reason
from hub.core.access.service.check import AccessCheck, Question
from hub.core.access.shapes.check import AccessOutput, HolderOutput, PrincipalOutput, ReachedOutput, Want
from hub.core.access.shapes.keys import KeyOutput
from hub.core.access.store.api_keys import Key
from hub.errors import FieldProblem, RejectedError

router = Routes("access")
AccessCheckDep = Annotated[AccessCheck, part(AccessCheck)]
_NOTHING: dict[str, Any] = dict.fromkeys(AccessOutput.model_fields)


@router.get(
    "/api/access/check",
    response_model=AccessOutput,
    summary="Who may do what, and why",
    description="With a principal or a key, and a client: whether it is allowed, and what each rule says. With a "
    "client alone: who may do it. With a principal or a key alone: what it may do, and with which clients. The answers "
    "come from the rule that is enforced.",
    responses=fails(404),
)
async def check_access(
    check: AccessCheckDep,
    caller: MayAdminister,
    principal: Annotated[Word | None, Query(max_length=100, description="Id or name of a principal.")] = None,
    key_id: Annotated[UUID | None, Query(description="Id of a key.")] = None,
    client: Annotated[Slug | None, Query(description="Id of a client.")] = None,
    action: Annotated[ActionName | None, Query(description="An action; without it, any.")] = None,
    want: Annotated[
        Want | None, Query(description="`read` or `command`. Default: `command` with an action, else `read`.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    accept_language: LanguageHeader = "",
) -> Response:
    """Ask the rule."""
    caller.require_sight_of_all_clients()  # the answers name clients
    question = Question(principal=principal, key_id=key_id, client=client, action=action, want=want)
    korean = prefers_korean(accept_language)
    about = {**_NOTHING, "client": client, "action": action}
    if client is None and principal is None and key_id is None:
        names = ("principal", "key_id", "client")
        raise RejectedError("validation_error", fields=(FieldProblem("query", "any_of", {"names": names}),))
    if client is None:
        extent = await check.extent(question, after=_slug(cursor), limit=limit)
        answer = about | {
            "principal": shown(PrincipalOutput, extent.holder),
            "key": _key(extent.key),
            "permissions": list(extent.permissions),
            "clients": shown_all(ReachedOutput, extent.clients.rows),
            "next_cursor": extent.clients.following,
        }
    elif principal is None and key_id is None:
        holders = await check.holders(question, after=from_cursor(cursor), limit=limit)
        answer = about | {
            "want": question.wanted,
            "holders": shown_all(HolderOutput, holders.rows),
            "next_cursor": to_cursor(holders.following),
        }
    else:
        verdict = await check.verdict(question)
        answer = about | {
            "principal": shown(PrincipalOutput, verdict.holder),
            "key": _key(verdict.key),
            "want": question.wanted,
            "allowed": verdict.allowed,
            "client_allows": verdict.client_allows,
            "reasons": [_reason(reason, korean=korean) for reason in verdict.reasons],
        }
    return json_answer(answer, headers={"Content-Language": "ko" if korean else "en"})


def _key(key: Key | None) -> dict[str, Any] | None:
    return None if key is None else shown(KeyOutput, key)


def _reason(reason: Reason, *, korean: bool) -> dict[str, Any]:
    detail = reason.sentence(korean=korean)
    return {"rule": reason.rule, "allowed": reason.allowed, "id": reason.id, "detail": detail}


def _slug(cursor: str | None) -> str | None:
    """The place in a list of clients. Raises RejectedError."""
    if cursor is not None and re.fullmatch(SLUG.removesuffix("$"), cursor) is None:
        raise RejectedError("validation_error", fields=(FieldProblem("cursor", "cursor"),))
    return cursor
