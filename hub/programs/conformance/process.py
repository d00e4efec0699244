"""The client under examination as a process of ours, so that it can be killed, started again and stopped in peace."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Sequence

from schemas.text import LONGEST_LINE

STOP_PATIENCE_S = 20.0
END_PATIENCE_S = 5.0
LAST_WORDS_S = 1.0


class ClientProcess:
    """Each line of its output goes to `tell`, from another thread. `stop`, `end` and `kill` are safe to call again.

    It is started as a group of its own: signals reach everything that the command starts, such as the program behind a
    shell, and Ctrl-C at the terminal does not.
    """

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
                *self._argv, stdin=asyncio.subprocess.DEVNULL, stdout=writer, stderr=writer, start_new_session=True
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self._listener = threading.Thread(target=self._listen, args=(reader,), daemon=True)
        self._listener.start()

    async def kill(self) -> None:
        """kill -9 for the whole group, and wait until the process is gone."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            await self._process.wait()
            await self._heard_out()

    async def wait(self) -> int:
        """The exit code, once the started process has ended."""
        if self._process is None:
            return 0
        return await self._process.wait()

    async def end(self) -> None:
        """Stop the group, within a bound; what is then left of it is killed, also when this is cancelled."""
        try:
            await self.stop(END_PATIENCE_S)
        finally:
            self._signal(signal.SIGKILL)

    async def stop(self, patience_s: float = STOP_PATIENCE_S) -> int | None:
        """SIGTERM for the whole group; the exit code, or None when the process had to be killed."""
        if self._process is None:
            return 0
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience_s):
                code = await self._process.wait()
        except TimeoutError:
            await self.kill()
            return None
        await self._heard_out()
        return code

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the group, also if only children of the started process are left of it."""
        if self._process is None:
            return
        group = self._process.pid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._process.returncode is not None and _exists(group):
                return  # the number was given to another process: our group is gone
            os.killpg(group, number)

    async def _heard_out(self) -> None:
        """Its last words, unless what it started holds the pipe open."""
        if self._listener is not None:
            await asyncio.to_thread(self._listener.join, LAST_WORDS_S)

    def _listen(self, reader: int) -> None:
        with os.fdopen(reader, "rb") as said:
            while line := said.readline(LONGEST_LINE):
                self._tell(line.decode("utf-8", "replace").rstrip("\r\n"))


def _exists(pid: int) -> bool:
    """Whether there is a process with this number; a group alone keeps the number from being given away."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
