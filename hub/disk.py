"""Notices a disk that fills up before it hurts: warns, and at the end takes no more documents.

Commands and reports are taken as long as Postgres takes them: they are small, and what they leave is cleaned up.
"""

import asyncio
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from hub.core.documents.rules.disk import Room, judge
from hub.database.engine import Database
from hub.errors import UnavailableError
from hub.features.retention import store as store
from hub.telemetry.log import Event, Log
from hub.telemetry.metrics import Metrics

LOOK_S = 5.0
ASK_DATABASE_S = 600.0
"""Postgres adds up the sizes of all files for it."""
RETRY_S = 60
_WORST_LAST = list(Room)


class DiskWatch:
    """The service; `run` must be running. `folders` are the places of this machine that the hub fills, by name."""

    def __init__(
        self,
        database: Database,
        folders: Mapping[str, Path],
        metrics: Metrics,
        log: Log,
        *,
        low: int,
        full: int,
        database_low: int | None,
    ) -> None:
        """`low` and `full` are bytes of free space; a database larger than `database_low` bytes is told as low room."""
        self._database = database
        self._folders = folders
        self._metrics = metrics
        self._log = log
        self._low = low
        self._full = full
        self._database_low = database_low
        self._rooms: dict[str, Room] = {}

    @property
    def room(self) -> Room:
        """The worst of all places."""
        return max(self._rooms.values(), key=_WORST_LAST.index, default=Room.OK)

    def require_room(self) -> None:
        """Raise UnavailableError when there is no room for a document."""
        if self.room is Room.FULL:
            raise UnavailableError("storage_full", retry_after_s=RETRY_S)

    async def run(self) -> None:
        """Look until cancelled."""
        ask_at = 0.0
        while True:
            await self.look()
            if time.monotonic() >= ask_at:
                ask_at = time.monotonic() + ASK_DATABASE_S
                await self._ask_database()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look at each place once."""
        for name, folder in self._folders.items():
            free = await asyncio.to_thread(_free, folder)
            if free is None:
                continue
            self._metrics.disk_free.labels(name).set(free)
            self._tell(name, judge(free, self._low, self._full), folder=str(folder), free_mib=free // 1024**2)

    async def _ask_database(self) -> None:
        try:
            async with self._database.connection() as connection:
                size = await store.database_size(connection)
        except UnavailableError:
            return
        self._metrics.database_size.set(size)
        large = self._database_low is not None and size > self._database_low
        self._tell("database", Room.LOW if large else Room.OK, size_mib=size // 1024**2)

    def _tell(self, name: str, room: Room, **values: object) -> None:
        before = self._rooms.get(name, Room.OK)
        self._rooms[name] = room
        if room is before:
            return
        if room is Room.OK:
            self._log.info(Event.DISK_WELL, place=name, **values)
        elif room is Room.LOW:
            todo = "make room, shorten the periods of clean-up, or move the archive away"
            self._log.warning(Event.DISK_LOW, place=name, todo=todo, **values)
        else:
            self._log.error(Event.DISK_FULL, place=name, todo="make room: documents are refused", **values)


def _free(folder: Path) -> int | None:
    """Free bytes where a folder lies, which may not exist yet."""
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free
    except OSError:
        return None
