"""Why a command stands where it stands."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field

from hub.api.deps import HubDep, Permission, require
from hub.api.models import Problem
from hub.api.problems import prefers_korean
from hub.core.commands.service.submission import Caller
from hub.features.explain import sentences as causes
from hub.features.explain.rules.causes import Cause

router = APIRouter(tags=["commands"])
PROBLEM: dict[str, Any] = {"model": Problem, "content": {"application/problem+json": {}}}


class HopOutput(BaseModel):
    """One step of a command's way."""

    event: str = Field(description="As in the log, and sent (at the broker), accepted (in the agent's journal).")
    at: datetime
    after_ms: float = Field(description="Since the step before; 0 for the first.")
    attempt: int
    detail: dict[str, Any] | None


class ExplanationOutput(BaseModel):
    """One cause, for programs and for people."""

    command_id: UUID
    cause: Cause = Field(description="One of a closed list; programs act on this.")
    detail: str = Field(description="A sentence in the language of Accept-Language: what keeps it, what to do.")
    details: dict[str, Any] = Field(description="What belongs to the cause: ids, times, numbers.")
    way: list[HopOutput] = Field(description="Every step until now, in order of time.")


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
    """One cause from a closed list, and the whole way."""
    told = await hub.explaining.explain(command_id)
    found = told.explanation
    korean = prefers_korean(accept_language)
    response.headers["Content-Language"] = "ko" if korean else "en"
    return ExplanationOutput(
        command_id=command_id,
        cause=found.cause,
        detail=causes.sentence(found, korean=korean),
        details=dict(found.details),
        way=[HopOutput(**asdict(hop)) for hop in told.way],
    )
