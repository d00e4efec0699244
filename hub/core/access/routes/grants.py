"""Grants: which clients a principal may see or command."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from hub.api.answers import page_answer, row_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor
from hub.api.problems import fails
from hub.api.shapes import Slug
from hub.core.access.routes.require import Confirmed, MayAdminister
from hub.core.access.service.grants import Grants
from hub.core.access.shapes.grants import GrantInput, GrantOutput, GrantPage

router = Routes("access")
GrantsDep = Annotated[Grants, part(Grants)]


def _of_principals(kind: str, who: str) -> None:
    """The routes for the grants of one kind of principal, or of any."""
    path = f"/api/{kind}s/{{principal_id}}/grants"
    principal = Annotated[UUID, Path(description=f"Id of the {who}.")]
    only = None if kind == "principal" else kind

    async def create(principal_id: principal, body: GrantInput, grants: GrantsDep, caller: Confirmed) -> Response:
        """Grant something."""
        return row_answer(GrantOutput, await grants.create(caller, principal_id, only, body.to_request()), 201)

    async def page(
        principal_id: principal,
        grants: GrantsDep,
        caller: MayAdminister,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        """A page of grants in the order in which they were given."""
        found = await grants.page_of(caller, principal_id, only, after=from_cursor(cursor), limit=limit)
        return page_answer(GrantOutput, found)

    router.post(
        path,
        name=f"create_{kind}_grant",
        status_code=201,
        response_model=GrantOutput,
        summary=f"Grant clients to a {who}" if kind != "integration" else "Grant clients to an integration",
        description="Counts for a principal whose reach is `granted`; one that reaches all clients needs no grants.",
        responses=fails(404, 409, body=True),
    )(create)
    router.get(
        path,
        name=f"list_{kind}_grants",
        response_model=GrantPage,
        summary=f"The grants of one {who}",
        responses=fails(404),
    )(page)


_of_principals("principal", "user or integration")
_of_principals("integration", "integration")
_of_principals("user", "user")


@router.get("/api/grants", response_model=GrantPage, summary="List grants", responses=fails())
async def list_grants(
    grants: GrantsDep,
    caller: MayAdminister,
    client: Annotated[Slug | None, Query(description="That mean this client, by whichever kind of target.")] = None,
    principal: Annotated[UUID | None, Query(description="Of this user or integration.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of grants in the order in which they were given."""
    found = await grants.page(caller, principal_id=principal, client=client, after=from_cursor(cursor), limit=limit)
    return page_answer(GrantOutput, found)


@router.delete(
    "/api/grants/{grant_id}",
    response_model=GrantOutput,
    summary="Take a grant back",
    response_description="The grant as it was.",
    description="Counts at once, on every hub.",
    responses=fails(404),
)
async def delete_grant(
    grant_id: Annotated[UUID, Path(description="Id of a grant.")], grants: GrantsDep, caller: MayAdminister
) -> Response:
    """Take it back."""
    return row_answer(GrantOutput, await grants.delete(caller, grant_id))
