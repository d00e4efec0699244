"""Printers: list."""

from typing import Annotated, Literal

from fastapi import Query, Response

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit
from hub.api.problems import fails
from hub.api.shapes import Slug, Word
from hub.core.access.routes import MayRead
from hub.features.printing.rules import Place
from hub.features.printing.service import Printers
from hub.features.printing.shapes import PrinterPage, PrinterState
from hub.features.printing.store import Filter

router = Routes("printers", "The printers of all clients, as each client last reported its own.")
PrintersDep = Annotated[Printers, part(Printers)]


@router.get(
    "/api/printers",
    response_model=PrinterPage,
    summary="List the printers of all clients",
    description="As each client last reported its own: state, reasons, paper, toner and queue.",
    responses=fails(),
)
async def list_printers(
    printers: PrintersDep,
    caller: MayRead,
    client_id: Annotated[Slug | None, Query(description="Of this client.")] = None,
    zone: Annotated[Word | None, Query(max_length=100, description="Of clients in this zone.")] = None,
    group: Annotated[Slug | None, Query(description="Of clients in this group.")] = None,
    tag: Annotated[Word | None, Query(max_length=100, description="Of clients with this tag.")] = None,
    presence: Annotated[Literal["online", "offline", "unknown"] | None, Query(description="Of their clients.")] = None,
    name: Annotated[Word | None, Query(max_length=200, description="With this name.")] = None,
    model: Annotated[Word | None, Query(max_length=200, description="A part of it, in any case.")] = None,
    state: Annotated[list[PrinterState] | None, Query(max_length=5, description="May be given several times.")] = None,
    reason: Annotated[Word | None, Query(max_length=100, description="Such as media-empty.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of printers in order of their clients' ids."""
    wanted = Filter(
        client_id=client_id,
        zone=zone,
        group=group,
        tag=tag,
        presence=presence,
        name=name,
        model=model,
        states=list(state) if state else None,
        reason=reason,
    )
    page = await printers.page(caller, wanted, after=Place.of(cursor), limit=limit)
    return json_answer({"items": list(page.rows), "next_cursor": page.following})
