"""A document that cannot be kept took no effect, and is worth another attempt."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from device_agent.documents import RESERVE, DocumentError, Documents
from device_agent.hub_http import HubHttp


async def test_a_folder_that_takes_no_file_is_a_retryable_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "documents"
    blocked.write_text("a file where the folder should be")
    documents = Documents(HubHttp("http://127.0.0.1:1", "pc", "secret"), blocked)

    with pytest.raises(DocumentError) as caught:
        await documents.fetch({"path": "/api/documents/1", "sha256": "ab" * 32, "size": 3})

    assert (caught.value.code, caught.value.retryable) == ("document_not_stored", True)
    assert str(blocked) in caught.value.message


def test_what_an_earlier_process_left_half_way_goes(tmp_path: Path) -> None:
    (tmp_path / "part-abc").write_bytes(b"half")
    (tmp_path / ("ab" * 32)).write_bytes(b"whole")
    Documents(HubHttp("http://127.0.0.1:1", "pc", "secret"), tmp_path).clear_parts()
    assert [file.name for file in tmp_path.iterdir()] == ["ab" * 32]


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("cached", "code"), [(False, "document_not_stored"), (True, "hub_unreachable")])
async def test_documents_leave_room_for_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, cached: bool, code: str
) -> None:
    """A document that nobody uses makes way; then only the hub, which is not there, is missing."""
    size = 3_000_000
    old = tmp_path / ("cd" * 32)
    if cached:
        old.write_bytes(b"x" * 2_000_000)

    def usage(_: object) -> Usage:
        free = RESERVE + size - 1_000_000 + (0 if old.exists() or not cached else 2_000_000)
        return Usage(10**12, 10**12 - free, free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    documents = Documents(HubHttp("http://127.0.0.1:1", "pc", "secret"), tmp_path)
    with pytest.raises(DocumentError) as caught:
        await documents.fetch({"path": "/api/documents/1", "sha256": "ab" * 32, "size": size})
    assert (caught.value.code, old.exists()) == (code, False)
