"""What sealing and clean-up read of a long trail: what they ask for, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.core.audit.rules.ids import Ids
from hub.core.audit.store import seals
from hub.database.engine import Database
from tests.support.audit import Trail
from tests.support.rows_read import read_since, rows_read

ROWS = 20_000


@pytest.fixture
async def long(database: Database, tmp_path: Path) -> Trail:
    """A trail with blocks of a thousand rows, and some rows that have no seal."""
    trail = Trail(database, tmp_path / "data")
    async with database.connection() as connection:
        await connection.execute(
            b"INSERT INTO audit_logs (at, action, resource) SELECT now(), 'x', 'y' FROM generate_series(1, %s)", (ROWS,)
        )
    await trail.seal()
    async with database.connection() as connection:
        await connection.execute(
            b"INSERT INTO audit_logs (at, action, resource) SELECT now(), 'x', 'y' FROM generate_series(1, 40)"
        )
        await connection.execute(b"ANALYZE audit_logs, audit_seals")
    return trail


@pytest.mark.each_postgres
async def test_the_sealer_reads_rows_without_a_seal(long: Trail) -> None:
    assert long.sealing.last is not None
    high = long.sealing.last.high
    async with long.database.transaction() as connection:
        for left_out in (Ids(), Ids([(high - 30, high - 28), (high - 20, high - 19)])):
            before = await rows_read(connection)
            found = await seals.unsealed(connection, high, left_out, 1_000, block=1)
            whole, by_index = await read_since(connection, before)
            assert len(found.rows) == 40 + len(left_out)
            assert (whole, by_index) <= (0, len(found.rows) + 2)
        before = await rows_read(connection)
        assert len(await seals.among(connection, Ids([(5, 8)]), 1_000)) == 3
        assert await read_since(connection, before) <= (0, 4)


@pytest.mark.each_postgres
async def test_clean_up_reads_the_rows_of_the_blocks_that_it_looks_at(long: Trail) -> None:
    async with long.database.transaction() as connection:
        before = await rows_read(connection)
        found = await seals.oldest(connection, datetime(2020, 1, 1, tzinfo=UTC), 0, 2)
        whole, by_index = await read_since(connection, before)
    assert [block.stays for block in found] == [True, True]
    assert whole == 0
    assert by_index <= 2 * 1_000 + 10
