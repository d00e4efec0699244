"""Addresses of documents for clients that fetch without showing a key, as a printer program fetches a URL.

An address stands for one client's right to read one document, and no longer than the client has it: while the client
is active, and a command of its own that was handed out and has not ended names the document.
"""

from collections.abc import Callable
from hmac import compare_digest
from uuid import UUID

from hub.core.documents.rules import DOWNLOAD_PATH
from hub.core.documents.service.documents import Documents
from hub.core.documents.store.documents import Document
from hub.errors import NotFoundError


class Downloads:
    """The service."""

    def __init__(self, documents: Documents, sign: Callable[[str], str]) -> None:
        """`sign` gives what nobody else can, for a text; the hubs of one site give the same."""
        self._documents = documents
        self._sign = sign

    def path(self, client_id: str, document_id: UUID) -> str:
        """Where this client gets this document, on the hub's URL."""
        named = f"{client_id}.{document_id.hex}"
        return f"{DOWNLOAD_PATH}{named}.{self._sign(named)}"

    async def get(self, token: str) -> Document:
        """The document of an address. Raises NotFoundError for other texts, and when the right to read it is over."""
        named, _, signature = token.rpartition(".")
        client_id, _, document_id = named.rpartition(".")
        if not client_id or not compare_digest(signature.encode(), self._sign(named).encode()):
            raise NotFoundError("download_not_found")
        try:
            return await self._documents.get_for_client(client_id, UUID(document_id))
        except NotFoundError:
            raise NotFoundError("download_not_found") from None
