"""Clients: register, read, change, retire."""

from typing import Annotated, Any

from fastapi import Query, Response

from hub.api.answers import json_answer, page_answer, row_answer, shown
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import NEXT_PAGE, Limit, SlugCursor
from hub.api.problems import fails
from hub.api.shapes import ClientIdInPath, Moment, Slug, Word
from hub.core.access.routes import Confirmed, MayAdminister, MayRead
from hub.core.clients.service.clients import Clients, Registered
from hub.core.clients.shapes import (
    ClientChange,
    ClientInput,
    ClientOutput,
    ClientPage,
    ClientStatus,
    NewClientOutput,
    Presence,
    PresenceEntry,
    PresenceHistory,
)
from hub.core.clients.store.clients import Filter
from hub.keys import SigningKeys

router = Routes("clients", "The machines: register, change and retire them, and what each may be asked to do.")
ClientsDep = Annotated[Clients, part(Clients)]
SigningKeysDep = Annotated[SigningKeys, part(SigningKeys)]


@router.post(
    "/api/clients",
    status_code=201,
    response_model=NewClientOutput,
    summary="Register a client",
    response_description="The client with its secret, which is shown only once.",
    description="The answer, sent when the broker knows the client, has the client's secret. It is never shown again.",
    responses=fails(409, body=True),
)
async def create_client(
    body: ClientInput, clients: ClientsDep, keys: SigningKeysDep, caller: MayAdminister
) -> Response:
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
    caller: MayRead,
    zone: Annotated[Word | None, Query(max_length=100, description="In this zone.")] = None,
    tag: Annotated[Word | None, Query(max_length=100, description="With this tag.")] = None,
    group: Annotated[Slug | None, Query(description="Of this group.")] = None,
    presence: Annotated[Presence | None, Query(description="With this presence.")] = None,
    status: Annotated[ClientStatus | None, Query(description="With this status.")] = None,
    cursor: SlugCursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of clients in order of their ids."""
    wanted = Filter(zone=zone, group=group, tag=tag, presence=presence, status=status)
    return page_answer(ClientOutput, await clients.page(caller, wanted, after=cursor, limit=limit))


@router.get(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="One client",
    responses=fails(404),
)
async def get_client(client_id: ClientIdInPath, clients: ClientsDep, caller: MayRead) -> Response:
    """A client with its current state."""
    return row_answer(ClientOutput, await clients.get(caller, client_id))


@router.patch(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="Change a client",
    responses=fails(404, body=True),
)
async def update_client(
    client_id: ClientIdInPath, body: ClientChange, clients: ClientsDep, caller: MayAdminister
) -> Response:
    """Change what is given."""
    return row_answer(ClientOutput, await clients.update(caller, client_id, body.changes()))


@router.delete(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="Retire a client",
    description="It can no longer connect or get commands. Its id is never reused, and its history stays.",
    responses=fails(404),
)
async def retire_client(client_id: ClientIdInPath, clients: ClientsDep, caller: Confirmed) -> Response:
    """Retire a client."""
    return row_answer(ClientOutput, await clients.retire(caller, client_id))


@router.post(
    "/api/clients/{client_id}/disable",
    response_model=ClientOutput,
    summary="Disable a client",
    description="Its connection ends. It cannot connect until it is enabled, and its commands wait.",
    responses=fails(404),
)
async def disable_client(client_id: ClientIdInPath, clients: ClientsDep, caller: MayAdminister) -> Response:
    """Disable a client."""
    return row_answer(ClientOutput, await clients.set_enabled(caller, client_id, enabled=False))


@router.post(
    "/api/clients/{client_id}/enable",
    response_model=ClientOutput,
    summary="Enable a client again",
    responses=fails(404),
)
async def enable_client(client_id: ClientIdInPath, clients: ClientsDep, caller: MayAdminister) -> Response:
    """Enable a client."""
    return row_answer(ClientOutput, await clients.set_enabled(caller, client_id, enabled=True))


@router.post(
    "/api/clients/{client_id}/secret",
    response_model=NewClientOutput,
    summary="Give a client a new secret",
    description="The new secret is shown only once. The old secret is invalid, and its connection ends.",
    responses=fails(404),
)
async def rotate_client_secret(
    client_id: ClientIdInPath, clients: ClientsDep, keys: SigningKeysDep, caller: Confirmed
) -> Response:
    """Rotate the secret."""
    return json_answer(_with_secret(await clients.rotate_secret(caller, client_id), keys))


@router.post(
    "/api/clients/{client_id}/unfence",
    response_model=ClientOutput,
    summary="Dispatch to a client again",
    description="Use it after two machines used its identity (`fenced`), when each has its own identity.",
    responses=fails(404),
)
async def unfence_client(client_id: ClientIdInPath, clients: ClientsDep, caller: MayAdminister) -> Response:
    """Unfence a client."""
    return row_answer(ClientOutput, await clients.unfence(caller, client_id))


@router.get(
    "/api/clients/{client_id}/history",
    response_model=PresenceHistory,
    summary="A client's changes of presence",
    responses=fails(404),
)
async def get_client_history(
    client_id: ClientIdInPath,
    clients: ClientsDep,
    caller: MayRead,
    cursor: Annotated[Moment | None, Query(description=NEXT_PAGE)] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Entries in a page.")] = 100,
) -> Response:
    """When it came and went."""
    return page_answer(PresenceEntry, await clients.history(caller, client_id, before=cursor, limit=limit))


def _with_secret(registered: Registered, keys: SigningKeys) -> dict[str, Any]:
    """As NewClientOutput has it."""
    new = {"secret": registered.secret, "root_key": keys.root_public_key, "broker_ready": registered.broker_ready}
    return shown(ClientOutput, registered.client) | new
