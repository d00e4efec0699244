"""Brings up to the hub what a command made: a screenshot, a packed log. Nothing big travels in a report.

The agent asks the hub for a path, which is good once and while the command runs, and puts the bytes there. What comes
back is small and goes into the report's `result.data`, so that people find it.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import msgspec

from device_agent.http_library import load_httpx
from device_agent.hub_http import HubHttp, shown
from schemas.addresses import Address

if TYPE_CHECKING:
    import httpx

TRIES = 3
"""How often a lost connection is tried again; each try asks for a path of its own, since a begun one is used up."""
STALLED_S = 120.0
"""How long the hub may take no part of the file, and how long its answer may take after the last one. A large file on a
slow line may take as long as its command allows."""
PAUSE_S = 1.0
_CHUNK = 64 * 1024
_PATH = re.compile(r"/api/uploads/[A-Za-z0-9_-]{1,100}")


class UploadError(Exception):
    """Something that could not be brought up. `code` is one of upload_too_large, upload_refused, hub_unreachable;
    only the last is `retryable`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = code == "hub_unreachable"


class Uploaded(msgspec.Struct, frozen=True):
    """What the hub keeps now: a document for people to read. Belongs into `result.data`."""

    id: str
    path: str
    sha256: str
    size: int


class _Place(msgspec.Struct):
    path: str
    max_size: int


Answer = TypeVar("Answer", _Place, Uploaded)


class Uploads:
    """Uploads of one client to the hub of its configuration. Safe to use from several tasks."""

    def __init__(self, hub: HubHttp, *, stalled_s: float = STALLED_S, pause_s: float = PAUSE_S) -> None:
        self._hub = hub
        self._stalled_s = stalled_s
        self._pause_s = pause_s

    async def send(self, command_id: str, file: Path, content_type: str) -> Uploaded:
        """Bring a file up for a command that is under way. Raises UploadError, and OSError when it cannot be read.

        May leave more than one document at the hub when answers get lost.
        """
        for attempt in range(1, TRIES + 1):
            try:
                return await self._to_any_hub(command_id, file, content_type)
            except UploadError as problem:
                if not problem.retryable or attempt == TRIES:
                    raise
                await asyncio.sleep(self._pause_s * attempt)
        raise AssertionError("unreachable")

    async def _to_any_hub(self, command_id: str, file: Path, content_type: str) -> Uploaded:
        problems = []
        for hub in self._hub.in_turn:
            try:
                uploaded = await self._try(hub, command_id, file, content_type)
            except UploadError as problem:
                if not problem.retryable:
                    raise
                problems.append(problem)
            else:
                self._hub.answered(hub)
                return uploaded
        raise UploadError("hub_unreachable", "; ".join(problem.message for problem in problems)) from problems[-1]

    async def _try(self, hub: Address, command_id: str, file: Path, content_type: str) -> Uploaded:
        httpx = load_httpx()
        try:
            async with asyncio.timeout(self._stalled_s) as limit, self._hub.connect(hub) as client:
                place = await self._ask(client, command_id)
                with await asyncio.to_thread(file.open, "rb") as opened:
                    return await self._put(client, place, opened, content_type, limit)
        except (httpx.HTTPError, TimeoutError) as problem:
            reason = str(problem) or type(problem).__name__
            message = f"the hub at {shown(hub)} did not take {file.name}: {reason}"
            raise UploadError("hub_unreachable", message) from problem

    async def _ask(self, client: "httpx.AsyncClient", command_id: str) -> _Place:
        answer = await client.post(f"/api/commands/{command_id}/uploads")
        _check(answer)
        place = _parse(answer, _Place)
        if not _PATH.fullmatch(place.path):
            raise UploadError("upload_refused", "the hub named a path that is none for uploads")
        return place

    async def _put(
        self,
        client: "httpx.AsyncClient",
        place: _Place,
        file: BinaryIO,
        content_type: str,
        limit: asyncio.Timeout,
    ) -> Uploaded:
        size = await asyncio.to_thread(file.seek, 0, 2)
        if size > place.max_size:
            raise UploadError("upload_too_large", f"{size} bytes; the hub accepts at most {place.max_size}")
        await asyncio.to_thread(file.seek, 0)
        digest = hashlib.sha256()
        loop = asyncio.get_running_loop()

        async def parts() -> AsyncIterator[bytes]:
            left = size  # a log that still grows must not outgrow the length that was announced
            while left and (part := await asyncio.to_thread(file.read, min(left, _CHUNK))):
                left -= len(part)
                digest.update(part)
                yield part
                limit.reschedule(loop.time() + self._stalled_s)  # the system has taken it

        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        answer = await client.put(place.path, content=parts(), headers=headers, timeout=self._stalled_s)
        _check(answer)
        uploaded = _parse(answer, Uploaded)
        if uploaded.sha256 != digest.hexdigest():
            raise UploadError("hub_unreachable", "the hub received other bytes than were sent")
        return uploaded


def _check(answer: "httpx.Response") -> None:
    """Raise UploadError unless the hub agreed."""
    status = answer.status_code
    if status == 201:
        return
    if status >= 500 or status == 408:
        raise UploadError("hub_unreachable", f"the hub answered HTTP {status}")
    if status == 413:
        raise UploadError("upload_too_large", "the hub accepts no file of this size")
    raise UploadError("upload_refused", f"the hub refused (HTTP {status}): the command may have ended")


def _parse(answer: "httpx.Response", kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as problem:
        raise UploadError("hub_unreachable", f"the hub's answer is not understood: {problem}") from None
