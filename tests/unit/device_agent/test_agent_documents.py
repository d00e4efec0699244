"""Documents: only whole and right ones, from the configured hub and from nowhere else."""

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from device_agent.documents import DocumentError, Documents
from device_agent.hub_http import HubHttp
from tests.support.waiting import eventually

AWAY = "http://127.0.0.1:9"
"""Nobody listens there."""
CONTENT = b"%PDF-" + b"x" * 300_000


class Hub:
    """An HTTP server that answers each path with what the test laid there, as bytes of the whole response."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.requests: list[bytes] = []
        self.silent = False
        self.port = 0

    def lay(self, path: str, content: bytes, status: str = "200 OK", headers: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{headers}\r\n"
        self.answers[path] = head.encode() + content

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(request)
        if self.silent:
            await reader.read()
        path = request.split(b" ")[1].decode()
        writer.write(self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
        writer.close()


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    server = await asyncio.start_server(hub.serve, "127.0.0.1", 0)
    hub.port = server.sockets[0].getsockname()[1]
    hub.lay("/api/documents/1", CONTENT)
    yield hub
    server.close()


@pytest.fixture
def documents(hub: Hub, tmp_path: Path) -> Documents:
    return make(hub, tmp_path)


def make(hub: Hub, folder: Path, **options: Any) -> Documents:
    return Documents(HubHttp(f"http://127.0.0.1:{hub.port}", "pc-1", "secret"), folder / "cache", **options)


def reference(path: str = "/api/documents/1", content: bytes = CONTENT, **change: Any) -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)} | change


async def code_of(documents: Documents, wanted: dict[str, Any]) -> str:
    with pytest.raises(DocumentError) as caught:
        await documents.fetch(wanted)
    assert caught.value.retryable == (caught.value.code == "hub_unreachable")
    return caught.value.code


async def test_a_document_is_fetched_once_with_the_clients_secret(documents: Documents, hub: Hub) -> None:
    paths = await asyncio.gather(*(documents.fetch(reference()) for _ in range(5)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    [request] = hub.requests
    assert b"Basic " + base64.b64encode(b"pc-1:secret") in request


async def test_a_damaged_file_in_the_cache_is_fetched_again(documents: Documents, hub: Hub) -> None:
    path = await documents.fetch(reference())
    path.write_bytes(CONTENT[:-1] + b"y")
    assert (await documents.fetch(reference())).read_bytes() == CONTENT
    assert len(hub.requests) == 2


@pytest.mark.parametrize(
    "laid", [CONTENT[:-1] + b"y", CONTENT[:-1], CONTENT + b"y"], ids=["altered", "shorter", "longer"]
)
async def test_another_file_is_no_document(documents: Documents, hub: Hub, tmp_path: Path, laid: bytes) -> None:
    hub.lay("/api/documents/1", laid)
    assert await code_of(documents, reference()) == "document_hash_mismatch"
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("404 Not Found", "document_missing"),
        ("403 Forbidden", "document_missing"),
        ("302 Found", "document_missing"),
        ("500 Internal Server Error", "hub_unreachable"),
        ("429 Too Many Requests", "hub_unreachable"),
    ],
)
async def test_what_the_hub_answers_becomes_a_code(documents: Documents, hub: Hub, status: str, code: str) -> None:
    hub.lay("/api/documents/1", CONTENT, status, "Location: http://127.0.0.1:1/elsewhere\r\n")
    assert await code_of(documents, reference()) == code
    assert len(hub.requests) == 1


async def test_a_cut_off_answer_is_the_hub_out_of_reach(documents: Documents, hub: Hub) -> None:
    hub.answers["/api/documents/1"] = hub.answers["/api/documents/1"][:-1_000]
    assert await code_of(documents, reference()) == "hub_unreachable"


async def test_a_silent_hub_is_given_up(hub: Hub, tmp_path: Path) -> None:
    hub.silent = True
    assert await code_of(make(hub, tmp_path, stalled_s=0.05), reference()) == "hub_unreachable"


@pytest.mark.parametrize(
    "path", ["http://elsewhere/x", "//elsewhere/x", "api", "/../x", "/a?b", "/a#b", "/a b", "/@elsewhere", "/a\n"]
)
async def test_a_path_leads_nowhere_but_to_the_hub(documents: Documents, hub: Hub, path: str) -> None:
    assert await code_of(documents, reference(path)) == "document_invalid"
    assert hub.requests == []


@pytest.mark.parametrize("change", [{"sha256": "../../etc/passwd"}, {"sha256": "A" * 64}, {"size": -1}, {"size": None}])
async def test_a_reference_must_be_whole(documents: Documents, change: dict[str, Any]) -> None:
    assert await code_of(documents, reference(**change)) == "document_invalid"


async def test_a_document_over_the_cap_is_not_asked_for(hub: Hub, tmp_path: Path) -> None:
    assert await code_of(make(hub, tmp_path, max_document=1_000), reference()) == "document_too_large"
    assert hub.requests == []


@pytest.mark.parametrize("name", ["part-abc", "0" * 64])
async def test_a_file_that_another_lane_takes_away_meanwhile_is_no_fault(
    documents: Documents, tmp_path: Path, name: str
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / name).symlink_to("gone")  # listed, and not there when it is looked at
    assert (await documents.fetch(reference())).read_bytes() == CONTENT


async def test_the_cache_is_bounded_and_the_oldest_goes(hub: Hub, tmp_path: Path) -> None:
    documents = make(hub, tmp_path, max_cache=2_500)
    kept = []
    for number in range(4):
        content = bytes([number]) * 1_000
        hub.lay(f"/d/{number}", content)
        kept.append(await documents.fetch(reference(f"/d/{number}", content)))
        documents.release(kept[-1])
        os.utime(kept[-1], (number, number))
    assert [path.exists() for path in kept] == [False, False, True, True]


async def test_what_another_lane_is_about_to_print_stays_however_full_the_cache_is(hub: Hub, tmp_path: Path) -> None:
    documents = make(hub, tmp_path, max_cache=1_500)
    contents = [bytes([number]) * 1_000 for number in range(4)]
    for number, content in enumerate(contents):
        hub.lay(f"/d/{number}", content)
    held = await documents.fetch(reference("/d/0", contents[0]))
    again = await documents.fetch(reference("/d/0", contents[0]))
    os.utime(held, (0, 0))

    other = await documents.fetch(reference("/d/1", contents[1]))
    assert held.exists()
    documents.release(again)
    documents.release(other)
    await documents.fetch(reference("/d/2", contents[2]))
    assert (held.exists(), other.exists()) == (True, False)
    documents.release(held)
    await documents.fetch(reference("/d/3", contents[3]))
    assert not held.exists()


async def test_what_could_not_be_fetched_is_not_in_use(documents: Documents, hub: Hub) -> None:
    assert await code_of(documents, reference("/d/none")) == "document_missing"
    assert not documents._in_use


async def test_a_hub_that_goes_away_and_comes_back_is_asked_again_within_one_attempt(
    documents: Documents, hub: Hub
) -> None:
    hub.lay("/api/documents/1", b"", "503 Service Unavailable")
    fetching = asyncio.create_task(documents.fetch(reference(), patience_s=30), name="fetch")
    await eventually(lambda: len(hub.requests) >= 2)
    assert not fetching.done()
    hub.lay("/api/documents/1", CONTENT)
    assert (await fetching).read_bytes() == CONTENT


async def test_what_asking_again_cannot_mend_is_said_at_once(documents: Documents, hub: Hub) -> None:
    hub.lay("/api/documents/1", CONTENT, "404 Not Found")
    with pytest.raises(DocumentError, match="has no"):
        await documents.fetch(reference(), patience_s=3_600)
    assert len(hub.requests) == 1


async def test_patience_has_an_end_and_waiting_hears_a_cancel(documents: Documents, hub: Hub) -> None:
    hub.lay("/api/documents/1", b"", "503 Service Unavailable")
    with pytest.raises(DocumentError) as caught:
        await documents.fetch(reference(), patience_s=0.2)
    assert caught.value.retryable
    waiting = asyncio.create_task(documents.fetch(reference(), patience_s=3_600), name="fetch")
    asked = len(hub.requests)
    await eventually(lambda: len(hub.requests) > asked)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    hub.lay("/api/documents/1", CONTENT)
    assert (await documents.fetch(reference())).read_bytes() == CONTENT, "it let go of the document"


async def test_a_cache_that_cannot_be_tidied_costs_no_document(documents: Documents, tmp_path: Path) -> None:
    """A leftover that the disk does not remove; here it is a folder, which no user can unlink."""
    leftover = tmp_path / "cache" / "part-stuck"
    leftover.mkdir(parents=True)
    os.utime(leftover, (1, 1))
    path = await documents.fetch(reference())
    assert path.read_bytes() == CONTENT


async def test_hubs_are_tried_in_turn_and_the_one_that_answered_comes_first(hub: Hub, tmp_path: Path) -> None:
    http = HubHttp([AWAY, f"http://127.0.0.1:{hub.port}"], "pc-1", "secret")
    documents = Documents(http, tmp_path / "cache")
    assert (await documents.fetch(reference())).read_bytes() == CONTENT
    assert [address.port for address in http.in_turn] == [hub.port, 9]


async def test_a_hub_that_fails_in_the_middle_is_followed_by_the_next(hub: Hub, tmp_path: Path) -> None:
    other = Hub()
    async with await asyncio.start_server(other.serve, "127.0.0.1", 0) as server:
        other.port = server.sockets[0].getsockname()[1]
        other.lay("/api/documents/1", CONTENT, "503 Service Unavailable")
        http = HubHttp([f"http://127.0.0.1:{other.port}", f"http://127.0.0.1:{hub.port}"], "pc-1", "secret")
        assert (await Documents(http, tmp_path / "cache").fetch(reference())).read_bytes() == CONTENT
    assert (len(other.requests), len(hub.requests)) == (1, 1)


async def test_a_document_that_no_hub_has_is_not_asked_of_the_next(hub: Hub, tmp_path: Path) -> None:
    http = HubHttp([f"http://127.0.0.1:{hub.port}", f"http://127.0.0.1:{hub.port}"], "pc-1", "secret")
    assert await code_of(Documents(http, tmp_path / "cache"), reference("/api/documents/none")) == "document_missing"
    assert len(hub.requests) == 1


async def test_each_hub_that_does_not_answer_is_named(tmp_path: Path) -> None:
    told: list[str] = []

    async def hear(problem: str) -> None:
        told.append(problem)

    documents = Documents(HubHttp([AWAY, "http://[::1]:9"], "pc-1", "secret"), tmp_path / "cache")
    with pytest.raises(DocumentError) as caught:
        await documents.fetch(reference(), 0.0, hear)
    assert told == [caught.value.message]
    first, second = told[0].split("; ")
    assert first.startswith("the hub at http://127.0.0.1:9 did not send /api/documents/1: ")
    assert second.startswith("the hub at http://[::1]:9 did not send /api/documents/1: ")
