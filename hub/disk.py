"""How much room there is where the hub keeps things, and warnings before it hurts."""

import asyncio
import enum
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from hub.config import Settings
from hub.database.engine import Database, database_size
from hub.errors import UnavailableError
from hub.loops import Loop, periodic
from hub.telemetry.log import EventName, Log
from hub.telemetry.metrics import Meters

MIB = 1024 * 1024
LOOK_S = 5.0
ASK_DATABASE_S = 600.0
"""Postgres adds up the sizes of all files for it."""


class Room(enum.StrEnum):
    """How much room a disk has, the worst last."""

    OK = "ok"
    LOW = "low"
    """Somebody should make room soon."""
    FULL = "full"
    """What is left is for commands and reports."""


_WORST_LAST = list(Room)


def room_of(free: int, low: int, full: int) -> Room:
    """What `free` bytes mean, when it is low below `low` and full below `full`."""
    if free < full:
        return Room.FULL
    return Room.LOW if free < low else Room.OK


class Event(EventName):
    """Log events."""

    DISK_LOW = "disk.low"
    DISK_FULL = "disk.full"
    DISK_RECOVERED = "disk.recovered"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.free = meters.gauge("floorhub_disk_free_bytes", "Free space of the hub's places", "place")
        self.database_size = meters.gauge("floorhub_database_size_bytes", "Size of the whole database")


class DiskWatch:
    """`loop` must be running. `folders` are the places of this machine that the hub fills, by name."""

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

    @classmethod
    def of(cls, settings: Settings, database: Database, metrics: Metrics, log: Log) -> "DiskWatch":
        """A watch over the data folder and the archive, with the limits of the settings."""
        places = {"data": settings.data_dir}
        if settings.archive_dir is not None:
            places["archive"] = settings.archive_dir
        return cls(
            database,
            places,
            metrics,
            log,
            low=settings.disk_low_mib * MIB,
            full=settings.disk_full_mib * MIB,
            database_low=settings.database_low_mib * MIB or None,
        )

    def loop(self) -> Loop:
        """Looks every few seconds."""
        ask_at = 0.0

        async def look() -> None:
            nonlocal ask_at
            await self.look()
            if time.monotonic() >= ask_at:
                ask_at = time.monotonic() + ASK_DATABASE_S
                await self._ask_database()

        return periodic("disk", look, self._log, pause_s=LOOK_S, first_s=0.0)

    async def look(self) -> None:
        """Look at each place once."""
        for name, folder in self._folders.items():
            free = await asyncio.to_thread(_free, folder)
            if free is None:
                continue
            self._metrics.free.labels(name).set(free)
            self._tell(name, room_of(free, self._low, self._full), folder=str(folder), free_mib=free // 1024**2)

    async def _ask_database(self) -> None:
        try:
            async with self._database.connection() as connection:
                size = await database_size(connection)
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
            self._log.info(Event.DISK_RECOVERED, place=name, **values)
        elif room is Room.LOW:
            todo = "free space, shorten the periods of clean-up, or move the archive away"
            self._log.warning(Event.DISK_LOW, place=name, todo=todo, **values)
        else:
            self._log.error(Event.DISK_FULL, place=name, todo="free space: documents are refused", **values)


def _free(folder: Path) -> int | None:
    """Free bytes where a folder lies, which may not exist yet."""
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free
    except OSError:
        return None
