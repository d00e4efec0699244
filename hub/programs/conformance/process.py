"""The client under examination as a process of ours, so that it can be killed, started again and stopped in peace."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Sequence

from schemas.text import LONGEST_LINE

STOP_PATIENCE_S = 20.0
LAST_WORDS_S = 1.0


class ClientProcess:
    """Each line of its output goes to `tell`, from another thread. `stop` and `kill` are safe to call again."""

    def __init__(self, argv: Sequence[str], tell: Callable[[str], None]) -> None:
        self._argv = list(argv)
        self._tell = tell
        self._listener: threading.Thread | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def ended(self) -> int | None:
        """The exit code of a process that ended; None while it runs."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        """Start it. Raises OSError."""
        # A pipe of our own: that of asyncio would make `wait` wait for whatever the process started, too.
        reader, writer = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=asyncio.subprocess.DEVNULL, stdout=writer, stderr=writer
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self._listener = threading.Thread(target=self._listen, args=(reader,), daemon=True)
        self._listener.start()

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            await self._heard_out()

    async def stop(self) -> int | None:
        """SIGTERM; the exit code, or None when it had to be killed."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_PATIENCE_S):
                code = await self._process.wait()
        except TimeoutError:
            await self.kill()
            return None
        await self._heard_out()
        return code

    async def _heard_out(self) -> None:
        """Its last words, unless what it started holds the pipe open."""
        if self._listener is not None:
            await asyncio.to_thread(self._listener.join, LAST_WORDS_S)

    def _listen(self, reader: int) -> None:
        with os.fdopen(reader, "rb") as said:
            while line := said.readline(LONGEST_LINE):
                self._tell(line.decode("utf-8", "replace").rstrip("\r\n"))
