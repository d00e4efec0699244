"""The action `collect_logs`: brings the end of the agent's own log up to the hub, without what is secret."""

import asyncio
import gzip
import re
import tempfile
from pathlib import Path
from typing import Any

from device_agent.actions.base import DriverContext, read_payload
from device_agent.core.outcome import Outcome
from device_agent.uploads import UploadError
from schemas.actions import LogsSent

_NAMED = re.compile(
    rb"""(?i)((?:secret|password|passwd|token|authorization|cookie|api_?key|private_?key)\\*["']?\s*[:=]\s*)"""
    rb"""(\\*"[^"]*"|\\*'[^']*'|[^\s,}]+)"""
)
_IN_URL = re.compile(rb"(://[^/\s:@]*:)[^/\s@]+@")
_HIDDEN = b"[redacted]"


class CollectLogs:
    """Implements `Driver`."""

    def __init__(self, log_files: list[Path], secrets: list[str]) -> None:
        """`log_files`: the oldest first. `secrets` are hidden wherever they stand."""
        self._files = log_files
        self._secrets = [secret.encode() for secret in secrets if secret]

    def check(self, action: str, payload: dict[str, Any]) -> None:  # noqa: ARG002 - one action
        """See `Driver`."""
        read_payload(LogsSent, payload)

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`. Codes: logs_unreadable, and those of UploadError."""
        limit = read_payload(LogsSent, payload).max_bytes
        try:
            content = await asyncio.to_thread(self._collect, limit)
            with tempfile.NamedTemporaryFile(suffix=".log.gz") as packed:
                await asyncio.to_thread(_pack, packed.name, content)
                uploaded = await context.upload(Path(packed.name), "application/gzip")
        except OSError as problem:
            message = f"the agent's log cannot be read: {problem}"
            return Outcome(status="failed", code="logs_unreadable", message=message)
        except UploadError as problem:
            return Outcome(status="failed", code=problem.code, message=problem.message, retryable=problem.retryable)
        return Outcome(status="completed", data={"document": uploaded, "bytes": len(content)})

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`. Logs that were brought up twice do no harm, so the hub may try again."""
        message = "the agent was interrupted while it brought its log up"
        return Outcome(status="failed", code="interrupted", message=message, retryable=True)

    def _collect(self, limit: int) -> bytes:
        """The last `limit` bytes, whole lines. Whatever is secret is hidden before anything is cut."""
        whole = b"".join(file.read_bytes() for file in self._files if file.exists())
        for secret in self._secrets:
            whole = whole.replace(secret, _HIDDEN)
        whole = _IN_URL.sub(rb"\1" + _HIDDEN + b"@", _NAMED.sub(rb"\1" + _HIDDEN, whole))
        if len(whole) <= limit:
            return whole
        _, _, kept = whole[-limit:].partition(b"\n")
        return kept


def _pack(path: str, content: bytes) -> None:
    with gzip.open(path, "wb") as packed:
        packed.write(content)
