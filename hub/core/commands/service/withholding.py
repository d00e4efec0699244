"""What becomes of unfinished commands when their principal is disabled, or loses a grant: they are withheld until he
may send them again, or their deadline comes."""

import asyncio
from collections.abc import Callable

from hub.core.commands.store import withholding as store
from hub.core.commands.telemetry import Event
from hub.database.engine import Database
from hub.signals.ports import Signals
from hub.telemetry.log import Log

POLL_S = 1.0
WHOLE_EVERY_S = 60.0
"""How often everything is judged although nothing changed: a hub of the version before lets go what it should not."""
MOST = 5_000
"""Commands in one transaction."""


class Withholding:
    """The service. `look` is to be called each `POLL_S` seconds by every worker; without a change it costs one
    statement on an empty table."""

    def __init__(
        self, database: Database, signals: Signals, log: Log, *, withholds: bool, monotonic: Callable[[], float]
    ) -> None:
        """`withholds` false: such commands run, and what another setting withheld before is let go."""
        self._database = database
        self._signals = signals
        self._log = log
        self._withholds = withholds
        self._monotonic = monotonic
        self._whole_at = float("-inf")
        self.judged = asyncio.Event()
        """Set once this process has judged everything. Nothing is handed out before: access may have been lost while no
        hub looked, such as just before one crashed."""

    async def look(self) -> None:
        """Judge when something changed, and now and then in any case. Raises UnavailableError."""
        whole = self._monotonic() >= self._whole_at
        if await self._judge(only_changes=not whole) and whole:
            self._whole_at = self._monotonic() + WHOLE_EVERY_S
            self.judged.set()

    async def withhold_revoked(self) -> None:
        """Judge now, for whoever has just changed what grants go by. Raises UnavailableError."""
        await self._judge(only_changes=False)

    async def _judge(self, *, only_changes: bool) -> bool:
        """Whether it judged."""
        judged = False
        while True:
            async with self._database.transaction() as connection:
                # The changes in the same transaction: they are seen again if it fails, by whoever looks next.
                changed = await store.take_changes(connection)
                if only_changes and not changed:
                    return judged
                moved = await store.withhold(connection, revoked=self._withholds, most=MOST)
                if len(moved) == MOST:
                    await store.note_change(connection)  # the rest, also if this process ends before
            self._tell(moved)
            judged = only_changes = True
            if len(moved) < MOST:
                return judged

    def _tell(self, moved: list[store.Withheld]) -> None:
        released = [command.client_id for command in moved if not command.revoked]
        if number := len(moved) - len(released):
            self._log.warning(Event.COMMANDS_WITHHELD, number=number)
        if released:
            self._log.info(Event.COMMANDS_RELEASED, number=len(released))
            self._signals.work_for(released)
