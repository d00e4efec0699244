"""Why a command has not run yet."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails, prefers_korean
from hub.api.shapes import LanguageHeader
from hub.core.access.routes import MayRead
from hub.features.explain.rules.causes import codes
from hub.features.explain.service import Explaining
from hub.features.explain.shapes import ExplanationOutput, StepOutput, closed
from hub.subject import Cause

ExplainingDep = Annotated[Explaining, part(Explaining)]


def routes(causes: Sequence[Cause]) -> APIRouter:
    """The routes; `causes` are all that there are."""
    router = Routes("commands")

    @router.get(
        "/api/commands/{command_id}/explain",
        response_model=closed(codes(causes)),
        summary="Why a command has not run yet",
        responses=fails(404),
    )
    async def explain_command(
        command_id: Annotated[UUID, Path(description="Id of a command.")],
        explaining: ExplainingDep,
        caller: MayRead,
        response: Response,
        accept_language: LanguageHeader = "",
    ) -> ExplanationOutput:
        """One cause from a closed list, and the whole timeline."""
        explained = await explaining.explain(caller, command_id)
        found = explained.explanation
        korean = prefers_korean(accept_language)
        response.headers["Content-Language"] = "ko" if korean else "en"
        return ExplanationOutput(
            command_id=command_id,
            cause=found.code,
            detail=found.sentence(korean=korean),
            details=dict(found.details),
            timeline=[StepOutput(**asdict(step)) for step in explained.timeline],
        )

    return router
