"""Fetches the documents that commands name from the hub, and keeps them for the next time.

A document is `{path, sha256, size}`: the path lies on the hub this agent is configured with and nowhere else, and the
bytes count only when their hash fits.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import msgspec

from device_agent.http_library import load_httpx
from device_agent.hub_http import HubHttp, Patience, shown
from schemas.actions import DocumentSent
from schemas.addresses import Address

if TYPE_CHECKING:
    import httpx

MAX_DOCUMENT = 100 * 1024 * 1024
MAX_CACHE = 500 * 1024 * 1024
RESERVE = 16 * 1024 * 1024
"""Bytes that documents leave free, so that the journal can be written; of a small disk a twentieth."""
STALLED_S = 30.0
"""How long the hub may send nothing. A large document on a slow line may take as long as its command allows."""
_PATH = re.compile(r"/[A-Za-z0-9._~/-]{1,500}")
_MISSING = {401, 403, 404, 410}

OnProblem = Callable[[str], Awaitable[None]]
"""Hears why a document is not there yet, in words."""


class DocumentError(Exception):
    """A document that cannot be had. `code` is one of document_invalid, document_missing, document_hash_mismatch,
    document_too_large, document_mislabelled, document_not_stored, hub_unreachable; the last two are `retryable`.
    Nothing took effect."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = code in ("hub_unreachable", "document_not_stored")


