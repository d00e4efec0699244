"""Clients: register, read, change, retire."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from hub.api.answers import json_answer, page_answer, row_answer, shown
from hub.api.lookup import part
from hub.api.pages import Limit, SlugCursor
from hub.api.problems import fails
from hub.api.shapes import Moment, Slug, SlugInPath, Word
from hub.core.access.routes import MayAdminister, MayRead
from hub.core.clients.service.clients import Clients, Registered
from hub.core.clients.shapes import (
    ClientChange,
    ClientInput,
    ClientOutput,
    ClientPage,
    NewClientOutput,
    PresenceEntry,
    PresenceHistory,
)
from hub.core.clients.store.clients import Filter
from hub.keys import SigningKeys

router = APIRouter(tags=["clients"])
ClientsDep = Annotated[Clients, part(Clients)]
SigningKeysDep = Annotated[SigningKeys, part(SigningKeys)]


@router.post(
    "/api/clients",
    status_code=201,
    response_model=NewClientOutput,
    summary="Register a client",
    description="Answers with the client's secret, this once, when the broker knows it.",
    responses=fails(409, body=True),
)
async def post_client(body: ClientInput, clients: ClientsDep, keys: SigningKeysDep, caller: MayAdminister) -> Response:
    """Register a client."""
    return json_answer(_with_secret(await clients.create(caller, body.to_request()), keys), 201)


@router.get(
    "/api/clients",
    response_model=ClientPage,
    summary="List clients",
    responses=fails(),
)
async def list_clients(
    clients: ClientsDep,
    _caller: MayRead,
    zone: Annotated[Word | None, Query(max_length=100)] = None,
    tag: Annotated[Word | None, Query(max_length=100)] = None,
    group: Annotated[Slug | None, Query()] = None,
    presence: Literal["online", "offline", "unknown"] | None = None,
    status: Literal["active", "disabled", "retired"] | None = None,
    cursor: SlugCursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of clients in order of their ids."""
    wanted = Filter(zone=zone, group=group, tag=tag, presence=presence, status=status)
    return page_answer(ClientOutput, await clients.page(wanted, after=cursor, limit=limit))


@router.get(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="One client",
    responses=fails(404),
)
async def get_client(client_id: SlugInPath, clients: ClientsDep, _caller: MayRead) -> Response:
    """A client as it stands now."""
    return row_answer(ClientOutput, await clients.get(client_id))


@router.patch(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="Change a client",
    responses=fails(404, body=True),
)
async def patch_client(
    client_id: SlugInPath, body: ClientChange, clients: ClientsDep, caller: MayAdminister
) -> Response:
    """Change what is given."""
    return row_answer(ClientOutput, await clients.update(caller, client_id, body.changes()))


@router.delete(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="Retire a client",
    description="It cannot connect or be commanded any more; its id is never used again, its history stays.",
    responses=fails(404),
)
async def delete_client(client_id: SlugInPath, clients: ClientsDep, caller: MayAdminister) -> Response:
    """Retire a client."""
    return row_answer(ClientOutput, await clients.retire(caller, client_id))


@router.post(
    "/api/clients/{client_id}/disable",
    response_model=ClientOutput,
    summary="Disable a client",
    description="Its connection ends; it cannot connect or be commanded until it is enabled. Its commands wait.",
    responses=fails(404),
)
async def disable_client(client_id: SlugInPath, clients: ClientsDep, caller: MayAdminister) -> Response:
    """Disable a client."""
    return row_answer(ClientOutput, await clients.set_enabled(caller, client_id, enabled=False))


@router.post(
    "/api/clients/{client_id}/enable",
    response_model=ClientOutput,
    summary="Enable a client again",
    responses=fails(404),
)
async def enable_client(client_id: SlugInPath, clients: ClientsDep, caller: MayAdminister) -> Response:
    """Enable a client."""
    return row_answer(ClientOutput, await clients.set_enabled(caller, client_id, enabled=True))


@router.post(
    "/api/clients/{client_id}/secret",
    response_model=NewClientOutput,
    summary="Give a client a new secret",
    description="Shown this once. The connection with the old secret ends, and the old one opens nothing any more.",
    responses=fails(404),
)
async def rotate_secret(
    client_id: SlugInPath, clients: ClientsDep, keys: SigningKeysDep, caller: MayAdminister
) -> Response:
    """Rotate the secret."""
    return json_answer(_with_secret(await clients.rotate_secret(caller, client_id), keys))


@router.post(
    "/api/clients/{client_id}/unfence",
    response_model=ClientOutput,
    summary="Let dispatch to a client go on",
    description="After two machines used its identity at the same time (`fenced`), once each has its own.",
    responses=fails(404),
)
async def unfence_client(client_id: SlugInPath, clients: ClientsDep, caller: MayAdminister) -> Response:
    """Unfence a client."""
    return row_answer(ClientOutput, await clients.unfence(caller, client_id))


@router.get(
    "/api/clients/{client_id}/history",
    response_model=PresenceHistory,
    summary="A client's changes of presence",
    responses=fails(404),
)
async def get_history(
    client_id: SlugInPath,
    clients: ClientsDep,
    _caller: MayRead,
    cursor: Annotated[Moment | None, Query(description="next_cursor of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """When it came and went."""
    return page_answer(PresenceEntry, await clients.history(client_id, before=cursor, limit=limit))


def _with_secret(registered: Registered, keys: SigningKeys) -> dict[str, Any]:
    """As NewClientOutput has it."""
    new = {"secret": registered.secret, "root_key": keys.root_public_key, "broker_ready": registered.broker_ready}
    return shown(ClientOutput, registered.client) | new
