"""Uploads: to the configured hub and nowhere else, whole, and once more when a connection broke."""

import asyncio
import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from device_agent.hub_http import HubHttp
from device_agent.uploads import UploadError, Uploads

CONTENT = b"\x89PNG" + b"x" * 700_000


class Hub:
    """Gives paths out and takes what comes, unless a test lays other answers for the next requests."""

    def __init__(self) -> None:
        self.port = 0
        self.silent = False
        self.asked: list[str] = []
        self.received: list[bytes] = []
        self.next: list[tuple[int, Any] | None] = []
        """Answers to come first; None hangs up."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            if self.silent:
                await reader.read()
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path, _ = head.split(" ", 2)
                self.asked.append(f"{method} {path}")
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                answer = self.next.pop(0) if self.next else self.answer(method, body)
                if answer is None:
                    return
                content = json.dumps(answer[1]).encode()
                lines = f"HTTP/1.1 {answer[0]} X\r\nContent-Length: {len(content)}\r\nLocation: http://127.0.0.1:1/\r\n"
                writer.write(f"{lines}\r\n".encode() + content)
                await writer.drain()

    def answer(self, method: str, body: bytes) -> tuple[int, Any]:
        if method == "POST":
            return 201, {"path": f"/api/uploads/t{len(self.asked)}", "max_size": 1_000_000}
        self.received.append(body)
        return 201, {"id": "d", "path": "/d", "sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "new": 1}


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    async with await asyncio.start_server(hub.serve, "127.0.0.1", 0, limit=2**21) as server:
        hub.port = server.sockets[0].getsockname()[1]
        yield hub


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "screen.png"
    file.write_bytes(CONTENT)
    return file


def uploads(hub: Hub, **options: Any) -> Uploads:
    return Uploads(HubHttp(f"http://127.0.0.1:{hub.port}", "pc-1", "secret"), pause_s=0, **options)


async def test_a_file_arrives_whole(hub: Hub, picture: Path) -> None:
    uploaded = await uploads(hub).send("c-1", picture, "image/png")
    assert hub.received == [CONTENT]
    assert (uploaded.id, uploaded.sha256, uploaded.size) == ("d", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    assert hub.asked == ["POST /api/commands/c-1/uploads", "PUT /api/uploads/t1"]


async def test_a_broken_connection_is_tried_again_with_a_new_path(hub: Hub, picture: Path) -> None:
    hub.next = [None, (201, {"path": "/api/uploads/first", "max_size": 10**6}), None]
    await uploads(hub).send("c-1", picture, "image/png")
    assert hub.asked[1:] == [
        "POST /api/commands/c-1/uploads",
        "PUT /api/uploads/first",
        "POST /api/commands/c-1/uploads",
        "PUT /api/uploads/t4",
    ]
    assert hub.received == [CONTENT]


PLACE = (201, {"path": "/api/uploads/t", "max_size": 10**6})


@pytest.mark.parametrize(
    ("answers", "code", "requests"),
    [
        ([(404, {})], "upload_refused", 1),
        ([(401, {})], "upload_refused", 1),
        ([(429, {})], "upload_refused", 1),
        ([(302, {})], "upload_refused", 1),
        ([(201, {"path": "//elsewhere/x", "max_size": 1})], "upload_refused", 1),
        ([(201, {"path": "http://elsewhere/x", "max_size": 1})], "upload_refused", 1),
        ([(201, {"path": "/api/uploads/../x", "max_size": 1})], "upload_refused", 1),
        ([(201, {"path": "/api/uploads/t", "max_size": 10})], "upload_too_large", 1),
        ([PLACE, (413, {})], "upload_too_large", 2),
        ([PLACE, (404, {})], "upload_refused", 2),
        ([(503, {})] * 3, "hub_unreachable", 3),
        ([(201, "no object")] * 3, "hub_unreachable", 3),
        ([PLACE, (201, {"id": "d", "path": "/d", "sha256": "0" * 64, "size": 3})] * 3, "hub_unreachable", 6),
    ],
)
async def test_what_the_hub_answers_becomes_a_code(
    hub: Hub, picture: Path, answers: list[Any], code: str, requests: int
) -> None:
    hub.next = list(answers)
    with pytest.raises(UploadError) as caught:
        await uploads(hub).send("c-1", picture, "image/png")
    assert (caught.value.code, len(hub.asked)) == (code, requests)
    assert caught.value.retryable == (code == "hub_unreachable")


async def test_a_silent_hub_is_given_up(hub: Hub, picture: Path) -> None:
    hub.silent = True
    with pytest.raises(UploadError) as caught:
        await uploads(hub, stalled_s=0.05).send("c-1", picture, "image/png")
    assert caught.value.code == "hub_unreachable"


async def test_a_file_that_is_not_there_is_the_drivers_affair(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await uploads(hub).send("c-1", tmp_path / "nothing", "image/png")


async def test_hubs_are_tried_in_turn(hub: Hub, picture: Path) -> None:
    http = HubHttp(["http://127.0.0.1:9", f"http://127.0.0.1:{hub.port}"], "pc-1", "secret")
    await Uploads(http, pause_s=0).send("c-1", picture, "image/png")
    assert hub.received == [CONTENT]
    assert [address.port for address in http.in_turn] == [hub.port, 9]


async def test_a_refusal_is_not_tried_at_the_next_hub(hub: Hub, picture: Path) -> None:
    hub.next = [(403, {})]
    here = f"http://127.0.0.1:{hub.port}"
    with pytest.raises(UploadError, match="refused"):
        await Uploads(HubHttp([here, here], "pc-1", "secret"), pause_s=0).send("c-1", picture, "image/png")
    assert hub.asked == ["POST /api/commands/c-1/uploads"]
