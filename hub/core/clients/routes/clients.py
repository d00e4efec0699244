"""Clients: register, read, change, retire."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from hub.api.lookup import part
from hub.api.problems import PROBLEM
from hub.core.access.routes import MayAdminister, MayRead
from hub.core.clients.service.clients import ClientRequest, Clients
from hub.core.clients.shapes import (
    ClientChange,
    ClientInput,
    ClientOutput,
    ClientPage,
    NewClientOutput,
    PresenceEntry,
    PresenceHistory,
)
from hub.keys import SigningKeys

router = APIRouter(tags=["clients"])
ClientsDep = Annotated[Clients, part(Clients)]
SigningKeysDep = Annotated[SigningKeys, part(SigningKeys)]
ClientId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


@router.post(
    "/api/clients",
    status_code=201,
    response_model=NewClientOutput,
    summary="Register a client",
    description="Answers with the client's secret, this once, when the broker knows it.",
    responses=dict.fromkeys((400, 401, 403, 409, 413, 415, 422, 503), PROBLEM),
)
async def post_client(
    body: ClientInput, clients: ClientsDep, keys: SigningKeysDep, caller: MayAdminister
) -> NewClientOutput:
    """Register a client."""
    fields = body.model_dump()
    fields["tags"] = tuple(body.tags)
    fields["allowed_actions"] = None if body.allowed_actions is None else tuple(body.allowed_actions)
    row, secret = await clients.create(caller, ClientRequest(**fields))
    return NewClientOutput.model_validate({**row, "secret": secret, "root_key": keys.root_public_key})


@router.get(
    "/api/clients",
    response_model=ClientPage,
    summary="List clients",
    responses=dict.fromkeys((401, 403, 422, 503), PROBLEM),
)
async def list_clients(
    clients: ClientsDep,
    _caller: MayRead,
    zone: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    tag: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    group: Annotated[str | None, Query(max_length=63, pattern=r"^[a-z0-9-]+$")] = None,
    presence: Literal["online", "offline", "unknown"] | None = None,
    status: Literal["active", "disabled", "retired"] | None = None,
    cursor: Annotated[str | None, Query(max_length=63, pattern=r"^[a-z0-9-]+$")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ClientPage:
    """A page of clients in order of their ids."""
    rows, following = await clients.page(
        after=cursor, limit=limit, zone=zone, group=group, tag=tag, presence=presence, status=status
    )
    return ClientPage(items=[ClientOutput.model_validate(row) for row in rows], next_cursor=following)


@router.get(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="One client",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def get_client(client_id: ClientId, clients: ClientsDep, _caller: MayRead) -> ClientOutput:
    """A client as it stands now."""
    return ClientOutput.model_validate(await clients.get(client_id))


@router.patch(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="Change a client",
    responses=dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 503), PROBLEM),
)
async def patch_client(
    client_id: ClientId, body: ClientChange, clients: ClientsDep, caller: MayAdminister
) -> ClientOutput:
    """Change what is given."""
    changes = body.model_dump(include=body.model_fields_set)
    return ClientOutput.model_validate(await clients.update(caller, client_id, changes))


@router.delete(
    "/api/clients/{client_id}",
    response_model=ClientOutput,
    summary="Retire a client",
    description="It cannot connect or be commanded any more; its id is never used again, its history stays.",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def delete_client(client_id: ClientId, clients: ClientsDep, caller: MayAdminister) -> ClientOutput:
    """Retire a client."""
    return ClientOutput.model_validate(await clients.retire(caller, client_id))


@router.post(
    "/api/clients/{client_id}/disable",
    response_model=ClientOutput,
    summary="Disable a client",
    description="Its connection ends; it cannot connect or be commanded until it is enabled. Its commands wait.",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def disable_client(client_id: ClientId, clients: ClientsDep, caller: MayAdminister) -> ClientOutput:
    """Disable a client."""
    return ClientOutput.model_validate(await clients.set_enabled(caller, client_id, enabled=False))


@router.post(
    "/api/clients/{client_id}/enable",
    response_model=ClientOutput,
    summary="Enable a client again",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def enable_client(client_id: ClientId, clients: ClientsDep, caller: MayAdminister) -> ClientOutput:
    """Enable a client."""
    return ClientOutput.model_validate(await clients.set_enabled(caller, client_id, enabled=True))


@router.post(
    "/api/clients/{client_id}/secret",
    response_model=NewClientOutput,
    summary="Give a client a new secret",
    description="Shown this once. The connection with the old secret ends, and the old one opens nothing any more.",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def rotate_secret(
    client_id: ClientId, clients: ClientsDep, keys: SigningKeysDep, caller: MayAdminister
) -> NewClientOutput:
    """Rotate the secret."""
    row, secret = await clients.rotate_secret(caller, client_id)
    return NewClientOutput.model_validate({**row, "secret": secret, "root_key": keys.root_public_key})


@router.post(
    "/api/clients/{client_id}/release",
    response_model=ClientOutput,
    summary="Let dispatch to a client go on",
    description="After two machines used its identity at the same time (`keep_away`), once each has its own.",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def release_client(client_id: ClientId, clients: ClientsDep, caller: MayAdminister) -> ClientOutput:
    """Release a client."""
    return ClientOutput.model_validate(await clients.release(caller, client_id))


@router.get(
    "/api/clients/{client_id}/history",
    response_model=PresenceHistory,
    summary="A client's changes of presence",
    responses=dict.fromkeys((401, 403, 404, 422, 503), PROBLEM),
)
async def get_history(
    client_id: ClientId,
    clients: ClientsDep,
    _caller: MayRead,
    cursor: Annotated[AwareDatetime | None, Query(description="next_cursor of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> PresenceHistory:
    """When it came and went."""
    rows, following = await clients.history(client_id, before=cursor, limit=limit)
    items = [PresenceEntry.model_validate(row) for row in rows]
    return PresenceHistory(items=items, next_cursor=following and following.isoformat().replace("+00:00", "Z"))
