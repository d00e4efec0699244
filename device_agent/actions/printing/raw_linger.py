"""What becomes of a raw printer's connection after its job: it stays open, and is read, until the printer is done.

A printer that took every byte into its network stack may still be reading it for minutes. If it says something
meanwhile, and our socket is closed, the system answers with a reset, and the printer loses what it has not read yet.

The next job does not wait for these connections. Our side of them has ended, so the printer knows that the job is
complete; waiting would cost minutes a job at every printer that never closes its side. A printer that serves one
connection at a time lets the next one wait in its queue, or refuses it, which the driver waits out.
"""

import asyncio
import contextlib
import time

from device_agent.actions.printing.raw_connection import RawConnection

QUIET_S = 300.0
"""A printer that said nothing for so long is taken to be done. A guess: time to refill paper."""
LONGEST_S = 3_600.0
"""For one that never stops talking."""
MOST = 8
"""At one printer; one more ends the oldest. A guess: more small jobs than a printer keeps in its stack."""


class Lingering:
    """The connections of one printer whose jobs have been sent. They end with the event loop at the latest."""

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        self._quiet_s = quiet_s
        self._readers: list[asyncio.Task[None]] = []

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._readers)

    def keep(self, connection: RawConnection) -> None:
        """Read until the printer has closed, is silent for long, or must make room; then close."""
        reader = asyncio.create_task(self._read(connection), name="raw-linger")
        self._readers.append(reader)

        def over(task: asyncio.Task[None]) -> None:  # not in the task: one that is cancelled early runs no step
            self._readers.remove(task)
            connection.close()

        reader.add_done_callback(over)
        for oldest in self._readers[:-MOST]:
            oldest.cancel()

    async def _read(self, connection: RawConnection) -> None:
        began_at = time.monotonic()  # its silence during the job counts for nothing
        with contextlib.suppress(OSError):
            connection.end()
        while not connection.is_over:
            reading_s = time.monotonic() - began_at
            left_s = min(self._quiet_s - min(connection.quiet_s, reading_s), LONGEST_S - reading_s)
            if left_s <= 0:
                return
            await connection.change(left_s)
