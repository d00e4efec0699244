"""What withholds commands of principals who may not send them any more, with a clock that stands still."""

from hub.core.commands.service.withholding import Withholding
from hub.database.engine import Database
from hub.telemetry.log import Log
from tests.support.recording_ports import RecordingPorts


class Keeper:
    """The service with a clock that stands still, so that it judges only what changed."""

    def __init__(self, database: Database, *, withholds: bool = True) -> None:
        self.signals = RecordingPorts()
        self.now = 0.0
        self._service = Withholding(database, self.signals, Log(), withholds=withholds, monotonic=lambda: self.now)

    async def look(self) -> set[str]:
        """Look once; the clients whose dispatch was woken."""
        self.signals.woken.clear()
        await self._service.look()
        return set(self.signals.woken)
