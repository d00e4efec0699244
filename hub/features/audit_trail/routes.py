"""The audit trail: list, export, verify, erase; and security events."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response
from fastapi.responses import StreamingResponse

from hub.api.answers import json_answer, page_answer, row_answer, shown, shown_all
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit
from hub.api.parameters import require_order
from hub.api.problems import fails, prefers_korean
from hub.api.shapes import LanguageHeader, Moment, Slug
from hub.core.access.routes import MayAdminister, require
from hub.core.access.rules import Caller, Permission
from hub.core.audit.service.sealing import Sealing
from hub.errors import FieldProblem, RejectedError
from hub.features.audit_trail import rules
from hub.features.audit_trail.service import AuditTrail
from hub.features.audit_trail.shapes import (
    WHO,
    AuditEntry,
    AuditPage,
    AuditRestore,
    AuditVerification,
    EraseInput,
    EraseOutput,
    Format,
    Name,
    SecurityEventOutput,
    SecurityEventPage,
    Severity,
)
from hub.features.audit_trail.store import Entry, Filter, SecurityFilter

router = Routes("audit", "Who did what: the trail, its verification, and what looks like an attack.")
AuditTrailDep = Annotated[AuditTrail, part(AuditTrail)]
SealingDep = Annotated[Sealing, part(Sealing)]
_TEXT = {"type": "string"}
_HIGHEST = 2**63 - 1
RowInPath = Annotated[int, Path(ge=1, le=_HIGHEST, description="Number of a row.")]
MayAudit = Annotated[Caller, require(Permission.AUDIT)]


def _everything(caller: Caller) -> None:
    """The trail tells of all clients, so who reaches only some of them does not see it. Raises RejectedError."""
    if caller.scope.limited:
        raise RejectedError("forbidden")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query is about."""

    filter: Filter
    principal: str | None


