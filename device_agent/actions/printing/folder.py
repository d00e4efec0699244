"""A folder that stands in for a printer: each document becomes one file, and one line in `effects.jsonl`.

For trying things out without a printer, and for tests that count effects. The file is the effect: it appears whole or
not at all, under a name that belongs to the attempt, so that afterwards nobody is ever in doubt.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from device_agent.actions.base import DriverContext, stopping
from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing.request import PrintRequest, type_of
from device_agent.core.outcome import Outcome
from device_agent.documents import DocumentError
from schemas.text import SaidError

_SUFFIX = {
    "application/pdf": "pdf",
    "text/plain": "txt",
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/vnd.zebra-zpl": "zpl",
}
_EFFECTS = "effects.jsonl"
_TEMPORARY = ".part-"


def path_of(uri: str) -> Path:
    """The folder that `folder:/absolute/path` or `folder:///absolute/path` names. Raises ValueError."""
    path = Path(unquote(uri.partition(":")[2].removeprefix("//")))
    if not path.is_absolute():
        raise SaidError(
            "the printer's uri must look like folder:/absolute/path",
            "프린터의 uri는 folder:/절대/경로 형식이어야 합니다",
        )
    return path


class FolderPrinter:
    """Implements `print_action.Printer`. Safe for several tasks of one process; other processes need other folders."""

    def __init__(self, config: PrinterConfig) -> None:
        """Raises ValueError when the URI names no absolute folder."""
        path = path_of(config.uri)
        self._name = config.name
        self._folder = path
        self._lock = threading.Lock()

    async def print_document(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """See `Printer`. Code printer_unreachable when the folder cannot be written; then nothing was."""
        writing: asyncio.Task[Outcome] | None = None

        async def stop() -> Outcome:
            # A thread cannot be stopped; what it does takes a moment and ends one way or the other.
            if writing is None:
                return Outcome(status="cancelled", message="it was stopped before anything was written")
            return await writing

        async with stopping(context, stop):
            document = await context.document(request.document)
            await context.begins()
            writing = asyncio.create_task(
                asyncio.to_thread(self._write, request, document, context.job_name),
                name=f"write-{context.job_name}",
            )
            return await asyncio.shield(writing)
        raise AssertionError("unreachable")  # `stopping` swallows nothing

    async def evidence(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """See `Printer`. Always certain: retryable when there is no file."""
        return await asyncio.to_thread(self._look, request, context.job_name)

    async def describe(self) -> dict[str, Any]:
        """See `Printer`."""
        usable = await asyncio.to_thread(os.access, self._folder, os.W_OK | os.X_OK)
        state = "idle" if usable else "unreachable"
        uri = f"folder:{self._folder}"
        return {"name": self._name, "uri": uri, "state": state, "reasons": [], "supplies": [], "model": "folder"}

    def _write(self, request: PrintRequest, document: Path, job_name: str) -> Outcome:
        with self._lock:
            try:
                request = msgspec.structs.replace(request, content_type=type_of(request, document))
                file = self._find(job_name) or self._add(request, document, job_name)
                self._note(request, file, job_name)
            except DocumentError as problem:
                return Outcome(status="failed", code=problem.code, message=problem.message)
            except OSError as problem:
                message = f"{self._folder}: {problem.strerror or problem}; check that it exists and has space"
                with contextlib.suppress(OSError):
                    if self._find(job_name) is not None:
                        return Outcome(status="unknown", code="effect_not_noted", message=message)
                return Outcome(status="failed", code="printer_unreachable", message=message, retryable=True)
            return Outcome(status="completed", data={"printer": self._name, "file": file.name})

    def _look(self, request: PrintRequest, job_name: str) -> Outcome:
        with self._lock:
            try:
                file = self._find(job_name)
                if file is not None:
                    self._note(request, file, job_name)
            except OSError as problem:
                message = f"{self._folder} cannot be read: {problem.strerror or problem}"
                return Outcome(status="unknown", code="printer_unreachable", message=message)
        said = f"{self._folder} has {file.name if file else f'no file of {job_name}'}"
        data = {"printer": self._name, "evidence": said}
        if file is None:
            return Outcome(status="failed", code="interrupted", data=data, message=said, retryable=True)
        return Outcome(status="completed", data={**data, "file": file.name})

    def _find(self, job_name: str) -> Path | None:
        return next((file for file in self._folder.iterdir() if _job_of(file) == job_name), None)

    def _add(self, request: PrintRequest, document: Path, job_name: str) -> Path:
        numbers = [int(file.name.partition("-")[0]) for file in self._folder.iterdir() if _job_of(file) is not None]
        suffix = _SUFFIX.get(request.content_type, "bin")
        file = self._folder / f"{max(numbers, default=0) + 1}-{job_name}.{suffix}"
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=_TEMPORARY, delete=False) as part:
            try:
                with document.open("rb") as source:
                    shutil.copyfileobj(source, part)
                part.flush()
                os.fsync(part.fileno())
                part.close()
                Path(part.name).rename(file)
            finally:
                Path(part.name).unlink(missing_ok=True)
        self._sync_folder()
        return file

    def _note(self, request: PrintRequest, file: Path, job_name: str) -> None:
        """Write the effect's line, unless it is there: a crash may have come between file and line."""
        log = self._folder / _EFFECTS
        if log.exists():
            with log.open(encoding="utf-8", errors="replace") as lines:
                if any(json.dumps(job_name) in line and line.endswith("\n") for line in lines):
                    return
        line = {
            "number": int(file.name.partition("-")[0]),
            "job_name": job_name,
            "title": request.clean_title,
            "copies": request.copies,
            "sides": "one-sided",
            "media": None,
            "orientation": None,
            "color": None,
            **request.asked,
            "content_type": request.content_type,
            "sha256": _sha256(file),
            "file": file.name,
            "at": datetime.now(UTC).isoformat(),
        }
        with log.open("ab+") as out:
            torn = _ends_torn(out)
            out.write((b"\n" if torn else b"") + json.dumps(line, ensure_ascii=False).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        self._sync_folder()

    def _sync_folder(self) -> None:
        """Make names durable, too. Windows does it by itself and cannot open folders."""
        if sys.platform == "win32":
            return
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _job_of(file: Path) -> str | None:
    """The job in `<number>-<job name>.<suffix>`."""
    number, dash, rest = file.name.partition("-")
    return rest.rpartition(".")[0] if dash and number.isascii() and number.isdigit() else None


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _ends_torn(log: Any) -> bool:
    """Whether the last line has no end: a crash cut it off, and a line appended to it would be lost as well."""
    if log.seek(0, os.SEEK_END) == 0:
        return False
    log.seek(-1, os.SEEK_END)
    return bool(log.read(1) != b"\n")
