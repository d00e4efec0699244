"""Connections to Postgres. Functions of the store run inside what is opened here and never commit themselves."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString
from weakref import WeakKeyDictionary, WeakSet

import msgspec
import psycopg
from psycopg import AsyncClientCursor, AsyncConnection, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from hub.database import session
from hub.database.turns import NoTurnError, Turns
from hub.errors import SetupError, UnavailableError
from hub.fairness import served

Connection = AsyncConnection[DictRow]

# A database host that vanishes is noticed in seconds instead of minutes.
_NETWORK = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction, TimeoutError)
"""The last but one: a standby, or a server that an administrator has set so. It passes, as an outage does."""
DEADLINE_S = 35.0
"""For all that is done with one connection at a time; longer than Postgres's own deadline for a statement, so it only
counts when Postgres itself stands still, or its answers are lost."""
WAIT_S = 5.0
"""For a connection, behind others."""
_GIVE_UP_BEFORE_S = 0.5
"""So much earlier a connection is cut off. A cancelled statement would be cancelled at the server, too, for which the
library takes up to 5 s more when nothing answers."""


_marks: "WeakKeyDictionary[Connection, set[str]]" = WeakKeyDictionary()


def mark(connection: Connection, what: str) -> None:
    """Note what this connection is about to write; see `Database.after_commit`."""
    _marks.setdefault(connection, set()).add(what)


def _dumps(value: Any) -> bytes:
    return msgspec.json.encode(value)


class Database:
    """The pool of connections; open it before use. Every connection commits each statement by itself unless a
    transaction is opened with `transaction()`."""

    def __init__(self, url: str, *, size: int = 8, clock_shift: str = "0", deadline_s: float = DEADLINE_S) -> None:
        session.require_url(url)
        self.url = url
        self._deadline_s = deadline_s
        self._beside: WeakSet[Connection] = WeakSet()
        self._clock_shift = clock_shift
        patience = session.CONNECT_PATIENCE_S
        self._conninfo = make_conninfo(url, connect_timeout=patience, application_name="floorhub", **_NETWORK)
        set_json_dumps(_dumps)
        set_json_loads(msgspec.json.decode)
        self._size = size
        self._lent = 0
        self._turns = Turns(size)
        self.after_commit: dict[str, Callable[[], None]] = {}
        """What is called when a connection is given back that was marked, by the mark: its transaction has ended."""
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            self._conninfo,
            connection_class=AsyncConnection[DictRow],
            kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 2},
            configure=self._prepare,
            min_size=2,
            max_size=size,
            timeout=WAIT_S,
            max_waiting=500,
            # A broken connection is given up after this long; the pool goes on making new ones.
            reconnect_timeout=30,
            open=False,
        )

    async def open(self, *, patience_s: float = 10) -> None:
        """Open the pool. Raises SetupError when the database does not answer or may lose what it has committed."""
        try:
            await self._pool.open(wait=True, timeout=patience_s)
        except (psycopg.Error, PoolTimeout) as problem:
            await self._pool.close()
            refused = await self._refusal(self._pool.min_size)
            raise not_connected(self.url, refused or problem) from None
        async with self.told(), self.connection() as connection:
            await _require_durability(connection)

    async def connect(self) -> Connection:
        """A connection beside the pool, in autocommit, for whoever keeps one for itself. Close it. Raises
        psycopg.Error."""
        connection = await AsyncConnection[DictRow].connect(self._conninfo, autocommit=True, row_factory=dict_row)
        self._beside.add(connection)
        try:
            await self._prepare(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _prepare(self, connection: Connection) -> None:
        await session.prepare_hub(connection, self._clock_shift)

    async def close(self) -> None:
        """Close the pool and what is beside it; idempotent."""
        for connection in list(self._beside):
            await connection.close()
        await self._pool.close(timeout=5)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection in autocommit; who waits for one waits for its turn among those of whom the running task
        serves. Raises UnavailableError when Postgres is away or all are in use."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._deadline_s - _GIVE_UP_BEFORE_S
        try:
            async with (
                asyncio.timeout(self._deadline_s),
                self._turns.taken(served(), WAIT_S),
                self._pool.connection() as connection,
            ):
                giving_up = loop.call_at(give_up_at, _cut, connection)
                self._lent += 1
                try:
                    yield connection
                finally:
                    self._lent -= 1
                    giving_up.cancel()
                    for what in _marks.pop(connection, ()):
                        self.after_commit.get(what, _nothing)()
        except (PoolTimeout, TooManyRequests, NoTurnError) as problem:
            # With connections left to lend, the pool could make none: Postgres is away.
            code = "database_busy" if self._lent >= self._size else "database_unavailable"
            raise UnavailableError(code) from problem
        except _AWAY as problem:
            raise UnavailableError("database_unavailable") from problem

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Around work that a person waits for: what Postgres refuses in it is an UnavailableError whose cause has the
        words of Postgres. The pool keeps them to its log, so it is asked once more, beside the pool."""
        try:
            yield
        except UnavailableError as problem:
            if not isinstance(problem.__cause__, PoolTimeout | TooManyRequests):
                raise
            refused = await self._refusal()
            if refused is None:
                raise
            raise UnavailableError("database_unavailable") from refused
        except (*_AWAY, psycopg.errors.InsufficientPrivilege) as problem:
            raise UnavailableError("database_unavailable") from problem

    async def _refusal(self, number: int = 1) -> psycopg.Error | None:
        """What Postgres says to so many more connections at a time; None when it takes them."""
        async with contextlib.AsyncExitStack() as opened:
            try:
                for _ in range(number):
                    opened.push_async_callback((await self.connect()).close)
            except psycopg.Error as refused:
                return refused
        return None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def now(self, connection: Connection) -> datetime:
        """The hub's clock, which is Postgres's."""
        return await now(connection)


