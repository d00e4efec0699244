"""A disk that fills up: told once each way, and documents are refused at the end."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.core.documents.subject import room_required
from hub.database.engine import Database
from hub.disk import DiskWatch, Metrics, Room, room_of
from hub.errors import UnavailableError
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters


@pytest.mark.parametrize(
    ("free", "room"), [(100, Room.OK), (99, Room.LOW), (10, Room.LOW), (9, Room.FULL), (0, Room.FULL)]
)
def test_room_at_its_bounds(free: int, room: Room) -> None:
    assert room_of(free, 100, 10) is room


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def set_free(size: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=size))

    return set_free


async def test_the_worst_place_counts_and_room_comes_back(
    tmp_path: Path, free: Callable[[int], None], capfd: pytest.CaptureFixture[str]
) -> None:
    metrics = Metrics(Meters())
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    places = {"data": tmp_path / "not" / "there", "archive": tmp_path}
    watch = DiskWatch(database, places, metrics, Log(), low=100, full=10, database_low=None)
    require_room = room_required(watch)
    require_room()
    told = []
    for size in (500, 50, 50, 5, 5, 500):
        free(size)
        await watch.look()
        out = capfd.readouterr()
        told.append((watch.room.value, (out.out + out.err).count("place=data")))
        assert metrics.free.labels("archive")._value.get() == size
        if watch.room is Room.FULL:
            with pytest.raises(UnavailableError, match="storage_full"):
                require_room()
        else:
            require_room()
    assert told == [("ok", 0), ("low", 1), ("low", 0), ("full", 1), ("full", 0), ("ok", 1)]


async def test_a_place_that_cannot_even_be_looked_at_is_passed_over(tmp_path: Path) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    # As a network drive that is gone, or a broken disk: the look itself fails.
    places = {"archive": tmp_path / ("x" * 300), "data": tmp_path}
    watch = DiskWatch(database, places, Metrics(Meters()), Log(), low=0, full=0, database_low=None)
    await watch.look()
    assert watch.room is Room.OK
