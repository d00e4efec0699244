"""How many rows statements read. Postgres counts, in the transaction itself, what was read of each table, also within
functions, whose plans EXPLAIN does not show."""

from hub.database.engine import Connection

Read = dict[str, tuple[int, int]]
_READ = b"""
    SELECT relname, seq_tup_read, coalesce(idx_tup_fetch, 0) AS fetched FROM pg_stat_xact_user_tables
    WHERE seq_tup_read > 0 OR idx_tup_fetch > 0
"""


async def rows_read(connection: Connection) -> Read:
    """How many rows of each table were read so far: all of them one by one, and by indexes. What came before in this
    session may be counted, too."""
    cursor = await connection.execute(_READ)
    return {row["relname"]: (row["seq_tup_read"], row["fetched"]) for row in await cursor.fetchall()}


async def read_since(connection: Connection, before: Read) -> tuple[int, int]:
    """What was read since: of whole tables, and by indexes."""
    now = await rows_read(connection)
    read = [tuple(a - b for a, b in zip(now[name], before.get(name, (0, 0)), strict=True)) for name in now]
    return sum(whole for whole, _ in read), sum(by_index for _, by_index in read)
