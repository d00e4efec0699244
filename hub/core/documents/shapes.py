"""The shapes of documents and uploads."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class DocumentOutput(BaseModel):
    """A stored document."""

    id: UUID
    path: str = Field(description="Where the client that prints it reads it, on the hub's URL.")
    sha256: str
    size: int
    content_type: str
    filename: str | None
    created_at: datetime


class UploadPath(BaseModel):
    """Where a client may upload one thing, once."""

    path: str = Field(description="PUT the bytes there, on the hub's URL, with the client's own secret.")
    max_size: int = Field(description="In bytes.")
