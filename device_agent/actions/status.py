"""The action `status`: how this client is right now."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from device_agent.actions.base import DriverContext
from device_agent.core.outcome import Outcome

Describe = Callable[[], Awaitable[dict[str, Any]]]


class StatusDriver:
    """Implements `Driver`."""

    def __init__(self, version: str, folder: Path, describe: Describe) -> None:
        """`folder` is where the agent keeps its journal; `describe` gives the `printers` and bounds its own time."""
        self._version = version
        self._folder = folder
        self._describe = describe
        self._began = time.monotonic()

    def check(self, action: str, payload: dict[str, Any]) -> None:
        """See `Driver`. Everything is fine: there is nothing to say."""

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`."""
        disk = await asyncio.to_thread(shutil.disk_usage, self._folder)
        data: dict[str, Any] = {
            "agent_version": self._version,
            "uptime_s": round(time.monotonic() - self._began, 1),
            "disk_free_bytes": disk.free,
            "disk_total_bytes": disk.total,
            **await self._describe(),
        }
        with contextlib.suppress(OSError, AttributeError):  # Windows has none
            data["load"] = [round(load, 2) for load in os.getloadavg()]
        return Outcome(status="completed", data=data)

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        """See `Driver`. A question has no effect, so it is simply asked again."""
        return await self.execute(action, payload, context)
