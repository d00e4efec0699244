"""What lies on this machine: configuration, data folder, journal, and the programs of own actions."""

import asyncio
import errno
import os
import shutil
import stat
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from device_agent import config, journal
from device_agent.actions.config import MachineConfig, OwnActionConfig
from device_agent.checks.findings import fail, ok, warn
from device_agent.config import AgentConfig, ConfigError
from device_agent.core.records import Phase
from device_agent.documents import MAX_CACHE, MAX_DOCUMENT
from device_agent.journal import JournalError, JournalNewerError
from schemas import terminal
from schemas.findings import Finding
from schemas.text import TextError, read

_MIB = 1024 * 1024


def check_config(path: Path, data: Path | None = None) -> tuple[list[Finding], AgentConfig | None]:
    """The configuration, too, when it can be used for further checks."""
    try:
        text = read(path)
    except TextError as problem:
        return [fail("config", "config_not_text", path=path, problem=terminal.told(problem))], None
    except OSError as problem:
        return [fail("config", "config_unreadable", path=path, problem=_reason(problem))], None
    try:
        return [ok("config", "config_ok", path=path)], config.load(path, data)
    except ConfigError as problem:
        # The rest can be checked all the same when nothing but the file's mode is wrong.
        if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            try:
                table = tomllib.loads(text) | ({} if data is None else {"data": str(data.absolute())})
                settings = config.parse(table, path.resolve().parent)
            except (ConfigError, tomllib.TOMLDecodeError):
                pass
            else:
                return [fail("config", "config_not_private", path=path)], settings
        return [fail("config", "config_invalid", problem=problem)], None


def check_data_folder(folder: Path) -> list[Finding]:
    """Whether the folder, which may not exist yet, can be written and has room."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    problem, free = _unwritable(existing), shutil.disk_usage(existing).free
    if problem is not None and problem.errno == errno.ENOSPC and free < MAX_DOCUMENT:
        return [judge_space(folder, free)]  # another folder of this disk would be no better
    if problem is not None:
        return [fail("data", "data_unwritable", folder=folder, problem=_reason(problem))]
    return [ok("data", "data_ok", folder=folder), judge_space(folder, free)]


def judge_space(folder: Path, free: int) -> Finding:
    """What so many free bytes mean for an agent that keeps documents."""
    values: dict[str, object] = {"folder": folder, "free_mib": free // _MIB}
    if free < MAX_DOCUMENT:
        return fail("space", "disk_full", **values)
    if free < MAX_DOCUMENT + MAX_CACHE:
        return warn("space", "disk_low", **values)
    return ok("space", "space_ok", **values)


async def check_journal(file: Path) -> tuple[list[Finding], bool, bytes | None]:
    """And whether an agent is running with it; the key list in it where none is. Nothing in the data folder is changed:
    the agent's own judgement is asked about a copy, which a SQLite file of another user's would not survive without a
    trace."""
    try:
        process = await asyncio.to_thread(journal.holder, file)
        if process is not None:
            return [ok("journal", "journal_in_use", process=process)], True, None
        with tempfile.TemporaryDirectory(prefix="floorhub-doctor-") as scratch:
            copy = await asyncio.to_thread(_copy_journal, file, Path(scratch))
            if copy is None:
                return [ok("journal", "journal_new")], False, None
            opened, snapshot = await journal.open_journal(copy)
            await opened.close()
    except JournalNewerError as newer:
        return [fail("journal", "journal_newer", **{**newer.values, "file": file})], False, None
    except (OSError, JournalError) as problem:
        return [fail("journal", "journal_unreadable", file=file, problem=_reason(problem))], False, None
    if opened.moved_aside is not None:
        return [fail("journal", "journal_damaged", file=file, problem=opened.damage)], False, None
    unfinished = sum(attempt.phase is not Phase.FINISHED for attempt in snapshot.attempts.values())
    waiting = sum(not report.receipted for report in snapshot.reports.values())
    return [ok("journal", "journal_ok", unfinished=unfinished, waiting=waiting)], False, snapshot.settings.keys


def _copy_journal(file: Path, folder: Path) -> Path | None:
    """A copy in `folder`, with what SQLite has not yet moved into the file; None: there is no journal."""
    copies = [
        shutil.copyfile(part, folder / part.name)
        for part in (file, file.with_name(f"{file.name}-wal"))
        if part.exists()
    ]
    return copies[0] if copies else None


def check_actions(actions: Mapping[str, OwnActionConfig], machine: MachineConfig) -> list[Finding]:
    """Whether the programs of own actions can be started, and those that end the machine."""
    programs = {name: OwnActionConfig(argv=argv) for name, argv in machine.programs.items()}
    return [_check_action(name, action) for name, action in sorted({**programs, **actions}.items())]


def check_folder(name: str, folder: Path) -> Finding:
    """Whether a folder printer can write."""
    problem = _unwritable(folder)
    if problem is not None:
        return fail("printer", "printer_folder_unwritable", name=name, folder=folder, problem=problem)
    return ok("printer", "printer_folder_ok", name=name, folder=folder)


def _check_action(name: str, action: OwnActionConfig) -> Finding:
    program = action.argv[0]
    if action.cwd is not None and not os.access(action.cwd, os.X_OK):
        return fail("action", "action_folder_missing", action=name, folder=action.cwd)
    if os.path.dirname(program):  # noqa: PTH120 - a Path would swallow the `./` that decides here
        # A relative one starts at the program's own folder, as the system does it.
        found = Path(action.cwd or "", program)
        if not found.is_file():
            return fail("action", "program_missing", action=name, program=program)
        if not os.access(found, os.X_OK):
            return fail("action", "program_not_executable", action=name, program=program)
    elif shutil.which(program, path=os.environ.get("PATH", os.defpath)) is None:
        return fail("action", "program_missing", action=name, program=program)
    return ok("action", "action_ok", action=name, program=program)


def _unwritable(folder: Path) -> OSError | None:
    """Why nothing can be written there; None: it can. Asks by writing: mode bits do not tell of read-only disks."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(4096))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as problem:
        return problem
    return None


def _reason(problem: Exception) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem) or type(problem).__name__
