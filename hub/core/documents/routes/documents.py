"""Documents: streamed in, and out to the client whose unfinished command names them."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub.api.answers import json_answer, shown
from hub.api.lookup import part
from hub.api.problems import fails, fails_only
from hub.core.access.routes import ClientOrReader, MayUpload, public
from hub.core.documents.service.documents import Documents
from hub.core.documents.service.downloads import Downloads
from hub.core.documents.service.incoming import Incoming
from hub.core.documents.shapes import DocumentOutput
from hub.core.documents.store.documents import Document
from schemas import media_types

router = APIRouter(tags=["documents"])
DocumentsDep = Annotated[Documents, part(Documents)]
NO_BODY_LIMIT_HERE = 2 * 1024**3
"""The service counts bytes itself and answers with its own problem; this only lifts the limit of all other routes."""


ContentType = Annotated[str, Header(max_length=200, pattern=r"^[\x20-\x7e]*$")]
"""What the sender calls the body."""


def body_of(example: str) -> dict[str, Any]:
    """How a route describes a body that is a file, or a form with one."""
    octets = {"type": "string", "format": "binary"}
    form = {"type": "object", "required": ["file"], "properties": {"file": octets}}
    content = {example: {"schema": octets}, media_types.FORM: {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}


def stored(document: Document) -> Response:
    """The answer to an upload."""
    return json_answer(shown(DocumentOutput, document) | {"sha256": document.sha256.hex()}, 201)


@router.post(
    "/api/documents",
    status_code=201,
    response_model=DocumentOutput,
    summary="Upload a document",
    description=(
        "The body is the document itself, at most 100 MiB, or a form with it as its only file. Name its type in "
        "Content-Type. The stored `content_type` is what the bytes are, where they can be recognised."
    ),
    responses=fails(400, 408, 413, 415, 507),
    openapi_extra=body_of("application/pdf"),
    max_body_size=NO_BODY_LIMIT_HERE,
)
async def post_document(
    request: Request,
    documents: DocumentsDep,
    caller: MayUpload,
    content_type: ContentType = media_types.OCTETS,  # noqa: ARG001 - described and bounded; read with the head
    filename: Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00-\x1f/\\]+$")] = None,
) -> Response:
    """Store a document."""
    return stored(await documents.upload(caller, Incoming(request.stream(), request.headers, filename)))


@router.get(
    "/api/documents/{document_id}",
    summary="Read a document",
    description="For people with the permission, and for the client (HTTP Basic) whose unfinished command names it.",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
        **fails(404),
    },
)
async def get_document(document_id: UUID, documents: DocumentsDep, client_id: ClientOrReader) -> StreamingResponse:
    """The bytes."""
    if client_id is None:
        return _sent(documents, await documents.get(document_id))
    return _sent(documents, await documents.get_for_client(client_id, document_id))


@router.get(
    "/api/downloads/{token}",
    summary="Read a document by its address",
    description=(
        "The address that an event `command` has as `pdfUrl`: it needs no key, and leads to the document while the "
        "command is with its client."
    ),
    response_class=StreamingResponse,
    responses={
        200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
        **fails_only(404, 422, 503),
    },
    dependencies=[public()],
)
async def get_download(
    token: Annotated[str, Path(max_length=200, pattern=r"^[A-Za-z0-9_.-]+$", description="As the event has it.")],
    documents: DocumentsDep,
    downloads: Annotated[Downloads, part(Downloads)],
) -> StreamingResponse:
    """The bytes."""
    return _sent(documents, await downloads.get(token))


def _sent(documents: Documents, document: Document) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        async for chunk in documents.read(document):
            yield chunk

    return StreamingResponse(
        parts(),
        media_type=document.content_type,
        headers={
            "Content-Length": str(document.size),
            # What somebody uploaded is never shown as a page of ours.
            "Content-Disposition": "attachment",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )
