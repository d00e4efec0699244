"""Documents: streamed in, and out to the client whose unfinished command names them."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub.api.answers import json_answer, shown
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails, fails_only
from hub.api.strangers import Counting
from hub.core.access.routes import ClientOrReader, MayUpload, public
from hub.core.access.rules import Caller
from hub.core.documents.service.documents import Documents
from hub.core.documents.service.downloads import Downloads
from hub.core.documents.service.incoming import Incoming
from hub.core.documents.shapes import DocumentOutput
from hub.core.documents.store.documents import Document
from schemas import media_types

router = Routes("documents", "Files to print, and files that clients upload.")
DocumentsDep = Annotated[Documents, part(Documents)]
DocumentIdInPath = Annotated[UUID, Path(description="Id of a document.")]
NO_BODY_LIMIT_HERE = 2 * 1024**3
"""The service counts bytes itself and answers with its own problem; this only lifts the limit of all other routes."""


# OpenAPI describes it by the types of the body.
ContentType = Annotated[str, Header(max_length=200, pattern=r"^[\x20-\x7e]*$", include_in_schema=False)]
"""What the sender calls the body."""
_OCTETS = {"type": "string", "format": "binary", "description": "The bytes of the file."}
_ANYTHING = {"schema": {"description": "The bytes of the file."}}
DigestHeader = Annotated[
    str | None,
    Header(
        alias="Content-Digest",
        max_length=1_000,
        description="RFC 9530, such as `sha-256=:BASE64:`. The hub refuses a body that does not match.",
    ),
]
_FILE: dict[str, Any] = {
    media_types.OCTETS: {"schema": _OCTETS},
    **dict.fromkeys((media_types.PDF, media_types.JPEG, media_types.PNG, "text/plain"), _ANYTHING),
}
"""A file by its usual types. openapi-python-client knows bytes as octets of this form only; openapi-typescript takes
that form for text, and one that says nothing for anything. The hub looks what the bytes are."""
_FORM = {
    "title": "FileForm",
    "type": "object",
    "description": "A form with one file, as a browser sends it.",
    "required": ["file"],
    "properties": {"file": _OCTETS},
}


def file_body() -> dict[str, Any]:
    """How a route describes a body that is a file, or a form with one."""
    content = {**_FILE, media_types.FORM: {"schema": _FORM}}
    return {"requestBody": {"required": True, "content": content}}


def file_answer(description: str) -> dict[str, Any]:
    """How a route describes an answer that is a file."""
    return {"description": description, "content": {**_FILE, "*/*": _ANYTHING}}


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
    openapi_extra=file_body(),
    max_body_size=NO_BODY_LIMIT_HERE,
)
async def upload_document(
    request: Request,
    documents: DocumentsDep,
    caller: MayUpload,
    content_type: ContentType = media_types.OCTETS,  # noqa: ARG001 - bounded; read with the head
    content_digest: DigestHeader = None,  # noqa: ARG001 - described and bounded; read with the head
    filename: Annotated[
        str | None,
        Query(max_length=255, pattern=r"^[^\x00-\x1f/\\]+$", description="A name for people, such as label.pdf."),
    ] = None,
) -> Response:
    """Store a document."""
    return stored(await documents.upload(caller, Incoming(request.stream(), request.headers, filename)))


@router.get(
    "/api/documents/{document_id}",
    summary="Download a document",
    description=(
        "For whoever uploaded it or is allowed to read all clients whose commands name it, and for the client (HTTP "
        "Basic) whose unfinished command names it."
    ),
    response_class=StreamingResponse,
    responses={
        200: file_answer("The bytes, with the stored type."),
        **fails(404),
    },
)
async def download_document(
    document_id: DocumentIdInPath, documents: DocumentsDep, who: ClientOrReader
) -> StreamingResponse:
    """The bytes."""
    if isinstance(who, Caller):
        return _sent(documents, await documents.get(who, document_id))
    return _sent(documents, await documents.get_for_client(who, document_id))


@router.get(
    "/api/downloads/{token}",
    summary="Read a document by its address",
    description=(
        "The address that an event `command` has as `pdfUrl`: it needs no key, and leads to the document while the "
        "command is with its client."
    ),
    response_class=StreamingResponse,
    responses={
        200: file_answer("The bytes, with the stored type."),
        **fails_only(404, 422, 503),
    },
    dependencies=[public(Counting.IF_REFUSED)],
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
