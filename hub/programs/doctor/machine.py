"""What this machine is: version, disk, time zone, names of settings."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.config import unknown
from hub.disk import MIB, Room, room_of
from hub.programs.doctor.sentences import fail, ok, warn
from hub.programs.embedded.errors import reason
from hub.programs.installation import Installation
from schemas.findings import Finding
from schemas.version import installed_version

_ANY_ZONE = "Asia/Seoul"


def check_version(running: str | None) -> Finding:
    """`running`: what the hub that answers says; None when none does."""
    mine = installed_version()
    if running is not None and running != mine:
        return warn("version", "version_differs", running=running, version=mine)
    python = ".".join(map(str, sys.version_info[:3]))
    return ok("version", "version_ok", version=mine, python=python)


def check_settings(installation: Installation) -> list[Finding]:
    """Names that look like settings and are none. A wrong value does not come so far."""
    doubtful = [warn("config", "config_unknown", name=name) for name in unknown(installation.environment)]
    return [*doubtful, ok("config", "config_ok", folder=installation.folder)]


def check_disks(installation: Installation) -> list[Finding]:
    """Free space where the hub keeps things, by its own limits, and whether it can write there."""
    settings = installation.settings
    places = [settings.data_dir, *([settings.archive_dir] if settings.archive_dir is not None else [])]
    found: dict[int, Finding] = {}
    for place in places:
        folder = _existing(place)
        problem = _unwritable(folder)
        if problem is not None:
            return [fail("disk", "folder_unwritable", folder=folder, problem=problem)]
        found.setdefault(folder.stat().st_dev, judge_space(folder, settings.disk_low_mib, settings.disk_full_mib))
    return list(found.values())


def judge_space(folder: Path, low_mib: int, full_mib: int, free: int | None = None) -> Finding:
    """What the free bytes of a folder's disk mean for the hub."""
    free = shutil.disk_usage(folder).free if free is None else free
    values: dict[str, object] = {"folder": folder, "free_mib": free // MIB}
    match room_of(free, low_mib * MIB, full_mib * MIB):
        case Room.FULL:
            return fail("disk", "disk_full", **values, limit_mib=full_mib)
        case Room.LOW:
            return warn("disk", "disk_low", **values, limit_mib=low_mib)
        case _:
            return ok("disk", "disk_ok", **values)


def check_zone(environment: Mapping[str, str] = os.environ) -> Finding:
    """The time zone in which people read times here, and whether schedules can have one."""
    try:
        ZoneInfo(_ANY_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return fail("time zone", "zone_no_data")
    named = environment.get("TZ", "").strip().removeprefix(":")
    if named and time.timezone == 0 and not time.daylight and not _is_zone(named):
        return warn("time zone", "zone_wrong", zone=named)
    here = datetime.now().astimezone()
    return ok("time zone", "zone_ok", zone=named or f"{here:%Z}", offset=f"{here:%z}")


def _is_zone(name: str) -> bool:
    if name.startswith("/"):
        return Path(name).is_file()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _unwritable(folder: Path) -> str | None:
    """Why nothing can be written there; None: it can. Asks by writing: mode bits do not tell of read-only disks."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(4096))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as problem:
        return reason(problem)
    return None
