"""The shapes of documents and uploads."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from hub.api.shapes import Output


class DocumentOutput(Output):
    """A stored document."""

    id: UUID = Field(description="Id of the document, for the payload of a command.")
    path: str = Field(description="Where the client that prints it reads it, on the hub's URL.")
    sha256: str = Field(description="SHA-256 of the stored bytes, in hexadecimal digits.")
    size: int = Field(description="Bytes.")
    content_type: str = Field(description="What the bytes are, where they can be recognised; else as they were called.")
    filename: str | None = Field(description="As the upload named it.")
    created_at: datetime = Field(description="When it was stored.")


class UploadPath(Output):
    """Where a client may upload one thing, once."""

    path: str = Field(description="PUT the bytes there, on the hub's URL, with the client's own secret.")
    max_size: int = Field(description="Bytes that an upload may have.")
