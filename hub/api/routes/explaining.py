"""Why a command stands where it stands."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field

from hub.api import causes
from hub.api.deps import HubDep, Permission, require
from hub.api.models import Problem
from hub.api.problems import prefers_korean
from hub.domain.explanation import Cause
from hub.services.submission import Caller

router = APIRouter(tags=["commands"])
PROBLEM: dict[str, Any] = {"model": Problem, "content": {"application/problem+json": {}}}


class ExplanationOutput(BaseModel):
    """One cause, for programs and for people."""

    command_id: UUID
    cause: Cause = Field(description="One of a closed list; programs act on this.")
    detail: str = Field(description="A sentence in the language of Accept-Language: what keeps it, what to do.")
    details: dict[str, Any] = Field(description="What belongs to the cause: ids, times, numbers.")


@router.get(
    "/api/commands/{command_id}/explain",
    response_model=ExplanationOutput,
    summary="Why a command stands where it stands",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def explain_command(
    command_id: UUID,
    hub: HubDep,
    _caller: Annotated[Caller, require(Permission.READ)],
    response: Response,
    accept_language: Annotated[str, Header()] = "",
) -> ExplanationOutput:
    """One cause from a closed list."""
    found = await hub.explaining.explain(command_id)
    korean = prefers_korean(accept_language)
    response.headers["Content-Language"] = "ko" if korean else "en"
    return ExplanationOutput(
        command_id=command_id,
        cause=found.cause,
        detail=causes.sentence(found, korean=korean),
        details=dict(found.details),
    )
