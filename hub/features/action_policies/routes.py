"""Actions and their policies: what a command gets that its sender does not say."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, model_validator

from hub.api.lookup import part
from hub.api.problems import fails, fails_only
from hub.core.access.routes import MayAdminister, MayRead
from hub.core.commands.rules.policies import Policy
from hub.core.commands.shapes import BackOffInput
from hub.features.action_policies.service import ActionPolicies, ActionRow

router = APIRouter(tags=["actions"])
ActionPoliciesDep = Annotated[ActionPolicies, part(ActionPolicies)]
ActionName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,62}$", examples=["print"])]
_CHANGED: dict[int | str, dict[str, Any]] = fails(body=True)


class PolicyInput(BackOffInput):
    """The policy of an action. What is left out, or null, is the hub's default."""

    max_retries: int | None = Field(None, ge=0, le=100)
    timeout_s: float | None = Field(None, gt=0, le=86_400)
    expires_in_s: float | None = Field(None, gt=0, le=2_592_000)

    @model_validator(mode="after")
    def _something(self) -> "PolicyInput":
        if all(value is None for value in self.__dict__.values()):
            raise ValueError("give at least one value; DELETE takes the policy away")
        return self


class PolicyOutput(BaseModel):
    """What an action's policy says; null: the hub's default."""

    max_retries: int | None
    first_delay_s: float | None
    factor: float | None
    cap_s: float | None
    timeout_s: float | None
    expires_in_s: float | None


class EffectiveOutput(BaseModel):
    """What a command of the action gets when its sender says nothing."""

    max_retries: int
    first_delay_s: float
    factor: float
    cap_s: float
    timeout_s: float
    expires_in_s: float


class ActionOutput(BaseModel):
    """An action."""

    action: str
    built_in: bool = Field(description="Every site names it alike; else it is the site's own.")
    policy: PolicyOutput | None = Field(description="null: it has none.")
    effective: EffectiveOutput
    updated_at: datetime | None


class ActionList(BaseModel):
    """The built-in actions, and those that have a policy."""

    items: list[ActionOutput]


@router.get(
    "/api/actions",
    response_model=ActionList,
    summary="Actions and what their commands get by default",
    responses=fails_only(401, 403, 503),
)
async def list_actions(policies: ActionPoliciesDep, _caller: MayRead) -> ActionList:
    """All of them, in order of their names."""
    return ActionList(items=[_output(row) for row in await policies.actions()])


@router.put(
    "/api/actions/{action}/policy",
    response_model=ActionOutput,
    summary="Make or replace the policy of an action",
    description=(
        "It counts for commands that are accepted afterwards; in other hub processes within 5 s. What a command says "
        "itself wins. A command keeps what it was accepted with."
    ),
    responses=_CHANGED,
)
async def put_policy(
    action: ActionName, body: PolicyInput, policies: ActionPoliciesDep, caller: MayAdminister
) -> ActionOutput:
    """Set the policy."""
    return _output(await policies.put(caller, action, Policy(**body.__dict__)))


@router.delete(
    "/api/actions/{action}/policy",
    response_model=ActionOutput,
    summary="Take the policy of an action away",
    responses=fails(),
)
async def delete_policy(action: ActionName, policies: ActionPoliciesDep, caller: MayAdminister) -> ActionOutput:
    """Go back to the hub's defaults; again without a difference."""
    return _output(await policies.delete(caller, action))


def _output(row: ActionRow) -> ActionOutput:
    return ActionOutput.model_validate(asdict(row))
