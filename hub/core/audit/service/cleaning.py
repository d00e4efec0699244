"""Clean-up of the trail: the oldest blocks go as a whole, and a signed block keeps the hash of the last of them."""

from datetime import datetime, timedelta

from hub.core.audit.service.sealing import Sealing
from hub.core.audit.store import seals
from hub.database.engine import Connection

_MOST_ROWS = 1_000
_BLOCKS_AT_ONCE = 500


class Cleaning:
    """A kind of rows for clean-up."""

    name = "audit"

    def __init__(self, sealing: Sealing, period: timedelta | None) -> None:
        """`period`: None: nothing ever goes."""
        self._sealing = sealing
        self._period = period

    async def count(self, connection: Connection, now: datetime) -> int:
        """How many rows would go now."""
        if self._period is None:
            return 0
        number = skip = 0
        while page := await seals.oldest(connection, now - self._period, skip, _BLOCKS_AT_ONCE):
            for block in page:
                if block.stays:
                    return number
                number += block.rows
            skip += len(page)
        return number

    def walk(self, now: datetime) -> "_Walk | None":
        """A round; None: nothing ever goes."""
        return None if self._period is None else _Walk(self._sealing, now - self._period)


class _Walk:
    def __init__(self, sealing: Sealing, before: datetime) -> None:
        self._sealing = sealing
        self._before = before
        self._sealed = False

    async def portion(self, connection: Connection) -> tuple[bool, list[str]]:
        """Delete some blocks, in the caller's transaction: whether to call again, and the archive lines of the rows."""
        if not self._sealed:
            await self._sealing.seal_all()  # by its own connection
            self._sealed = True
        through, rows = None, 0
        page = await seals.oldest(connection, self._before, 0, _BLOCKS_AT_ONCE)
        for block in page:
            if block.stays or (through is not None and rows + block.rows > _MOST_ROWS):
                break
            through = block
            rows += block.rows
        if through is None:
            return False, []
        content = {"through": through.number, "hash": through.hash.hex(), "rows": rows, "before": self._before}
        if await self._sealing.append(connection, content) is None:
            return True, []
        return True, await seals.cut(connection, through.number)