async def which(
    principal: Annotated[Name | None, Query(description=WHO)] = None,
    action: Annotated[Name | None, Query(description="Of this action, such as client.update.")] = None,
    resource: Annotated[Name | None, Query(description="About this kind of thing, such as client.")] = None,
    resource_id: Annotated[Name | None, Query(description="About this thing.")] = None,
    address: Annotated[Name | None, Query(description="From this address.")] = None,
    since: Annotated[Moment | None, Query(description="At this moment or later.")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment.")] = None,
    text: Annotated[Name | None, Query(description="With this text anywhere, in any case.")] = None,
) -> Wanted:
    """Which rows a query is about."""
    require_order(since, until, "since")
    return Wanted(
        Filter(
            action=action,
            resource=resource,
            resource_id=resource_id,
            address=address,
            since=since,
            until=until,
            text=text,
        ),
        principal,
    )


Which = Annotated[Wanted, Depends(which)]


@router.get(
    "/api/audit",
    response_model=AuditPage,
    summary="List the audit trail, newest first",
    responses=fails(),
)
async def list_audit(
    trail: AuditTrailDep, caller: MayAudit, wanted: Which, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """A page of it."""
    _everything(caller)
    page = await trail.page(wanted.filter, wanted.principal, before=_number(cursor), limit=limit)
    return page_answer(AuditEntry, page)


@router.get(
    "/api/audit/export",
    response_class=StreamingResponse,
    summary="Export the audit trail, oldest first",
    description="The rows that the same filters list. That it was exported is a row of the trail, too.",
    responses={
        200: {
            "description": "The rows: one JSON object a line, or CSV with the names of the fields first.",
            "content": {"application/jsonl": {"schema": _TEXT}, "text/csv": {"schema": _TEXT}},
        },
        **fails(),
    },
)
async def export_audit(
    trail: AuditTrailDep,
    caller: MayAudit,
    wanted: Which,
    format: Annotated[Format, Query(description="One JSON object a line, or CSV.")] = "jsonl",  # noqa: A002
) -> StreamingResponse:
    """All of it, a portion at a time."""
    _everything(caller)
    portions = await trail.export(caller, wanted.filter, wanted.principal)
    return StreamingResponse(
        _csv(portions) if format == "csv" else _json_lines(portions),
        media_type="text/csv; charset=utf-8" if format == "csv" else "application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="audit.{format}"', "Cache-Control": "no-store"},
    )


@router.get(
    "/api/audit/verify",
    response_model=AuditVerification,
    summary="Verify the audit trail",
    description=(
        "Reads all rows and seals. Finds rows that were edited, deleted, inserted or reordered, an end that is "
        "missing, and seals that the hub's audit key has not signed. Of a long trail use `floorhub audit verify "
        "--offline` on the hub's host."
    ),
    responses=fails(409),
)
async def verify_audit(
    trail: AuditTrailDep,
    sealing: SealingDep,
    caller: MayAudit,
    accept: Annotated[
        list[int] | None,
        Query(description="Seals of restores that you know of and that are no problem.", max_length=50),
    ] = None,
    accept_language: LanguageHeader = "en",
) -> Response:
    """What is wrong, if anything."""
    _everything(caller)
    found = await trail.verify(tuple(accept or ()))
    korean = prefers_korean(accept_language)
    problems = [
        {"code": one.code, "row": one.row, "seal": one.seal, "message": one.sentence(korean=korean)}
        for one in found.problems
    ]
    fields = {name: getattr(found, name) for name in AuditVerification.model_fields if hasattr(found, name)}
    restores = shown_all(AuditRestore, found.restores)
    return json_answer(fields | {"restores": restores, "problems": problems, "public_key": sealing.public_key})


@router.post(
    "/api/audit/erase",
    response_model=EraseOutput,
    summary="Erase a person's data from the audit trail",
    description=(
        "Erases address and detail of all rows by the principal or about it, the same of its security events, and its "
        "name. The rows stay, and the trail can be verified as before. The principal must be disabled. Idempotent."
    ),
    responses=fails(404, 409, body=True),
)
async def erase_audit(trail: AuditTrailDep, caller: MayAdminister, body: EraseInput) -> Response:
    """Forget a person."""
    _everything(caller)
    principal_id, erased = await trail.erase(caller, body.principal)
    return json_answer({"principal_id": principal_id, "rows": erased.rows, "security_events": erased.security_events})


@router.get(
    "/api/audit/{row}",
    response_model=AuditEntry,
    summary="A row of the audit trail",
    responses=fails(404),
)
async def get_audit_row(row: RowInPath, trail: AuditTrailDep, caller: MayAudit) -> Response:
    """One row."""
    _everything(caller)
    return row_answer(AuditEntry, await trail.one(row))


@router.get(
    "/api/security-events",
    response_model=SecurityEventPage,
    summary="List security events, newest first",
    description="What looks like an attack. If too many of a kind come in a minute, one row counts the others.",
    responses=fails(),
)
async def list_security_events(
    trail: AuditTrailDep,
    caller: MayAudit,
    severity: Annotated[Severity | None, Query(description="Of this severity.")] = None,
    kind: Annotated[Name | None, Query(description="Of this kind, such as two_machines.")] = None,
    client_id: Annotated[Slug | None, Query(description="Of this client.")] = None,
    since: Annotated[Moment | None, Query(description="At this moment or later.")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of them."""
    _everything(caller)
    require_order(since, until, "since")
    wanted = SecurityFilter(severity=severity, kind=kind, client_id=client_id, since=since, until=until)
    page = await trail.security_page(wanted, before=_number(cursor), limit=limit)
    return page_answer(SecurityEventOutput, page)


def _number(cursor: str | None) -> int | None:
    """The row in a cursor. Raises RejectedError."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20 and 0 < int(cursor) <= _HIGHEST):
        raise RejectedError("validation_error", fields=(FieldProblem("cursor", "cursor"),))
    return int(cursor)


async def _json_lines(portions: AsyncIterator[list[Entry]]) -> AsyncIterator[bytes]:
    async for rows in portions:
        yield rules.json_lines(_rows(rows))


async def _csv(portions: AsyncIterator[list[Entry]]) -> AsyncIterator[bytes]:
    yield rules.csv_lines([], heading=True)
    async for rows in portions:
        yield rules.csv_lines(_rows(rows), heading=False)


def _rows(rows: Sequence[Entry]) -> list[dict[str, Any]]:
    return [shown(AuditEntry, row) for row in rows]
