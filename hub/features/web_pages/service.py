"""The built pages, read from their folder once it is there, and kept in memory: they are a few hundred kilobytes."""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from hub.features.web_pages import rules

MOST_BYTES = 20 * 1024 * 1024
LOOK_EVERY_S = 1.0
_PACKED = frozenset((".css", ".html", ".js", ".json", ".svg"))


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is served."""

    content: bytes
    packed: bytes | None
    """The same as gzip, if that is smaller."""
    media_type: str
    etag: str


Files = dict[str, File]


class WebPages:
    """What a folder of built pages has; an address is looked up among these files, and never becomes a path.

    `folder` may appear while the hub runs, whole (it is moved to its place when it is complete). Nothing is read again
    afterwards: another build has another folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: Files | None = None
        self._looked = -LOOK_EVERY_S
        self._looking: asyncio.Task[Files | None] | None = None

    async def find(self, path: str) -> File | None:
        """The file for an address: a page or an asset. None: there is none, or the pages are not built."""
        files = await self._all()
        if files is None:
            return None
        if path in rules.PAGES:
            return files.get(f"/{rules.PAGES[path]}")
        return files.get(path) if path.startswith(rules.ASSETS) else None

    async def _all(self) -> Files | None:
        """All files, read by the first request that finds them. Requests at the same time share one look."""
        now = asyncio.get_running_loop().time()
        if self._files is not None or (self._looking is None and now - self._looked < LOOK_EVERY_S):
            return self._files
        if self._looking is None:
            self._looked = now
            self._looking = asyncio.create_task(asyncio.to_thread(read, self._folder), name="web-pages")
        looking = self._looking
        found = await asyncio.shield(looking)
        self._looking = None
        self._files = found
        return found


def read(folder: Path) -> Files | None:
    """The files of a folder by their addresses; None when it is not there, cannot be read, or has no console."""
    files: Files = {}
    size = 0
    try:
        for file in sorted(folder.rglob("*")):
            media_type = rules.MEDIA_TYPES.get(file.suffix)
            if media_type is None or not file.is_file():
                continue
            content = file.read_bytes()
            size += len(content)
            if size > MOST_BYTES:
                return None
            packed = gzip.compress(content, 9, mtime=0) if file.suffix in _PACKED else None
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            smaller = packed if packed is not None and len(packed) < len(content) else None
            files[f"/{file.relative_to(folder).as_posix()}"] = File(content, smaller, media_type, etag)
    except OSError:
        return None
    return files if f"/{rules.CONSOLE}" in files else None
