"""Printers: list."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from hub.api.answers import json_answer
from hub.api.lookup import part
from hub.api.pages import Limit
from hub.api.problems import fails
from hub.api.shapes import Slug, Word
from hub.core.access.routes import MayRead
from hub.features.printing.rules import Place
from hub.features.printing.service import Printers
from hub.features.printing.shapes import PrinterPage, PrinterState
from hub.features.printing.store import Filter

router = APIRouter(tags=["printers"])
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
    _caller: MayRead,
    client_id: Annotated[Slug | None, Query()] = None,
    zone: Annotated[Word | None, Query(max_length=100)] = None,
    group: Annotated[Slug | None, Query()] = None,
    tag: Annotated[Word | None, Query(max_length=100)] = None,
    presence: Annotated[Literal["online", "offline", "unknown"] | None, Query(description="Of their clients.")] = None,
    name: Annotated[Word | None, Query(max_length=200)] = None,
    model: Annotated[Word | None, Query(max_length=200, description="A part of it, in any case.")] = None,
    state: Annotated[list[PrinterState] | None, Query(max_length=5, description="May be given several times.")] = None,
    reason: Annotated[Word | None, Query(max_length=100, description="Such as media-empty.")] = None,
    cursor: Annotated[str | None, Query(max_length=200, description="next_cursor of the page before.")] = None,
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
    page = await printers.page(wanted, after=Place.of(cursor), limit=limit)
    return json_answer({"items": list(page.rows), "next_cursor": page.following})
