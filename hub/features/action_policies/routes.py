"""Actions and their policies: what a command gets that its sender does not say."""

from typing import Annotated, Any

from fastapi import Path, Response

from hub.api.answers import json_answer, shown
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails, fails_only
from hub.core.access.routes import MayAdminister, MayRead
from hub.features.action_policies.service import ActionPolicies, ActionRow
from hub.features.action_policies.shapes import ActionList, ActionOutput, EffectiveOutput, PolicyInput, PolicyOutput

router = Routes("actions", "The actions, and the values that their commands get by default.")
ActionPoliciesDep = Annotated[ActionPolicies, part(ActionPolicies)]
ActionInPath = Annotated[
    str, Path(pattern=r"^[a-z][a-z0-9_-]{0,62}$", description="Name of an action.", examples=["print"])
]


@router.get(
    "/api/actions",
    response_model=ActionList,
    summary="Actions and the defaults of their commands",
    responses=fails_only(401, 403, 503),
)
async def list_actions(policies: ActionPoliciesDep, _caller: MayRead) -> Response:
    """All of them, in order of their names."""
    return json_answer({"items": [_shown(row) for row in await policies.actions()]})


@router.put(
    "/api/actions/{action}/policy",
    response_model=ActionOutput,
    summary="Create or replace the policy of an action",
    description=(
        "It counts for commands that are accepted afterwards; in other hub processes within 5 s. What a command says "
        "itself wins. A command keeps what it was accepted with."
    ),
    responses=fails(body=True),
)
async def set_action_policy(
    action: ActionInPath, body: PolicyInput, policies: ActionPoliciesDep, caller: MayAdminister
) -> Response:
    """Set the policy."""
    return json_answer(_shown(await policies.put(caller, action, body.to_request())))


@router.delete(
    "/api/actions/{action}/policy",
    response_model=ActionOutput,
    summary="Remove the policy of an action",
    responses=fails(),
)
async def delete_action_policy(action: ActionInPath, policies: ActionPoliciesDep, caller: MayAdminister) -> Response:
    """Go back to the hub's defaults; idempotent."""
    return json_answer(_shown(await policies.delete(caller, action)))


def _shown(row: ActionRow) -> dict[str, Any]:
    own = None if row.policy is None else shown(PolicyOutput, row.policy)
    return shown(ActionOutput, row) | {"policy": own, "effective": shown(EffectiveOutput, row.effective)}
