"""A document that cannot be kept took no effect, and is worth another attempt."""

from pathlib import Path

import pytest

from device_agent.documents import DocumentError, Documents
from device_agent.hub_http import HubHttp


async def test_a_folder_that_takes_no_file_is_a_retryable_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "documents"
    blocked.write_text("a file where the folder should be")
    documents = Documents(HubHttp("http://127.0.0.1:1", "pc", "secret"), blocked)

    with pytest.raises(DocumentError) as caught:
        await documents.fetch({"path": "/api/documents/1", "sha256": "ab" * 32, "size": 3})

    assert (caught.value.code, caught.value.retryable) == ("document_not_stored", True)
    assert str(blocked) in caught.value.message