def _nothing() -> None:
    """Nobody is interested in that."""


def _cut(connection: Connection) -> None:
    """End a connection from this side, so that whoever waits for an answer hears so now, and the pool drops it."""
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def reading(connection: Connection) -> AsyncClientCursor[DictRow]:
    """A cursor for lists with many optional filters: the values stand in the statement, so that each combination is
    planned for itself."""
    return AsyncClientCursor(connection, row_factory=dict_row)


async def now(connection: Connection) -> datetime:
    """The hub's clock, which is Postgres's."""
    row = await (await connection.execute(b"SELECT floorhub_now() AS now")).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    moment: datetime = row["now"]
    return moment


async def database_size(connection: Connection) -> int:
    """Bytes of the whole database."""
    row = await (await connection.execute(b"SELECT pg_database_size(current_database()) AS bytes")).fetchone()
    return 0 if row is None else int(row["bytes"])


async def _require_durability(connection: Connection) -> None:
    off = await session.not_durable(connection)
    if off:
        names = ", ".join(off)
        raise SetupError(
            f"Postgres runs with {names} = off: it may lose commands that were accepted. Switch it on and restart.",
            ko=f"Postgres의 {names} 설정이 off입니다. 접수한 명령을 잃을 수 있으니 켜고 다시 시작하십시오.",
        )


def not_connected(url: str, problem: object) -> SetupError:
    """For the operator: no connection came about. Whoever says no has answered."""
    refused = [line.partition("FATAL:")[2].strip() for line in str(problem).splitlines() if "FATAL:" in line]
    if refused:
        return SetupError(
            f"Postgres at {redacted(url)} refuses the connection: {refused[0]}. Look at the user, the password and the "
            "database in FLOORHUB_DATABASE_URL, and at the limits of connections.",
            ko=f"{redacted(url)}의 Postgres가 연결을 거절합니다: {refused[0]}. FLOORHUB_DATABASE_URL의 사용자, 암호, "
            "데이터베이스와 연결 수 제한을 확인하십시오.",
        )
    return SetupError(
        f"Postgres does not answer at {redacted(url)}: {problem}",
        ko=f"{redacted(url)}에서 Postgres가 응답하지 않습니다: {problem}",
    )


def redacted(url: str) -> str:
    """A database URL without its password."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    parts.pop("password", None)
    return make_conninfo("", **{key: str(value) for key, value in parts.items()})


def notify(channel: LiteralString, payload: str) -> sql.Composed:
    """A NOTIFY statement."""
    return sql.SQL("NOTIFY {}, {}").format(sql.Identifier(channel), sql.Literal(payload))
