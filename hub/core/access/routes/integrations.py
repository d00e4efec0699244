"""Integrations: other systems that use the hub with keys of their own."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from hub.api.answers import json_answer, page_answer, row_answer, shown, shown_all
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor
from hub.api.problems import fails
from hub.api.shapes import Word
from hub.core.access.routes.keys import with_text
from hub.core.access.routes.require import Confirmed, MayAdminister
from hub.core.access.rules.permissions import TEMPLATES
from hub.core.access.service.integrations import Integrations
from hub.core.access.shapes.grants import GrantOutput
from hub.core.access.shapes.integrations import (
    IntegrationChange,
    IntegrationInput,
    IntegrationOutput,
    IntegrationPage,
    NewIntegrationOutput,
    Status,
    TemplateList,
)

router = Routes("access", "Who may do what: integrations, their keys, grants, and why something is allowed or not.")
IntegrationsDep = Annotated[Integrations, part(Integrations)]
IntegrationIdInPath = Annotated[UUID, Path(description="Id of an integration.")]


@router.get(
    "/api/integrations/templates",
    response_model=TemplateList,
    summary="The templates for integrations",
    responses=fails(),
)
async def list_integration_templates(_caller: MayAdminister) -> Response:
    """What each usual kind of integration gets."""
    items = [
        {
            "id": template.id,
            "role": template.role,
            "reach": "granted",
            "permissions": list(template.permissions),
            "actions": None if template.actions is None else list(template.actions),
            "access": template.access,
            "grants": [target.as_json() for target in template.grants],
        }
        for template in TEMPLATES.values()
    ]
    return json_answer({"items": items})


@router.post(
    "/api/integrations",
    status_code=201,
    response_model=NewIntegrationOutput,
    summary="Create an integration",
    response_description="The integration with its grants and its key, whose text is shown only once.",
    description="Its first grants and its first key can come in the same request: all of it is made, or nothing.",
    responses=fails(409, body=True),
)
async def create_integration(body: IntegrationInput, integrations: IntegrationsDep, caller: Confirmed) -> Response:
    """Make an integration."""
    made = await integrations.create(caller, body.to_request())
    answer = {
        "integration": shown(IntegrationOutput, made.integration),
        "grants": shown_all(GrantOutput, made.grants),
        "key": None if made.key is None else with_text(made.key),
    }
    return json_answer(answer, 201)


@router.get("/api/integrations", response_model=IntegrationPage, summary="List integrations", responses=fails())
async def list_integrations(
    integrations: IntegrationsDep,
    _caller: MayAdminister,
    name: Annotated[Word | None, Query(max_length=100, description="Of this name.")] = None,
    status: Annotated[Status | None, Query(description="With this status.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of integrations in the order in which they were made."""
    found = await integrations.page(name=name, status=status, after=from_cursor(cursor), limit=limit)
    return page_answer(IntegrationOutput, found)


@router.get(
    "/api/integrations/{integration_id}",
    response_model=IntegrationOutput,
    summary="One integration",
    responses=fails(404),
)
async def get_integration(
    integration_id: IntegrationIdInPath, integrations: IntegrationsDep, _caller: MayAdminister
) -> Response:
    """An integration with the numbers of its keys and grants."""
    return row_answer(IntegrationOutput, await integrations.get(integration_id))


@router.patch(
    "/api/integrations/{integration_id}",
    response_model=IntegrationOutput,
    summary="Change an integration, disable it, or enable it again",
    description="Applies at once, also to requests of keys that it has. A disabled integration keeps its keys.",
    responses=fails(404, 409, body=True),
)
async def update_integration(
    integration_id: IntegrationIdInPath, body: IntegrationChange, integrations: IntegrationsDep, caller: Confirmed
) -> Response:
    """Change what is given."""
    return row_answer(IntegrationOutput, await integrations.change(caller, integration_id, body.changes()))


@router.delete(
    "/api/integrations/{integration_id}",
    response_model=IntegrationOutput,
    summary="Remove an integration",
    response_description="The integration as it was.",
    description="For good: its keys are revoked, and its grants end. What it did stays under its name.",
    responses=fails(404),
)
async def delete_integration(
    integration_id: IntegrationIdInPath, integrations: IntegrationsDep, caller: Confirmed
) -> Response:
    """Remove it."""
    return row_answer(IntegrationOutput, await integrations.remove(caller, integration_id))
