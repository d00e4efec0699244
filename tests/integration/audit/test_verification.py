"""The chain of seals on a real database: what a writer with all rights may do, verification names."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import LiteralString

import pytest
from psycopg import sql

from hub.core.audit.rules.chain import Seal, sealed
from hub.core.audit.rules.ids import Ids
from hub.core.audit.store import record, seals
from hub.database.engine import Database
from schemas.signing import Signer
from tests.support.audit import Somebody, Trail


@pytest.fixture
def trail(database: Database, tmp_path: Path) -> Trail:
    return Trail(database, tmp_path / "data")


async def execute(database: Database, query: str, *parameters: object) -> None:
    async with database.connection() as connection:
        await connection.execute(query.encode(), parameters)


async def first_problem(trail: Trail) -> tuple[str, int | None, int | None]:
    result = await trail.verify()
    assert not result.intact
    first = result.problems[0]
    assert first.sentence(korean=False)
    assert first.sentence(korean=True)
    return first.code, first.row, first.seal


async def three_blocks(trail: Trail) -> None:
    """Rows 1 to 6 in seals 1 to 3."""
    for number in range(3):
        await trail.write(f"a{number}", f"b{number}")


async def test_an_untouched_trail_is_intact(trail: Trail) -> None:
    await three_blocks(trail)
    result = await trail.verify()
    assert (result.intact, result.rows, result.seals, result.unsealed) == (True, 6, 3, 0)
    assert (result.first_seal, result.last_seal) == (1, 3)


async def test_an_empty_trail_is_intact(trail: Trail) -> None:
    await trail.seal()
    assert (await trail.verify()).intact


TAMPERING = {
    "action edited": ("UPDATE audit_logs SET action = 'x' WHERE id = 3", ("row_edited", 3, 2)),
    "time edited": ("UPDATE audit_logs SET at = at + interval '1 us' WHERE id = 3", ("row_edited", 3, 2)),
    "principal edited": ("UPDATE audit_logs SET principal_id = NULL WHERE id = 4", ("row_edited", 4, 2)),
    "address edited": ("UPDATE audit_logs SET address = '192.0.2.8' WHERE id = 4", ("row_edited", 4, 2)),
    "detail edited": ("UPDATE audit_logs SET detail = '{}' WHERE id = 4", ("row_edited", 4, 2)),
    "salt edited": ("UPDATE audit_logs SET salt = gen_random_uuid() WHERE id = 4", ("row_edited", 4, 2)),
    "claims to be sealed": ("UPDATE audit_logs SET seq = id, hash = '\\x00' WHERE id = 2", ("row_edited", 2, 1)),
    "deleted": ("DELETE FROM audit_logs WHERE id = 4", ("row_deleted", 4, 2)),
    "first deleted": ("DELETE FROM audit_logs WHERE id = 1", ("row_deleted", 1, 1)),
    "last rows deleted": ("DELETE FROM audit_logs WHERE id >= 5", ("row_deleted", 5, 3)),
    "inserted before": (
        "INSERT INTO audit_logs (id, at, action, resource) OVERRIDING SYSTEM VALUE VALUES (-1, now(), 'x', 'y')",
        ("row_inserted", -1, None),
    ),
    "inserted with the lowest number": (
        "INSERT INTO audit_logs (id, at, action, resource) OVERRIDING SYSTEM VALUE "
        "VALUES (-9223372036854775808, now(), 'x', 'y')",
        ("row_inserted", -(2**63), None),
    ),
    "inserted with the highest number": (
        "INSERT INTO audit_logs (id, at, action, resource) OVERRIDING SYSTEM VALUE "
        "VALUES (9223372036854775807, now(), 'x', 'y')",
        ("row_inserted", 2**63 - 1, None),
    ),
    "inserted far ahead": (
        "INSERT INTO audit_logs (id, at, action, resource) OVERRIDING SYSTEM VALUE "
        "VALUES (9223372036854775000, now(), 'x', 'y')",
        ("row_inserted", 9223372036854775000, None),
    ),
    "a time that no program can read": (
        "UPDATE audit_logs SET at = 'infinity' WHERE id = 3",
        ("row_edited", 3, 2),
    ),
    "a time before all times": ("UPDATE audit_logs SET at = '4713-01-02 BC' WHERE id = 3", ("row_edited", 3, 2)),
    "a time after all times": ("UPDATE audit_logs SET at = '20000-01-01' WHERE id = 3", ("row_edited", 3, 2)),
    "reordered": (
        "UPDATE audit_logs a SET resource_id = b.resource_id, detail = b.detail, salt = b.salt FROM audit_logs b "
        "WHERE (a.id, b.id) IN ((3, 4), (4, 3))",
        ("row_edited", 3, 2),
    ),
    "moved to the end": ("UPDATE audit_logs SET id = DEFAULT WHERE id = 3", ("row_deleted", 3, 2)),
    "erased without a record": (
        "UPDATE audit_logs SET detail = NULL, address = NULL, salt = NULL, digest = '\\x00' WHERE id = 3",
        ("row_edited", 3, 2),
    ),
    "seal edited": ("UPDATE audit_seals SET at = at + interval '1 s' WHERE number = 2", ("seal_changed", 3, 2)),
    "signature edited": (
        "UPDATE audit_seals SET signature = set_byte(signature, 3, get_byte(signature, 3) # 1) WHERE number = 2",
        ("seal_changed", 3, 2),
    ),
    "seal of a time that no program can read": (
        "UPDATE audit_seals SET at = '-infinity' WHERE number = 2",
        ("seal_changed", 3, 2),
    ),
    "seal of all rows": ("UPDATE audit_seals SET ids = '{(,)}' WHERE number = 2", ("seal_changed", None, 2)),
    "seal of more rows than anybody counts": (
        "UPDATE audit_seals SET ids = '{[-9000000000000000000,9000000000000000000)}' WHERE number = 2",
        ("seal_changed", -9000000000000000000, 2),
    ),
    "seal up to the highest row": (
        "UPDATE audit_seals SET high = 9223372036854775807 WHERE number = 2",
        ("seal_changed", 3, 2),
    ),
    "seal of the highest number": (
        "UPDATE audit_seals SET number = 9223372036854775807 WHERE number = 2",
        ("seal_deleted", None, 2),
    ),
    "a block taken out": (
        "DELETE FROM audit_logs WHERE id IN (3, 4); DELETE FROM audit_seals WHERE number = 2",
        ("seal_deleted", None, 2),
    ),
    "the start taken out": (
        "DELETE FROM audit_logs WHERE id IN (1, 2); DELETE FROM audit_seals WHERE number = 1",
        ("start_missing", 3, 2),
    ),
    "the end taken out": (
        "DELETE FROM audit_logs WHERE id IN (5, 6); DELETE FROM audit_seals WHERE number = 3",
        ("end_missing", None, 3),
    ),
    "everything taken out": ("DELETE FROM audit_logs; DELETE FROM audit_seals", ("end_missing", None, 3)),
    "seals taken out": ("DELETE FROM audit_seals WHERE number = 3", ("end_missing", None, 3)),
}


@pytest.mark.parametrize("name", TAMPERING)
async def test_tampering_is_named(trail: Trail, name: str) -> None:
    await three_blocks(trail)
    query, expected = TAMPERING[name]
    for one in query.split("; "):
        await execute(trail.database, one)
    assert await first_problem(trail) == expected
    # A hub seals on beside that, also one that starts now, and hides nothing.
    for hub in (trail, Trail(trail.database, trail.folder)):
        await hub.write("after")
        assert not (await hub.verify()).intact


async def test_a_row_in_a_number_that_was_rolled_back_long_ago_is_named(
    trail: Trail, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    await trail.write("a")
    async with trail.database.connection() as connection, connection.transaction(force_rollback=True):
        await record(connection, Somebody(), "thing.update", "thing", "never")
    await trail.write("b")
    insert = (
        "INSERT INTO audit_logs (id, at, action, resource, seq, hash) OVERRIDING SYSTEM VALUE "
        "VALUES (2, now(), 'x', 'y', 2, '\\x00')"
    )
    await execute(trail.database, insert)
    assert (await trail.verify()).intact, "it might still be a transaction that has just been committed"
    later = Trail(await shift_clock("5 minutes"), trail.folder)
    later.key = trail.key
    assert await first_problem(later) == ("row_inserted", 2, None)


async def resealed(trail: Trail, signer: Signer) -> None:
    """What a writer with all rights does who has another key: every block from the second on made anew."""
    async with trail.database.connection() as connection:
        chain = await seals.read_from(connection, 1, 1000)
        before: Seal = chain[0]
        for one in chain[1:]:
            rows = await seals.among(connection, Ids.parse(one.ids), 1000)
            made = sealed(signer, before, one.at, rows)
            await connection.execute(b"DELETE FROM audit_seals WHERE number = %s", (one.number,))
            await connection.execute(b"UPDATE audit_keys SET kid = %s, public_key = %s", (signer.kid, signer.kid))
            assert await seals.append(connection, made)
            before = made


async def test_a_chain_that_was_recomputed_is_named(trail: Trail) -> None:
    await three_blocks(trail)
    await execute(trail.database, "UPDATE audit_logs SET action = 'x' WHERE id = 3")
    await resealed(trail, Signer(bytes(range(32))))
    assert await first_problem(trail) == ("seal_changed", 3, 2)


async def test_a_chain_that_was_recomputed_with_the_key_but_noted_outside_is_named(trail: Trail) -> None:
    await three_blocks(trail)
    await execute(trail.database, "UPDATE audit_logs SET action = 'x' WHERE id = 3")
    await resealed(trail, trail.key.signer)
    assert await first_problem(trail) == ("rewritten", None, 3)


async def test_random_tampering_never_goes_unnoticed(trail: Trail) -> None:
    chance = random.Random(5)  # noqa: S311 - which rows a test changes
    for number in range(6):
        await trail.write(*(f"{number}-{one}" for one in range(chance.randint(1, 5))))
    assert (await trail.verify()).intact
    changes: list[LiteralString] = [
        "action = action || 'x'",
        "resource = 'other'",
        "resource_id = NULL",
        "at = at - interval '1 hour'",
        "principal_id = gen_random_uuid()",
        "address = NULL",
        "detail = jsonb_set(detail, '{after}', '2')",
        "salt = NULL",
        "digest = sha256('x')",
    ]
    async with trail.database.connection() as connection:
        rows = await (await connection.execute(b"SELECT id FROM audit_logs ORDER BY id")).fetchall()
    for _ in range(40):
        victim, change = chance.choice(rows)["id"], chance.choice(changes)
        async with trail.database.connection() as connection:
            await connection.execute(b"CREATE TEMP TABLE kept AS SELECT * FROM audit_logs WHERE id = %s", (victim,))
            if chance.random() < 0.3:
                await connection.execute(b"DELETE FROM audit_logs WHERE id = %s", (victim,))
                expected = "row_deleted"
            else:
                update = sql.SQL("UPDATE audit_logs SET {} WHERE id = %s").format(sql.SQL(change))
                await connection.execute(update, (victim,))
                expected = "row_edited"
            result = await trail.verify()
            assert (result.problems[0].code, result.problems[0].row) == (expected, victim), change
            await connection.execute(b"DELETE FROM audit_logs WHERE id = %s", (victim,))
            await connection.execute(b"INSERT INTO audit_logs OVERRIDING SYSTEM VALUE SELECT * FROM kept")
            await connection.execute(b"DROP TABLE kept")
    assert (await trail.verify()).intact


async def test_a_row_that_is_committed_late_is_in_a_later_block_and_stalls_nobody(trail: Trail) -> None:
    held, release = asyncio.Event(), asyncio.Event()

    async def late() -> None:
        async with trail.database.transaction() as connection:
            await record(connection, Somebody(), "thing.update", "thing", "late")
            held.set()
            await release.wait()

    task = asyncio.create_task(late())
    await held.wait()
    await trail.write("early")
    result = await trail.verify()
    assert (result.intact, result.rows) == (True, 1)
    release.set()
    await task
    result = await trail.verify()
    assert (result.intact, result.rows) == (True, 1), "committed a moment ago"
    await trail.seal()
    result = await trail.verify()
    assert (result.intact, result.rows, result.unsealed) == (True, 2, 0)


async def test_hubs_that_seal_together_make_one_chain(database: Database, tmp_path: Path) -> None:
    trails = [Trail(database, tmp_path / "data") for _ in range(4)]
    await trails[0].seal()

    async def work(trail: Trail) -> None:
        for number in range(15):
            await trail.write(*(f"{number}-{one}" for one in range(3)))

    await asyncio.gather(*(work(trail) for trail in trails))
    result = await trails[0].verify()
    assert (result.intact, result.rows, result.unsealed) == (True, 180, 0), result
    assert result.restores == []


async def test_rows_from_before_there_were_salts_get_theirs(trail: Trail) -> None:
    await trail.write("new")
    await execute(
        trail.database,
        "INSERT INTO audit_logs (at, action, resource, address, salt) VALUES (now(), 'x', 'y', 'z', NULL)",
    )
    await trail.seal()
    async with trail.database.connection() as connection:
        rows = await (await connection.execute(b"SELECT salt FROM audit_logs")).fetchall()
    assert all(row["salt"] is not None for row in rows)
    assert (await trail.verify()).intact
