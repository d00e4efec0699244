"""Whether Postgres keeps what it says it has stored: settings that a reload changes while the hub runs."""

from hub.database import session
from hub.database.engine import Database
from hub.loops import Loop, periodic
from hub.telemetry.log import EventName, Log
from hub.telemetry.metrics import Meters

LOOK_S = 5.0


class Event(EventName):
    """Log events."""

    DATABASE_NOT_DURABLE = "database.not_durable"
    DATABASE_DURABLE = "database.durable"


class DurabilityWatch:
    """`loop` must be running."""

    def __init__(self, database: Database, meters: Meters, log: Log) -> None:
        self._database = database
        self._gauge = meters.gauge("floorhub_database_durable", "1 while Postgres keeps what it says it has stored")
        self._gauge.set(1)
        self._log = log
        self._off: list[str] = []

    @property
    def state(self) -> str:
        """For readiness: `ok`, or `not_durable`."""
        return "not_durable" if self._off else "ok"

    def loop(self) -> Loop:
        """Looks every few seconds."""
        return periodic("durability", self.look, self._log, pause_s=LOOK_S)

    async def look(self) -> None:
        """Ask Postgres once. Raises UnavailableError."""
        async with self._database.connection() as connection:
            off = await session.not_durable(connection)
        if off == self._off:
            return
        self._off = off
        self._gauge.set(0 if off else 1)
        if off:
            todo = f"Postgres may lose commands that were accepted: switch {', '.join(off)} on and reload Postgres"
            self._log.error(Event.DATABASE_NOT_DURABLE, settings=off, todo=todo)
        else:
            self._log.info(Event.DATABASE_DURABLE)
