"""What commands print, show or bring."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Uuid, text
from sqlmodel import Field

from hub.database.tables import Table, client_id_, text_


class Document(Table, table=True):
    """What a command prints or shows; never changed, so that its hash says everything."""

    __tablename__ = "documents"
    __table_args__ = (Index("documents_sha256", "sha256"), Index("documents_used", "used_at"))

    id: UUID = Field(primary_key=True)
    sha256: bytes = Field(sa_type=LargeBinary)
    size: int = Field(sa_type=BigInteger)
    content_type: str = text_()
    filename: str | None = text_()
    created_by: UUID
    created_at: datetime
    used_at: datetime = Field(sa_column_kwargs={"server_default": text("now()")})
    """When a command last named it, give or take an hour."""


class DocumentChunk(Table, table=True):
    """A part of a document. Written before the document's row, hence the deferred reference."""

    __tablename__ = "document_chunks"

    document_id: UUID = Field(
        sa_column=Column(
            Uuid,
            ForeignKey("documents.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
            primary_key=True,
        )
    )
    position: int = Field(primary_key=True)
    # `bytes` would hide the type.
    content: bytes = Field(sa_column=Column("bytes", LargeBinary, nullable=False))


class Upload(Table, table=True):
    """A one-time path by which a client uploads what a command brought, and the document that came of it."""

    __tablename__ = "uploads"
    __table_args__ = (
        Index("uploads_command", "command_id"),
        Index("uploads_document", "document_id", postgresql_where=text("document_id IS NOT NULL")),
    )

    token_sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    client_id: str = client_id_()
    command_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("commands.id", ondelete="CASCADE"), nullable=False))
    created_at: datetime
    used_at: datetime | None
    document_id: UUID | None = Field(sa_column=Column(Uuid, ForeignKey("documents.id", ondelete="SET NULL")))
