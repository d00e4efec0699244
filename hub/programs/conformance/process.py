"""The client under examination as a process of ours, so that it can be killed, started again and stopped in peace."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence

STOP_PATIENCE_S = 20.0


class ClientProcess:
    """Its output goes to our standard error. `stop` and `kill` are safe to call again."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = list(argv)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def ended(self) -> int | None:
        """The exit code of a process that ended; None while it runs."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        """Start it. Raises OSError."""
        self._process = await asyncio.create_subprocess_exec(
            *self._argv, stdin=asyncio.subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr
        )

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> int | None:
        """SIGTERM; the exit code, or None when it had to be killed."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_PATIENCE_S):
                return await self._process.wait()
        except TimeoutError:
            await self.kill()
            return None