class Documents:
    """The agent's documents in `folder`, named by their hash. Safe to use from several tasks."""

    def __init__(
        self,
        hub: HubHttp,
        folder: Path,
        *,
        max_document: int = MAX_DOCUMENT,
        max_cache: int = MAX_CACHE,
        stalled_s: float = STALLED_S,
    ) -> None:
        self._hub = hub
        self._folder = folder
        self._max_document = max_document
        self._max_cache = max_cache
        self._stalled_s = stalled_s
        self._fetching: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._in_use: Counter[Path] = Counter()

    async def fetch(
        self, reference: Mapping[str, Any], patience_s: float = 0.0, on_problem: OnProblem | None = None
    ) -> Path:
        """The file with the document's bytes; it must not be changed or removed. It stays until `release`, however full
        the cache gets. Hubs that are away are asked again for `patience_s` seconds. Raises DocumentError."""
        wanted = self._parse(reference)
        path = self._folder / wanted.sha256
        self._in_use[path] += 1  # before the look at the file: from here on nobody removes it
        try:
            lock = self._fetching.setdefault(wanted.sha256, asyncio.Lock())
            async with lock:  # two lanes may want the same document
                if not await asyncio.to_thread(_is_intact, path, wanted):
                    await self._insist(wanted, path, Patience(patience_s), on_problem)
                    with contextlib.suppress(OSError):  # the document is there; the next one tries again
                        await self._make_room()
        except BaseException:
            self.release(path)
            raise
        return path

    def release(self, path: Path) -> None:
        """Say that what `fetch` gave is not read any more; once for each time."""
        self._in_use[path] -= 1
        if not self._in_use[path]:
            del self._in_use[path]

    def _parse(self, reference: Mapping[str, Any]) -> DocumentSent:
        try:
            wanted = msgspec.convert(dict(reference), DocumentSent)
        except msgspec.ValidationError as problem:
            raise DocumentError("document_invalid", f"not a document {{path, sha256, size}}: {problem}") from None
        if not _PATH.fullmatch(wanted.path) or "//" in wanted.path or ".." in wanted.path:
            raise DocumentError("document_invalid", "a document's path must be a plain path on the hub")
        if wanted.size > self._max_document:
            raise DocumentError(
                "document_too_large", f"{wanted.size} bytes; this agent accepts at most {self._max_document}"
            )
        return wanted

    def clear_parts(self) -> None:
        """Remove what an earlier process left half-way. Call it while no other process uses the folder, and before the
        journal needs the room."""
        for part in self._folder.glob("part-*"):
            with contextlib.suppress(OSError):
                part.unlink()

    async def _insist(self, wanted: DocumentSent, path: Path, patience: Patience, on_problem: OnProblem | None) -> None:
        while True:
            try:
                return await self._from_any_hub(wanted, path)
            except DocumentError as problem:
                if problem.code != "hub_unreachable":
                    raise
                if on_problem is not None:
                    await on_problem(problem.message)
                if not await patience.pause():
                    raise

    async def _from_any_hub(self, wanted: DocumentSent, path: Path) -> None:
        problems = []
        for hub in self._hub.in_turn:
            try:
                await self._download(hub, wanted, path)
            except DocumentError as problem:
                if problem.code != "hub_unreachable":
                    raise
                problems.append(problem)
            else:
                self._hub.answered(hub)
                return
        message = "; ".join(problem.message for problem in problems)
        raise DocumentError("hub_unreachable", message) from problems[-1]

    async def _download(self, hub: Address, wanted: DocumentSent, path: Path) -> None:
        httpx = load_httpx()
        try:
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
            await self._require_room(wanted.size)
            async with (
                asyncio.timeout(self._stalled_s) as limit,
                self._hub.connect(hub) as client,
                client.stream("GET", wanted.path) as response,
            ):
                _check_status(response.status_code, wanted, hub)
                await self._store(response, wanted, path, limit)
        except (httpx.HTTPError, TimeoutError) as problem:
            reason = str(problem) or type(problem).__name__
            message = f"the hub at {shown(hub)} did not send {wanted.path}: {reason}"
            raise DocumentError("hub_unreachable", message) from problem
        except OSError as problem:
            message = (
                f"the document cannot be stored in {self._folder}: {problem.strerror or problem}; free space there"
            )
            raise DocumentError("document_not_stored", message) from problem

    async def _store(
        self, response: "httpx.Response", wanted: DocumentSent, path: Path, limit: asyncio.Timeout
    ) -> None:
        """Write beside the goal and move: a file with the hash as its name is always whole."""
        loop = asyncio.get_running_loop()
        digest = hashlib.sha256()
        size = 0
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="part-", delete=False) as part:
            try:
                async for chunk in response.aiter_bytes():
                    limit.reschedule(loop.time() + self._stalled_s)
                    size += len(chunk)
                    if size > wanted.size:
                        raise DocumentError("document_hash_mismatch", f"the hub sent more than {wanted.size} bytes")
                    digest.update(chunk)
                    await asyncio.to_thread(_append, part, chunk)
                if digest.hexdigest() != wanted.sha256 or size != wanted.size:
                    raise DocumentError(
                        "document_hash_mismatch", f"what the hub sent for {wanted.path} is another file"
                    )
                part.close()
                await asyncio.to_thread(Path(part.name).replace, path)
            finally:
                part.close()
                await asyncio.to_thread(Path(part.name).unlink, missing_ok=True)

    async def _require_room(self, size: int) -> None:
        """Raise OSError unless the disk takes so many bytes and still has room for the journal; documents that nobody
        uses make way."""
        disk = await asyncio.to_thread(shutil.disk_usage, self._folder)
        lacking = size + min(RESERVE, disk.total // 20) - disk.free
        if lacking <= 0:
            return
        await self._make_room(lacking)
        disk = await asyncio.to_thread(shutil.disk_usage, self._folder)
        if size + min(RESERVE, disk.total // 20) > disk.free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def _make_room(self, more: int = 0) -> None:
        """Remove the oldest documents that nobody uses until the cache fits and so many bytes `more` are gone, and
        parts that a crash left."""
        files = await asyncio.to_thread(self._look_over)
        total = sum(size for _, size, _ in files)
        least = min(self._max_cache, total - more)
        for _, size, file in files:
            if total <= least:
                return
            # Here and not in a thread: between this look and the removal nobody can begin to use it.
            if file not in self._in_use:
                with contextlib.suppress(OSError):
                    file.unlink()
                    total -= size

    def _look_over(self) -> list[tuple[float, int, Path]]:
        now = time.time()
        for age, _, part in self._listed("part-*"):
            if age < now - 2 * self._stalled_s:
                part.unlink(missing_ok=True)
        return self._listed("[0-9a-f]*")

    def _listed(self, pattern: str) -> list[tuple[float, int, Path]]:
        """The files of that pattern with their time and size, the oldest first."""
        found = []
        for file in self._folder.glob(pattern):
            with contextlib.suppress(FileNotFoundError):  # another lane just finished with it
                status = file.stat()
                found.append((status.st_mtime, status.st_size, file))
        return sorted(found)


def _append(part: IO[bytes], chunk: bytes) -> None:
    part.write(chunk)
    part.flush()  # its time of change tells `_look_over` that somebody still writes it


def _is_intact(path: Path, wanted: DocumentSent) -> bool:
    """Whether the file is there and still has its hash; it then counts as just used."""
    try:
        if path.stat().st_size != wanted.size:
            return False
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != wanted.sha256:
                return False
        path.touch()
    except OSError:
        return False
    return True


def _check_status(status: int, wanted: DocumentSent, hub: Address) -> None:
    if status == 200:
        return
    if status in _MISSING or 300 <= status < 400:
        raise DocumentError("document_missing", f"the hub has no {wanted.path} for this client (HTTP {status})")
    raise DocumentError("hub_unreachable", f"the hub at {shown(hub)} answered HTTP {status} for {wanted.path}")
