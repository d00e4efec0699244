"""Having the broker restarted with all rules of the database, where `floorhub up` started it; and what it has yet to
learn.

Hub and `floorhub up` agree by a file: the hub makes it, `floorhub up` restarts the broker and removes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hub.core.access.rules import Caller
from hub.core.audit import store as audit
from hub.core.broker import store
from hub.core.broker.store import BrokerState
from hub.core.broker.telemetry import Event
from hub.database.engine import Database
from hub.errors import ConflictError, UnavailableError
from hub.telemetry.log import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the broker has yet to learn, and whether it can be restarted, or is. `connected`: this process; None: it
    has no connection to the broker. `managed`: the hub tells it about clients."""

    state: BrokerState
    managed: bool
    connected: bool | None
    can_restart: bool
    restarting: bool


class Restarting:
    """The service. `connected` is set by whoever connects."""

    def __init__(self, database: Database, log: Log, request: Path | None, *, managed: bool) -> None:
        """`request`: the file; None: somebody else started the broker. `managed`: see `Standing`."""
        self._managed = managed
        self._database = database
        self._log = log
        self._request = request
        self.connected: Callable[[], bool] | None = None

    async def standing(self) -> Standing:
        """How it is now."""
        async with self._database.connection() as connection:
            state = await store.state(connection)
        return Standing(
            state=state,
            managed=self._managed,
            connected=None if self.connected is None else self.connected(),
            can_restart=self._request is not None,
            restarting=self._request is not None and self._request.exists(),
        )

    async def restart(self, caller: Caller) -> Standing:
        """Ask for a restart, which begins within a second; while one is asked for, this asks for no other. Raises
        ConflictError, UnavailableError."""
        caller.require_all_clients()
        if self._request is None:
            raise ConflictError("broker_not_ours")
        async with self._database.transaction() as connection:
            waiting = (await store.state(connection)).imports
            await audit.record(connection, caller, "broker.restart", "broker", "broker", {"clients": waiting})
        try:
            self._request.touch(mode=0o600)
        except OSError:
            raise UnavailableError("try_again", retry_after_s=5) from None
        self._log.warning(Event.BROKER_RESTART, waiting=waiting)
        return await self.standing()
