"""Clients: register many at once."""

from typing import Annotated

from fastapi import Response

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails
from hub.core.access.routes import MayAdminister
from hub.core.clients.service.imports import Imports
from hub.core.clients.shapes.imports import ImportedClientOutput, ImportInput, ImportOutput
from hub.keys import SigningKeys

router = Routes("clients")


@router.post(
    "/api/clients/import",
    response_model=ImportOutput,
    summary="Register many clients",
    response_description="What became of each client.",
    description="All of the list is stored, or nothing. The same list again changes nothing. The hub tells the broker "
    "about new clients at a pace that others do not notice, at most 20 a second; `GET /api/broker` says how many wait. "
    "A secret in the list makes a repeated request safe: `secret_valid` says whether it is the client's.",
    responses=fails(body=True),
)
async def import_clients(
    body: ImportInput,
    imports: Annotated[Imports, part(Imports)],
    keys: Annotated[SigningKeys, part(SigningKeys)],
    caller: MayAdminister,
) -> Response:
    """Register many clients, or say what would happen."""
    done = await imports.import_(caller, body.to_request())
    items = [ImportedClientOutput.of(one).model_dump() for one in done]
    return json_answer({"items": items, "root_key": keys.root_public_key})
