"""Hints between processes by LISTEN and NOTIFY: at most one every 10 ms and process, after the commit.

NOTIFY takes a lock of the whole database at commit, hence the bound; a lost hint costs one poll. Processes say hello to
each other, so that one that is alone can save itself hints that nobody hears.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from uuid import UUID

import msgspec
import psycopg

from hub.database.engine import Connection, Database, notify

CHANNEL = "floorhub"
SPACING_S = 0.01
MAX_NAMES = 70
"""Names in one hint; 8,000 bytes is Postgres's limit. Beyond it the hint says `everything`."""
RETRY_S = 1.0
HELLO_EVERY_S = 5.0
ALONE_AFTER_S = 15.0
"""A process that has heard no other for so long is alone: three hellos, one of which got lost."""


class Hint(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one process tells the others."""

    sender: str
    clients: list[str] = []
    """Clients that may have work."""
    ended: list[UUID] = []
    """Commands that have ended."""
    broker: bool = False
    """The broker's outbox changed."""
    leases: bool = False
    """Something handed out is to be sent again at once."""
    hello: bool = False
    """Nothing but a sign of liveness; a process that hears a new one answers with its own."""
    at_broker: bool | None = None
    """Whether the sender is at the broker; in a hello. None: it has no part in that."""
    everything: bool = False
    """More than fits: look for yourself."""


class Notifications:
    """Sends and receives hints; `run` must be running. Hints of our own do not come back."""

    def __init__(self, database: Database, sender: str) -> None:
        self._database = database
        self._sender = sender
        self.receive: Callable[[Hint], None] = lambda _: None
        """Takes what other processes say."""
        self._clients: set[str] = set()
        self._ended: set[UUID] = set()
        self._broker = False
        self._leases = False
        self._hello = False
        self._some = asyncio.Event()
        self._alone_from = float("inf")
        self._others: dict[str, tuple[float, bool | None]] = {}
        self.at_broker: Callable[[], bool | None] = lambda: None
        """Whether this process is at the broker; None: it has no part in that."""

    def tell(
        self,
        clients: Iterable[str] = (),
        ended: Iterable[UUID] = (),
        *,
        broker: bool = False,
        leases: bool = False,
    ) -> None:
        """Queue a hint for the other processes."""
        self._clients.update(clients)
        self._ended.update(ended)
        self._broker = self._broker or broker
        self._leases = self._leases or leases
        self._some.set()

    @property
    def alone(self) -> bool:
        """Whether no other process works with this database, as far as could be heard."""
        return time.monotonic() > self._alone_from

    @property
    def any_at_broker(self) -> bool | None:
        """Whether any process is at the broker, as far as could be heard; None: no process is known that should be."""
        heard_after = time.monotonic() - ALONE_AFTER_S
        said = [at_broker for heard, at_broker in self._others.values() if heard > heard_after] + [self.at_broker()]
        return None if all(one is None for one in said) else any(said)

    def greet(self) -> None:
        """Say hello: that this process lives, and whether it is at the broker."""
        self._hello = True
        self._some.set()

    async def run(self) -> None:
        """Send and receive until cancelled; a lost connection is made again."""
        while True:
            try:
                connection = await self._database.connect()
                async with connection:
                    await connection.execute(b"LISTEN floorhub")
                    self._alone_from = time.monotonic() + ALONE_AFTER_S
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._listen(connection), name="listen")
                        group.create_task(self._send(), name="notify")
                        self.greet()
            except* (psycopg.Error, OSError):
                self._alone_from = float("inf")
                await asyncio.sleep(RETRY_S)

    async def _listen(self, connection: Connection) -> None:
        async for notification in connection.notifies():
            try:
                hint = msgspec.json.decode(notification.payload, type=Hint)
            except msgspec.DecodeError:
                continue
            if hint.sender == self._sender:
                continue
            now = time.monotonic()
            if hint.sender not in self._others or self.alone:
                self.greet()
            if hint.hello:
                self._others = {name: kept for name, kept in self._others.items() if kept[0] > now - ALONE_AFTER_S}
                self._others[hint.sender] = (now, hint.at_broker)
            self._alone_from = now + ALONE_AFTER_S
            self.receive(hint)
        raise psycopg.OperationalError("the connection for notifications ended")

    async def _send(self) -> None:
        # A connection of its own: the listening one is busy with waiting.
        connection = await self._database.connect()
        async with connection:
            while True:
                try:
                    async with asyncio.timeout(HELLO_EVERY_S):
                        await self._some.wait()
                except TimeoutError:
                    self.greet()
                self._some.clear()
                await connection.execute(notify(CHANNEL, msgspec.json.encode(self._take()).decode()))
                await asyncio.sleep(SPACING_S)

    def _take(self) -> Hint:
        clients, ended, broker, leases = self._clients, self._ended, self._broker, self._leases
        hello, self._hello = self._hello, False
        at_broker = self.at_broker() if hello else None
        self._clients, self._ended, self._broker, self._leases = set(), set(), False, False
        if len(clients) > MAX_NAMES or len(ended) > MAX_NAMES:
            return Hint(self._sender, broker=broker, leases=leases, hello=hello, at_broker=at_broker, everything=True)
        return Hint(self._sender, list(clients), list(ended), broker, leases, hello, at_broker)
