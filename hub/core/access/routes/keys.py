"""API keys of users and integrations."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response

from hub.api.answers import json_answer, page_answer, row_answer, shown
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, from_cursor
from hub.api.problems import fails
from hub.api.shapes import Moment, Word
from hub.core.access.routes.require import Confirmed, MayAdminister
from hub.core.access.service.keys import KeyFilter, Keys, NewKey
from hub.core.access.shapes.keys import (
    KeyInput,
    KeyOutput,
    KeyPage,
    KeyStatus,
    NewKeyOutput,
    RotationInput,
    duration,
)

router = Routes("access")
KeysDep = Annotated[Keys, part(Keys)]
KeyIdInPath = Annotated[UUID, Path(description="Id of a key.")]
_SHOWN_ONCE = "The key with its text, which is shown only once."


def with_text(new: NewKey) -> dict[str, Any]:
    """A key as `NewKeyOutput` has it."""
    return {**shown(KeyOutput, new.key), "key": new.text}


def _of_principals(kind: str) -> None:
    """The routes for the keys of one kind of principal."""
    path = f"/api/{kind}s/{{principal_id}}/keys"
    who = "user" if kind == "user" else "integration"
    principal = Annotated[UUID, Path(description=f"Id of the {who}.")]

    async def create(principal_id: principal, body: KeyInput, keys: KeysDep, caller: Confirmed) -> Response:
        """Make a key."""
        return json_answer(with_text(await keys.create(caller, principal_id, kind, body.to_request())), 201)

    async def page(
        principal_id: principal,
        keys: KeysDep,
        caller: MayAdminister,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        """A page of keys in the order in which they were made."""
        found = await keys.page_of(caller, principal_id, kind, after=from_cursor(cursor), limit=limit)
        return page_answer(KeyOutput, found)

    router.post(
        path,
        name=f"create_{kind}_key",
        status_code=201,
        response_model=NewKeyOutput,
        summary=f"Create a key of {'a user' if kind == 'user' else 'an integration'}",
        response_description=_SHOWN_ONCE,
        description="The key may do what its principal may, within the limits given here. Its text is never shown "
        "again. A key with limits of its own can only make keys within them.",
        responses=fails(404, 409, body=True),
    )(create)
    router.get(
        path, name=f"list_{kind}_keys", response_model=KeyPage, summary=f"The keys of one {who}", responses=fails(404)
    )(page)


_of_principals("integration")
_of_principals("user")


@router.get("/api/keys", response_model=KeyPage, summary="List keys", responses=fails())
async def list_keys(
    keys: KeysDep,
    caller: MayAdminister,
    principal: Annotated[UUID | None, Query(description="Of this user or integration.")] = None,
    prefix: Annotated[Word | None, Query(max_length=20, description="Whose text begins so: the whole prefix.")] = None,
    status: Annotated[KeyStatus | None, Query(description="With this status.")] = None,
    unused_since: Annotated[Moment | None, Query(description="Neither used nor made since then.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of keys in the order in which they were made."""
    wanted = KeyFilter(principal, prefix, status, unused_since)
    return page_answer(KeyOutput, await keys.page(caller, wanted, after=from_cursor(cursor), limit=limit))


@router.get("/api/keys/{key_id}", response_model=KeyOutput, summary="One key", responses=fails(404))
async def get_key(key_id: KeyIdInPath, keys: KeysDep, caller: MayAdminister) -> Response:
    """A key, valid or not."""
    return row_answer(KeyOutput, await keys.get(caller, key_id))


@router.post(
    "/api/keys/{key_id}/rotate",
    status_code=201,
    response_model=NewKeyOutput,
    summary="Replace a key, with an overlap",
    response_description=_SHOWN_ONCE,
    description="Makes a key with the same limits. The old key ends after the overlap: until then both are valid.",
    responses=fails(404, 409, body=True),
)
async def rotate_key(key_id: KeyIdInPath, body: RotationInput, keys: KeysDep, caller: Confirmed) -> Response:
    """Replace a key."""
    return json_answer(with_text(await keys.rotate(caller, key_id, duration(body.overlap))), 201)


@router.delete(
    "/api/keys/{key_id}",
    response_model=KeyOutput,
    summary="Revoke a key",
    description="It is refused at once, on every hub. Idempotent.",
    responses=fails(404),
)
async def revoke_key(key_id: KeyIdInPath, keys: KeysDep, caller: MayAdminister) -> Response:
    """Revoke a key."""
    return row_answer(KeyOutput, await keys.revoke(caller, key_id))
