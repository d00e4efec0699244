"""Connections to Postgres. Functions of the store run inside what is opened here and never commit themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg import AsyncClientCursor, AsyncConnection, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from hub.errors import SetupError, UnavailableError

Connection = AsyncConnection[DictRow]

# A statement, a lock and an idle transaction all have deadlines: nothing in the hub waits for ever.
_DEADLINES = "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=15s"
# The hot statements are planned once for a connection and must not be planned by what the tables held at that moment:
# a plan made while they were nearly empty would scan them for ever. So a kept plan may only walk indexes, row by row,
# which is right for batches of a few hundred at any size. Planning anew each time costs 2 to 3 times as much.
_PLANS = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off "
    "-c jit=off"
)
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
counts when Postgres itself stands still."""
_SESSION = f"-c timezone=UTC {_DEADLINES} {_PLANS}"


def _dumps(value: Any) -> bytes:
    return msgspec.json.encode(value)


class Database:
    """The pool of connections; open it before use. Every connection commits each statement by itself unless a
    transaction is opened with `transaction()`."""

    def __init__(self, url: str, *, size: int = 8, clock_shift: str = "0") -> None:
        self.url = url
        options = f"{_SESSION} -c floorhub.clock_shift={clock_shift.replace(' ', chr(92) + ' ')}"
        self.conninfo = make_conninfo(url, options=options, connect_timeout=5, application_name="floorhub", **_NETWORK)
        set_json_dumps(_dumps)
        set_json_loads(msgspec.json.decode)
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            self.conninfo,
            connection_class=AsyncConnection[DictRow],
            kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 2},
            min_size=2,
            max_size=size,
            timeout=5,
            max_waiting=500,
            # A broken connection is given up after this long; the pool goes on making new ones.
            reconnect_timeout=30,
            open=False,
        )

    async def open(self) -> None:
        """Open the pool. Raises SetupError when the database does not answer or may lose what it has committed."""
        try:
            await self._pool.open(wait=True, timeout=10)
        except (psycopg.Error, PoolTimeout) as problem:
            await self._pool.close()
            raise SetupError(f"Postgres does not answer at {redacted(self.url)}: {problem}") from None
        async with self.connection() as connection:
            await _require_durability(connection)

    async def close(self) -> None:
        """Close the pool; idempotent."""
        await self._pool.close(timeout=5)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection in autocommit. Raises UnavailableError when Postgres is away or all are in use."""
        try:
            async with asyncio.timeout(DEADLINE_S), self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, TooManyRequests) as problem:
            raise UnavailableError("database_busy") from problem
        except _AWAY as problem:
            raise UnavailableError("database_unavailable") from problem

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def now(self, connection: Connection) -> datetime:
        """The hub's clock, which is Postgres's."""
        return await now(connection)


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
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        cursor = await connection.execute("SELECT current_setting(%s) AS value", (name,))
        row = await cursor.fetchone()
        if row is None or row["value"] == "off":
            raise SetupError(
                f"Postgres runs with {name} = off: it may lose commands that were accepted. Switch it on and restart."
            )


def redacted(url: str) -> str:
    """A database URL without its password."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    parts.pop("password", None)
    return make_conninfo("", **{key: str(value) for key, value in parts.items()})


def notify(channel: LiteralString, payload: str) -> sql.Composed:
    """A NOTIFY statement."""
    return sql.SQL("NOTIFY {}, {}").format(sql.Identifier(channel), sql.Literal(payload))
