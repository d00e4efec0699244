"""Uploads by clients: a path for one thing, once; people read it afterwards as a document."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Request, Response

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails_only
from hub.core.access.routes import ItsOwnId
from hub.core.documents.routes.documents import NO_BODY_LIMIT_HERE, ContentType, DigestHeader, file_body, stored
from hub.core.documents.service.incoming import Incoming
from hub.core.documents.service.uploads import Uploads
from hub.core.documents.shapes import DocumentOutput, UploadPath
from schemas import media_types

router = Routes("documents")
UploadsDep = Annotated[Uploads, part(Uploads)]


@router.post(
    "/api/commands/{command_id}/uploads",
    status_code=201,
    response_model=UploadPath,
    summary="Ask where to upload something",
    description="For the client (HTTP Basic) that has this command, until it ends. Each path takes one upload.",
    responses=fails_only(401, 403, 404, 422, 429, 503),
)
async def create_upload(
    command_id: Annotated[UUID, Path(description="Id of a command of the client's own.")],
    uploads: UploadsDep,
    client_id: ItsOwnId,
) -> Response:
    """Give a path out."""
    return json_answer({"path": await uploads.open(client_id, command_id), "max_size": uploads.max_size}, 201)


@router.put(
    "/api/uploads/{token}",
    status_code=201,
    response_model=DocumentOutput,
    summary="Upload to a path, once",
    description=(
        "For the client (HTTP Basic) that asked for the path. The first try uses it up, also one that fails: ask for "
        "another. The answer's sha256 says what arrived; people read it with GET /api/documents/{id}."
    ),
    responses=fails_only(400, 401, 403, 404, 408, 413, 415, 422, 503, 507),
    openapi_extra=file_body(),
    max_body_size=NO_BODY_LIMIT_HERE,
)
async def upload_file(
    token: Annotated[
        str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$", description="The end of the path that the hub gave.")
    ],
    request: Request,
    uploads: UploadsDep,
    client_id: ItsOwnId,
    content_type: ContentType = media_types.OCTETS,  # noqa: ARG001 - bounded; read with the head
    content_digest: DigestHeader = None,  # noqa: ARG001 - described and bounded; read with the head
) -> Response:
    """Store it."""
    return stored(await uploads.put(client_id, token, Incoming(request.stream(), request.headers)))
