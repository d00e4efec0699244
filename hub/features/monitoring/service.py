"""Health, readiness and figures, put together from what the subjects bring."""

from hub.core.access.rules import Caller
from hub.core.clients.store import clients
from hub.database.engine import Database
from hub.errors import RejectedError, UnavailableError
from hub.subject import Subjects
from hub.telemetry.metrics import Meters


class Monitoring:
    """The service."""

    def __init__(self, database: Database, subjects: Subjects, meters: Meters) -> None:
        self._database = database
        self._subjects = subjects
        self._meters = meters

    async def readiness(self) -> tuple[bool, dict[str, str]]:
        """Whether the hub can do its work, and every check by its name: `ok`, or what is wrong."""
        checks = {"database": "ok"}
        try:
            async with self._database.connection() as connection:
                await self._database.now(connection)
        except UnavailableError as problem:
            checks["database"] = problem.code
        checks |= {name: check() for subject in self._subjects.all for name, check in subject.readiness.items()}
        ready = all(state == "ok" for state in checks.values())
        checks |= {name: check() for subject in self._subjects.all for name, check in subject.advice.items()}
        return ready, checks

    async def figures(self, caller: Caller) -> bytes:
        """The text that Prometheus reads: counters of this process and counts of the tables. Raises UnavailableError,
        and RejectedError for who may not read all clients: the figures are those of all."""
        async with self._database.connection() as connection:
            if not await clients.reads_all(connection, caller.scope):
                raise RejectedError("all_clients_needed")
            for subject in self._subjects.all:
                for count in subject.figures:
                    await count(connection)
        return self._meters.render()
