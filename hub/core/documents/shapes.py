"""The shapes of documents and uploads."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from hub.api.shapes import Output


class DocumentOutput(Output):
    """A stored document."""

    EXAMPLE: ClassVar = {
        "id": "0193b3c0-0000-7000-8000-000000000000",
        "path": "/api/documents/0193b3c0-0000-7000-8000-000000000000",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "size": 18_412,
        "content_type": "application/pdf",
        "filename": "order-1001.pdf",
        "created_at": "2026-11-21T08:00:00.004Z",
    }

    id: UUID = Field(description="Id of the document, for the payload of a command.")
    path: str = Field(description="The path at the hub from which the client reads it.")
    sha256: str = Field(description="SHA-256 of the stored bytes, in hexadecimal digits.")
    size: int = Field(description="Bytes.")
    content_type: str = Field(
        description="The type detected from the bytes; if it cannot be detected, the declared type."
    )
    filename: str | None = Field(description="As the upload named it.")
    created_at: datetime = Field(description="When it was stored.")


class UploadPath(Output):
    """Where a client may upload one thing, once."""

    path: str = Field(
        description="The path at the hub to which the client sends the bytes with PUT and its own secret."
    )
    max_size: int = Field(description="The largest size of an upload, in bytes.")
