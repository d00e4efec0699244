"""Hints between processes by LISTEN and NOTIFY: at most one every 10 ms and process, after the commit.

NOTIFY takes a lock of the whole database at commit, hence the bound; a lost hint costs one poll. Processes say hello to
each other, so that one that is alone can save itself hints that nobody hears.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg

from hub.database.engine import Connection, Database, notify
from hub.errors import SetupError, UnavailableError

CHANNEL = "floorhub"
SPACING_S = 0.01
MAX_NAMES = 70
"""Names in one hint; 8,000 bytes is Postgres's limit. Beyond it the hint says `everything`."""
RETRY_S = 1.0
HELLO_EVERY_S = 5.0
NAME_PATIENCE_S = 6.0
"""For a process that has our name to say so: one that lives says hello more often."""
FIRST_PAUSE_S = 0.1
NAMES = 0x466C776E
"""The first half of the advisory lock that a worker holds for its name."""
_TAKE_NAME = b"SELECT pg_try_advisory_lock(%(kind)s, hashtext(%(name)s)) AS taken"
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
    worker: str = ""
    """In a hello: the name that the sender uses at the broker."""
    access: bool = False
    """Who may do what has changed."""
    everything: bool = False
    """More than fits: look for yourself."""


class _Connections(NamedTuple):
    listening: Connection
    sending: Connection
    stack: AsyncExitStack


class Notifications:
    """Sends and receives hints; `run` must be running. Hints of our own do not come back."""

    def __init__(self, database: Database, worker: str, *, named: bool = False) -> None:
        """`named`: this process has the worker's name for itself, see `claim`."""
        self._database = database
        # Of this process alone: two may have been given one name.
        self._sender = f"{worker}/{secrets.token_hex(6)}"
        self._worker = worker if named else ""
        self._holds_name = False
        self._first: _Connections | None = None
        self.receive: Callable[[Hint], None] = lambda _: None
        """Takes what other processes say."""
        self._clients: set[str] = set()
        self._ended: set[UUID] = set()
        self._broker = False
        self._leases = False
        self._access = False
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
        access: bool = False,
    ) -> None:
        """Queue a hint for the other processes."""
        self._clients.update(clients)
        self._ended.update(ended)
        self._broker = self._broker or broker
        self._access = self._access or access
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

    async def claim(self) -> None:
        """Take the worker's name before it is used at the broker. Raises SetupError when another process has it and
        lives, UnavailableError when the database is away.

        A lock says who has it, for as long as the connection lives. One that stays after its process (the machine is
        gone, and Postgres has not noticed) counts for nothing: a process that lives answers.
        """
        if not self._worker:
            return
        try:
            async with AsyncExitStack() as stack:
                connections = await self._open(stack)
                if not self._holds_name:
                    await self._await_name(connections)
                self._first = connections._replace(stack=stack.pop_all())
        except (psycopg.Error, OSError) as problem:
            raise UnavailableError("database_unavailable") from problem

    async def _await_name(self, connections: "_Connections") -> None:
        hello = Hint(self._sender, hello=True, worker=self._worker)
        end = time.monotonic() + NAME_PATIENCE_S
        pause_s = FIRST_PAUSE_S
        while time.monotonic() < end:
            await connections.sending.execute(notify(CHANNEL, msgspec.json.encode(hello).decode()))
            async for notification in connections.listening.notifies(timeout=pause_s):
                hint = _read(notification.payload)
                if hint is not None:
                    self._require_name(hint)
            await self._take_name(connections.sending)
            if self._holds_name:
                return
            pause_s = RETRY_S

    def _require_name(self, hint: Hint) -> None:
        """Raise SetupError when another process has our name and we have not."""
        if self._worker and hint.worker == self._worker and hint.sender != self._sender and not self._holds_name:
            raise SetupError(
                f"Another process of this hub uses the worker name {self._worker}: each would end the other's "
                "connection to the broker. Give each its own FLOORHUB_WORKER, or leave it unset.",
                ko=f"이 허브의 다른 프로세스가 작업자 이름 {self._worker}을(를) 쓰고 있습니다. 서로 브로커 연결을 "
                "끊게 됩니다. 프로세스마다 다른 FLOORHUB_WORKER를 지정하거나 지정하지 마십시오.",
            )

    async def _take_name(self, connection: Connection) -> None:
        if self._worker:
            cursor = await connection.execute(_TAKE_NAME, {"kind": NAMES, "name": self._worker})
            row = await cursor.fetchone()
            self._holds_name = row is not None and bool(row["taken"])

    async def _open(self, stack: AsyncExitStack) -> "_Connections":
        listening = await stack.enter_async_context(await self._database.connect())
        await listening.execute(b"LISTEN floorhub")
        # Another for the rest: the listening one is busy with waiting.
        sending = await stack.enter_async_context(await self._database.connect())
        await self._take_name(sending)
        return _Connections(listening, sending, stack)

    async def run(self) -> None:
        """Send and receive until cancelled; a lost connection is made again. Raises SetupError (in a group) when
        another process has taken the worker's name meanwhile."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    if self._first is not None:
                        connections, self._first = self._first, None
                        stack.push_async_exit(connections.stack.pop_all())
                    else:
                        connections = await self._open(stack)
                    self._alone_from = time.monotonic() + ALONE_AFTER_S
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._listen(connections.listening), name="listen")
                        group.create_task(self._send(connections.sending), name="notify")
                        self.greet()
            except* (psycopg.Error, OSError):
                self._alone_from = float("inf")
                await asyncio.sleep(RETRY_S)

    async def _listen(self, connection: Connection) -> None:
        async for notification in connection.notifies():
            hint = _read(notification.payload)
            if hint is None or hint.sender == self._sender:
                continue
            self._require_name(hint)
            now = time.monotonic()
            if hint.sender not in self._others or self.alone:
                self.greet()
            if hint.hello:
                self._others = {name: kept for name, kept in self._others.items() if kept[0] > now - ALONE_AFTER_S}
                self._others[hint.sender] = (now, hint.at_broker)
            self._alone_from = now + ALONE_AFTER_S
            self.receive(hint)
        raise psycopg.OperationalError("the connection for notifications ended")

    async def _send(self, connection: Connection) -> None:
        while True:
            try:
                async with asyncio.timeout(HELLO_EVERY_S):
                    await self._some.wait()
            except TimeoutError:
                self.greet()
                if not self._holds_name:
                    await self._take_name(connection)
            self._some.clear()
            await connection.execute(notify(CHANNEL, msgspec.json.encode(self._take()).decode()))
            await asyncio.sleep(SPACING_S)

    def _take(self) -> Hint:
        clients, ended, broker, leases = self._clients, self._ended, self._broker, self._leases
        access, self._access = self._access, False
        hello, self._hello = self._hello, False
        at_broker = self.at_broker() if hello else None
        worker = self._worker if hello else ""
        self._clients, self._ended, self._broker, self._leases = set(), set(), False, False
        if len(clients) > MAX_NAMES or len(ended) > MAX_NAMES:
            return Hint(
                self._sender,
                broker=broker,
                leases=leases,
                hello=hello,
                at_broker=at_broker,
                worker=worker,
                access=access,
                everything=True,
            )
        return Hint(self._sender, list(clients), list(ended), broker, leases, hello, at_broker, worker, access)


def _read(payload: str) -> Hint | None:
    """A hint, unless somebody else uses the channel."""
    try:
        return msgspec.json.decode(payload, type=Hint)
    except msgspec.DecodeError:
        return None
