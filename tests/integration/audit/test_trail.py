"""What may be done to the trail without breaking its chain: erasure, clean-up, a restore, a new key; and by whom."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from uuid_utils.compat import uuid7

from hub.core.audit.rules.chain import sealed
from hub.core.audit.rules.ids import Ids
from hub.core.audit.service.anchor import DayFile, read_lines
from hub.core.audit.service.cleaning import Cleaning
from hub.core.audit.service.erasing import Erasing
from hub.core.audit.service.keys import AuditKey, public_key_of
from hub.core.audit.service.verifying import verify
from hub.core.audit.store import AtHost, record, record_security, seals
from hub.database.engine import Database
from hub.errors import SetupError
from hub.keys import new_seed, write_secret_file
from hub.programs.backup.trail import seal_restore
from schemas.signing import encode_key
from tests.support.audit import SOMEBODY, Somebody, Trail
from tests.support.waiting import eventually

YEAR = timedelta(days=365)


@pytest.fixture
def trail(database: Database, tmp_path: Path) -> Trail:
    return Trail(database, tmp_path / "data")


async def rows(database: Database, query: str, *parameters: object) -> list[dict[str, object]]:
    async with database.connection() as connection:
        return await (await connection.execute(query.encode(), parameters)).fetchall()


async def execute(database: Database, query: str, *parameters: object) -> None:
    async with database.connection() as connection:
        await connection.execute(query.encode(), parameters)


class Administrator:
    principal_id = uuid7()
    address = None


async def test_erasure_leaves_the_chain_provable_and_none_of_the_texts(trail: Trail) -> None:
    await trail.write("a", "b")
    async with trail.database.transaction() as connection:
        await record(connection, Administrator(), "user.update", "user", str(SOMEBODY), {"before": {"name": "Kim Min"}})
        await record(connection, Administrator(), "thing.update", "thing", "c", {"after": "stays"})
        await record(connection, Administrator(), "grant.create", "grant", "g", {"after": {"principal": "kim"}})
        await record(connection, Administrator(), "grant.create", "grant", "h", {"after": {"principal": "kimberly"}})
        await record_security(
            connection, "sign_in_failed", "info", principal_id=SOMEBODY, address="192.0.2.7", detail={"login": "kim"}
        )
    await trail.seal()
    erased = await Erasing(trail.database).erase(Administrator(), SOMEBODY, ("kim",))
    assert (erased.rows, erased.security_events) == (4, 1)
    left = json.dumps(await rows(trail.database, "SELECT * FROM audit_logs"), default=str)
    left += json.dumps(await rows(trail.database, "SELECT * FROM security_events"), default=str)
    assert "192.0.2.7" not in left
    assert "Kim Min" not in left
    assert '"kim"' not in left
    assert "stays" in left
    assert "kimberly" in left
    for _ in range(2):
        result = await trail.verify()
        assert (result.intact, result.erased) == (True, 4), result.problems
        await trail.seal()
    assert (await trail.verify()).rows == 7


@pytest.mark.parametrize("name", ["after", "name", "admin", "operator", "unknown", "%", "$id", '"', "null"])
async def test_nothing_of_others_is_erased_with_somebody_who_is_called_as_a_word_of_theirs(
    trail: Trail, name: str
) -> None:
    other = str(uuid7())
    person = {"name": "Kim Min", "login": "kim", "role": "admin", "reach": "all", "note": None}
    async with trail.database.transaction() as connection:
        for action, resource_id, detail in (
            ("user.create", other, {"after": person}),
            ("user.update", other, {"before": {"role": "operator"}, "after": {"role": "admin"}}),
            ("session.start_failed", "unknown", None),
            ("grant.create", str(uuid7()), {"after": {"principal": "kim", "target": {"group": "after"}}}),
        ):
            await record(connection, AtHost(address="192.0.2.8"), action, "user", resource_id, detail)
        own = {"before": None, "after": {**person, "name": name, "login": name}}
        await record(connection, Administrator(), "user.create", "user", str(uuid7()), own)
        await record(connection, Administrator(), "key.create", "key", "k", {"after": {"principal_id": str(SOMEBODY)}})
    erased = await Erasing(trail.database).erase(Administrator(), SOMEBODY, (name, name))
    assert erased.rows == 2
    left = json.dumps(await rows(trail.database, "SELECT detail, address FROM audit_logs"), default=str)
    assert left.count("192.0.2.8") == 4
    assert left.count("Kim Min") == 1
    assert str(SOMEBODY) not in left


async def test_erasing_by_hand_is_named(trail: Trail) -> None:
    await trail.write("a", "b")
    await execute(
        trail.database,
        "SELECT floorhub_audit_erase(ARRAY[1], ARRAY[sha256(convert_to("
        "'[\"' || salt || '\",\"' || address || '\",' || to_json(detail::text) || ']', 'UTF8'))]) "
        "FROM audit_logs WHERE id = 1",
    )
    [problem] = (await trail.verify()).problems
    assert (problem.code, problem.row) == ("row_erased", 1)


async def cleaned(database: Database, cleaning: Cleaning, now: datetime) -> int:
    """How many rows a round of clean-up has taken."""
    walk, number, more = cleaning.walk(now), 0, True
    assert walk is not None
    while more:
        async with database.transaction() as connection:
            more, lines = await walk.portion(connection)
        number += len(lines)
    return number


async def old_and_young(trail: Trail, shift: Callable[[str], Awaitable[Database]]) -> None:
    """Four rows of two years ago in two blocks, and two of today."""
    past = Trail(await shift("-2 years"), trail.folder)
    await past.write("a", "b")
    await past.write("c", "d")
    await trail.write("e", "f")


async def test_right_after_clean_up_the_chain_is_provable(
    trail: Trail, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    await old_and_young(trail, shift_clock)
    cleaning = Cleaning(trail.sealing, YEAR)
    async with trail.database.connection() as connection:
        assert await cleaning.count(connection, datetime.now(UTC)) == 4
    assert await cleaned(trail.database, cleaning, datetime.now(UTC)) == 4
    result = await trail.verify()
    assert (result.intact, result.rows, result.first_seal) == (True, 2, 3), result.problems
    await execute(trail.database, "DELETE FROM audit_logs WHERE id IN (5, 6)")
    await execute(trail.database, "DELETE FROM audit_seals WHERE number = 3")
    [problem] = (await trail.verify()).problems
    assert (problem.code, problem.seal) == ("start_missing", 4)


async def test_what_clean_up_has_not_signed_is_named(
    trail: Trail, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    await old_and_young(trail, shift_clock)
    async with trail.database.connection() as connection:
        with pytest.raises(psycopg.errors.RaiseException):
            await connection.execute(b"SELECT floorhub_audit_cut(2)")
    await execute(
        trail.database,
        "INSERT INTO audit_seals SELECT 4, 'cut', at, '{}', high, 0, rows_hash, marks, "
        "json_build_object('through', 2, 'hash', encode((SELECT hash FROM audit_seals s WHERE number = 2), "
        "'hex'))::text, "
        "hash, kid, sha256('x'), signature FROM audit_seals WHERE number = 3",
    )
    assert len(await rows(trail.database, "SELECT floorhub_audit_cut(2)")) == 4
    first = (await trail.verify()).problems[0]
    assert (first.code, first.seal) == ("start_missing", 3)


async def test_nothing_young_can_be_cut(trail: Trail) -> None:
    await trail.write("a")
    content = {"through": 1, "hash": trail.sealing.last.hash.hex() if trail.sealing.last else ""}
    async with trail.database.transaction() as connection:
        assert await trail.sealing.append(connection, content) is not None
    async with trail.database.connection() as connection:
        with pytest.raises(psycopg.errors.RaiseException, match="younger than a day"):
            await connection.execute(b"SELECT floorhub_audit_cut(1)")


async def taken_back(trail: Trail) -> None:
    """What a restore of the database of before the last block does."""
    await execute(trail.database, "DELETE FROM audit_logs WHERE id >= 3")
    await execute(trail.database, "DELETE FROM audit_seals WHERE number >= 2")


@pytest.mark.parametrize("running", [True, False], ids=["beside a running hub", "before the start"])
async def test_a_restore_is_named_as_that(trail: Trail, *, running: bool) -> None:
    await trail.write("a", "b")
    await trail.write("c", "d")
    await taken_back(trail)
    hub = trail if running else Trail(trail.database, trail.folder)
    await hub.sealing.seal_all()
    await hub.write("e")
    result = await hub.verify()
    [restore] = result.restores
    assert (restore.kept, restore.lost, restore.recorded) == (1, 2, False)
    assert [(problem.code, problem.seal) for problem in result.problems] == [("restored", 2)]
    assert (await hub.verify(accepted=(2,))).intact
    [event] = await rows(trail.database, "SELECT kind, severity FROM security_events")
    assert event == {"kind": "audit_restored", "severity": "critical"}
    again = Trail(trail.database, trail.folder)
    await again.seal()
    assert len((await again.verify()).restores) == 1, "told once"


async def test_a_restore_that_floorhub_made_is_no_problem_at_any_hub(
    trail: Trail, database_url: str, tmp_path: Path
) -> None:
    await trail.write("a", "b")
    await trail.write("c", "d")
    other = Trail(trail.database, tmp_path / "other")
    write_secret_file(other.folder / "keys" / "audit.key", (trail.folder / "keys" / "audit.key").read_text())
    await other.write("e")
    await taken_back(trail)
    await asyncio.to_thread(seal_restore, database_url, None, trail.folder / "keys", trail.folder)
    for folder in (trail.folder, other.folder):
        hub = Trail(trail.database, folder)
        await hub.write("f")
        result = await hub.verify()
        assert result.intact, result.problems
        assert {restore.recorded for restore in result.restores} == {True}
    assert [(one.kept, one.lost) for one in result.restores] == [(1, 2), (3, 3)], "the other hub noted one more"


async def test_a_restore_that_floorhub_made_says_what_the_database_of_before_had(
    trail: Trail, database_url: str
) -> None:
    await trail.write("a")
    await asyncio.to_thread(seal_restore, database_url, database_url, trail.folder / "keys", trail.folder / "nowhere")
    result = await trail.verify(noted=False)
    assert (result.intact, [(one.kept, one.lost) for one in result.restores]) == (True, [(1, 1)])


@pytest.mark.parametrize("when", ["before the end was removed", "with the removal"])
async def test_a_record_of_a_restore_that_nobody_signed_hides_no_missing_end(trail: Trail, when: str) -> None:
    """A site that was restored once; or somebody who writes the record of a restore beside his deeds."""
    await trail.write("a", "b")
    record = "INSERT INTO restores VALUES (floorhub_now(), true)"
    if when == "before the end was removed":
        await execute(trail.database, record)
    await trail.write("c", "d")
    await taken_back(trail)
    if when == "with the removal":
        await execute(trail.database, record)
    await trail.write("e")
    result = await trail.verify()
    assert [(problem.code, problem.seal) for problem in result.problems] == [("restored", 2)]


async def test_a_signed_restore_hides_nothing_that_was_removed_after_it(trail: Trail, database_url: str) -> None:
    await trail.write("a", "b")
    await asyncio.to_thread(seal_restore, database_url, None, trail.folder / "keys", trail.folder)
    hub = Trail(trail.database, trail.folder)
    await hub.write("c")
    await hub.write("d")
    await execute(trail.database, "DELETE FROM audit_logs WHERE id >= 3")
    await execute(trail.database, "DELETE FROM audit_seals WHERE number >= 3")
    await hub.write("e")
    assert [(one.code, one.seal) for one in (await hub.verify()).problems] == [("restored", 3)]


async def test_a_replica_whose_folder_is_older_finds_no_restore(trail: Trail, tmp_path: Path) -> None:
    await trail.write("a")
    other = Trail(trail.database, tmp_path / "other")
    write_secret_file(other.folder / "keys" / "audit.key", (trail.folder / "keys" / "audit.key").read_text())
    await other.write("b")
    await trail.write("c")
    await trail.write("d")
    late = Trail(trail.database, other.folder)
    await late.seal()
    assert (await late.verify()).restores == []


async def test_a_chain_that_was_changed_where_it_ends_is_not_taken_for_a_restore(trail: Trail) -> None:
    await trail.write("a")
    await trail.write("b")
    await execute(trail.database, "UPDATE audit_seals SET hash = sha256('x') WHERE number = 2")
    await Trail(trail.database, trail.folder).seal()
    result = await trail.verify()
    assert [problem.code for problem in result.problems] == ["seal_changed", "broken"]


async def test_a_new_key_seals_on_and_the_one_of_before_no_more(trail: Trail) -> None:
    await trail.write("a")
    other = AuditKey(trail.folder / "keys")
    async with trail.database.transaction() as connection:
        await other.replace(connection, trail.database)
    await other.settle(trail.database)
    await execute(trail.database, "INSERT INTO audit_logs (at, action, resource) VALUES (now(), 'x', 'y')")
    with pytest.raises(SetupError, match="was replaced while this process ran"):
        await trail.sealing.seal_all()
    after = Trail(trail.database, trail.folder)
    await after.write("b")
    result = await after.verify()
    assert (result.intact, result.rows, result.seals) == (True, 3, 3), result.problems


@pytest.mark.parametrize("back", [False, True], ids=["by rows", "by a key block, too"])
async def test_a_key_that_was_replaced_seals_nothing_later(trail: Trail, *, back: bool) -> None:
    """Perhaps it was replaced since somebody else has it; he has all rights at the database, too."""
    await trail.write("a")
    leaked = trail.key.signer
    other = AuditKey(trail.folder / "keys")
    async with trail.database.transaction() as connection:
        await other.replace(connection, trail.database)
    await other.settle(trail.database)
    after = Trail(trail.database, trail.folder)
    await after.write("b")
    assert (await after.verify(noted=False)).intact
    await execute(trail.database, "DELETE FROM audit_seals WHERE number = 3")
    await execute(trail.database, "UPDATE audit_logs SET action = 'x' WHERE resource_id = 'b'")
    await execute(trail.database, "UPDATE audit_keys SET until = now()")
    await execute(trail.database, "UPDATE audit_keys SET until = NULL WHERE kid = %s", leaked.kid)
    async with trail.database.connection() as connection:
        before = await seals.one(connection, 2)
        assert before is not None
        if back:
            keys = {"key": encode_key(leaked.public_key), "previous_key": public_key_of(after.key.signer)}
            before = sealed(leaked, before, before.at, kind="key", content=keys)
            assert await seals.append(connection, before)
        rows = (await seals.unsealed(connection, before.high, Ids(), 10, block=None)).rows
        assert len(rows) == 1
        assert await seals.append(connection, sealed(leaked, before, before.at, rows))
    [problem] = (await after.verify(noted=False)).problems
    assert (problem.code, problem.seal) == ("seal_changed", 3)


async def test_keys_that_do_not_belong_to_the_database_are_refused(trail: Trail) -> None:
    await trail.write("a")
    file = trail.folder / "keys" / "audit.key"
    right = file.read_text()
    file.unlink()
    with pytest.raises(SetupError, match="is missing, and the audit trail"):
        await AuditKey(file.parent).establish(trail.database)
    write_secret_file(file, new_seed().hex())
    with pytest.raises(SetupError, match="is not the key that seals"):
        await AuditKey(file.parent).establish(trail.database)
    write_secret_file(file, right)
    file.chmod(0o644)
    with pytest.raises(SetupError, match="chmod"):
        await AuditKey(file.parent).establish(trail.database)


async def test_hubs_that_start_together_agree_on_a_key(database: Database, tmp_path: Path) -> None:
    keys = [AuditKey(tmp_path / "keys") for _ in range(4)]
    (tmp_path / "keys").mkdir(mode=0o700)
    await asyncio.gather(*(key.establish(database) for key in keys))
    assert len({key.signer.kid for key in keys}) == 1


async def test_the_day_is_noted_once_and_shows_a_chain_made_anew(
    database: Database, tmp_path: Path, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    days = DayFile(tmp_path / "days.jsonl")
    trail = Trail(database, tmp_path / "data", days)
    await trail.write("a")
    await trail.write("b")
    last = trail.sealing.last
    assert last is not None
    now = datetime(2026, 3, 1, 0, 1, tzinfo=UTC)
    assert days.write(last, now)
    assert not days.write(last, now + timedelta(hours=23))
    await trail.write("c")
    assert trail.sealing.last is not None
    assert days.write(trail.sealing.last, now + timedelta(hours=24))
    noted = [line.noted for line in read_lines(days.file)]
    assert [one.number for one in noted] == [2, 3]
    key = trail.sealing.public_key
    assert (await verify(database, key, noted=noted)).intact
    await execute(database, "DELETE FROM audit_logs WHERE id >= 2")
    await execute(database, "DELETE FROM audit_seals WHERE number >= 2")
    result = await verify(database, key, noted=noted)
    assert [(problem.code, problem.seal) for problem in result.problems] == [("end_missing", 2), ("end_missing", 3)]


async def test_the_sealer_is_woken_by_the_commit(trail: Trail) -> None:
    await trail.seal()
    woken = asyncio.Event()
    trail.database.after_commit["audit"] = woken.set
    async with trail.database.transaction() as connection:
        await record(connection, Somebody(), "thing.update", "thing", "x")
        assert not woken.is_set()
    assert woken.is_set()


async def test_the_loop_seals_what_is_written(trail: Trail) -> None:
    await trail.sealing.prepare()
    trail.database.after_commit["audit"] = trail.sealing.wake
    loop = asyncio.create_task(trail.sealing.run())
    async with trail.database.transaction() as connection:
        await record(connection, Somebody(), "thing.update", "thing", "x")
    async with asyncio.timeout(20):
        while not await rows(trail.database, "SELECT FROM audit_seals"):
            pass
    # Noted when it is on the disk, for which nobody waits.
    await eventually(lambda: trail.anchor.read() is not None)
    loop.cancel()
    await asyncio.wait({loop})
    noted = trail.anchor.read()
    assert noted is not None
    assert noted.number == 1


async def _two_blocks_under_way(trail: Trail) -> None:
    """A block on the disk, and two that may not be there yet."""
    await trail.write("on the disk")
    for name in ("under way", "too"):
        async with trail.database.transaction() as connection:
            await record(connection, Somebody(), "thing.update", "thing", name)
        await trail.sealing.seal_some()
    assert [seal.number for seal in trail.sealing.under_way] == [2, 3]


async def test_blocks_that_a_crash_took_are_made_again(trail: Trail) -> None:
    await _two_blocks_under_way(trail)
    await execute(trail.database, "DELETE FROM audit_seals WHERE number > 1")
    await trail.write("after the crash")
    result = await trail.verify()
    assert (result.intact, result.rows, result.restores) == (True, 4, []), result.problems
    assert [row["kind"] for row in await rows(trail.database, "SELECT kind FROM audit_seals")] == ["rows", "rows"]
    assert trail.sealing.under_way == ()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_logs SET action = 'x' WHERE resource_id = 'too'",
        "DELETE FROM audit_logs WHERE resource_id = 'under way'",
        "DELETE FROM audit_logs WHERE resource_id IN ('under way', 'too')",
    ],
)
async def test_a_crash_explains_no_changed_row(trail: Trail, change: str) -> None:
    """Somebody takes blocks out that are not on the disk, and changes what they sealed."""
    await _two_blocks_under_way(trail)
    await execute(trail.database, "DELETE FROM audit_seals WHERE number > 1")
    await execute(trail.database, change)
    await trail.write("after it")
    result = await trail.verify()
    assert not result.intact
