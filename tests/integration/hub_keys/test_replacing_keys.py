"""Keys are replaced in the folder and in the database, or in neither, whenever the replacing ends."""

import asyncio
import os
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from hub.core.access.service import Access
from hub.core.hub_keys.service import HubKeys
from hub.database.engine import Database
from hub.errors import SetupError
from hub.keys import FILES, SigningKeys, load_signing_keys, new_seed, public_key, read_seeds
from hub.programs.cli.main import app
from hub.telemetry.log import Log

KILL = """
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END$$
"""
AT_COMMIT = """
CREATE CONSTRAINT TRIGGER die AFTER INSERT OR UPDATE ON {} DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION die()
"""


async def started(database: Database, folder: Path) -> HubKeys:
    """What a hub does with its keys at a start."""
    keys = HubKeys(database, SigningKeys(folder / "keys"), Log())
    await keys.establish()
    await Access(database, Log()).ensure_administrator(folder / "admin.key")
    return keys


async def rotate(database: Database, folder: Path, *arguments: str) -> Result:
    """`floorhub key rotate`, in English."""
    environment = {"FLOORHUB_DATABASE_URL": database.url, "FLOORHUB_DATA_DIR": str(folder), "LANG": "C"}
    return await asyncio.to_thread(CliRunner().invoke, app, ["keys", "rotate", *arguments], env=environment)


async def die_at_commit(database: Database, table: str) -> None:
    async with database.connection() as connection:
        await connection.execute(KILL.encode())
        await connection.execute(AT_COMMIT.format(table).encode())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pending(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.next"))


def replaced(folder: Path, name: str) -> list[bytes]:
    return [path.read_bytes() for path in (folder / "keys").glob(f"{name}.replaced-*")]


@pytest.mark.parametrize("arguments", [["root", "--yes"], ["command"]], ids=["root", "command"])
async def test_keys_stay_when_postgres_dies_at_the_commit(
    database: Database, tmp_path: Path, arguments: list[str]
) -> None:
    await started(database, tmp_path)
    before = contents(tmp_path)
    await die_at_commit(database, "hub_keys")

    done = await rotate(database, tmp_path, *arguments)

    assert done.exit_code == 1
    assert "terminating connection due to administrator command" in done.stderr
    assert contents(tmp_path) == before
    async with database.connection() as connection:
        await connection.execute("DROP TRIGGER die ON hub_keys")
    await started(database, tmp_path)


async def test_the_administrators_key_stays_when_postgres_dies_at_the_commit(
    database: Database, tmp_path: Path
) -> None:
    await started(database, tmp_path)
    before = contents(tmp_path)
    await die_at_commit(database, "api_keys")

    assert (await rotate(database, tmp_path, "admin")).exit_code == 1

    assert contents(tmp_path) == before
    assert (await Access(database, Log()).authenticate(before["admin.key"].decode().strip())).principal.role == "admin"


@pytest.mark.parametrize("kind", [["root", "--yes"], ["command"]], ids=["root", "command"])
async def test_a_replaced_key_that_others_may_read_stops_the_start(
    database: Database, tmp_path: Path, kind: list[str]
) -> None:
    await started(database, tmp_path)
    done = await rotate(database, tmp_path, *kind)
    assert done.exit_code == 0, done.output
    kept = list((tmp_path / "keys").glob("*.key.replaced-*"))
    assert kept
    await started(database, tmp_path)
    kept[0].chmod(0o640)
    with pytest.raises(SetupError, match=r"Others can open .*replaced-") as refused:
        await started(database, tmp_path)
    assert refused.value.korean != refused.value.sentence
    kept[0].chmod(0o600)
    (tmp_path / "keys" / "a.replaced-link").symlink_to("/etc/hostname")
    await started(database, tmp_path)


async def test_a_folder_in_the_place_of_a_key_makes_way(database: Database, tmp_path: Path) -> None:
    await started(database, tmp_path)
    old = contents(tmp_path)["keys/root.key"]
    (tmp_path / "keys" / "command.key").unlink()
    (tmp_path / "keys" / "command.key").mkdir()
    (tmp_path / "keys" / "command.key" / "note").write_text("mine")

    done = await rotate(database, tmp_path, "root", "--yes")

    assert done.exit_code == 0, done.output
    await started(database, tmp_path)
    assert replaced(tmp_path, "root.key") == [old]
    assert [note.read_text() for note in (tmp_path / "keys").glob("command.key.replaced-*/note")] == ["mine"]


@pytest.mark.parametrize("kind", [["root", "--yes"], ["command"], ["admin"]], ids=["root", "command", "admin"])
async def test_a_folder_that_takes_no_file_leaves_everything_as_it_was(
    database: Database, tmp_path: Path, kind: list[str]
) -> None:
    await started(database, tmp_path)
    before = contents(tmp_path)
    # The last file that would be written; its temporary name is taken by something that cannot be opened.
    last = tmp_path / ("admin.key" if kind == ["admin"] else "keys/command.key")
    for name in (last.name, f"{last.name}.next"):
        last.with_name(f".{name}.{os.getpid()}").mkdir()

    done = await rotate(database, tmp_path, *kind)

    assert done.exit_code == 2
    assert "cannot be written: Is a directory" in done.output
    assert contents(tmp_path) == before
    await started(database, tmp_path)


@pytest.mark.parametrize("purposes", [("root", "command"), ("command",)], ids=["root", "command"])
@pytest.mark.parametrize("halfway", [False, True])
async def test_a_start_finishes_what_was_committed(
    database: Database, tmp_path: Path, purposes: tuple[str, ...], halfway: bool
) -> None:
    keys = await started(database, tmp_path)
    old = contents(tmp_path)
    async with database.transaction() as connection:
        await keys.replace(connection, *purposes)
    if halfway:
        (tmp_path / "keys" / "command.key").unlink()
        (tmp_path / "keys" / "command.key.next").rename(tmp_path / "keys" / "command.key")

    again = await started(database, tmp_path)

    seeds = read_seeds(tmp_path / "keys")
    assert {purpose: public_key(seed) for purpose, seed in seeds.items()} == await again.known()
    for purpose in purposes:
        assert seeds[purpose].hex().encode() != old[f"keys/{FILES[purpose]}"]
    kept = [purpose for purpose in purposes if not (halfway and purpose == "command")]
    assert [replaced(tmp_path, FILES[purpose]) for purpose in kept] == [[old[f"keys/{FILES[p]}"]] for p in kept]
    assert pending(tmp_path) == []


async def test_a_start_drops_what_was_not_committed(database: Database, tmp_path: Path) -> None:
    keys = await started(database, tmp_path)
    before = contents(tmp_path)
    async with database.transaction() as connection:
        await keys.replace(connection, "root", "command")
        raise psycopg.Rollback
    assert pending(tmp_path) == ["command.key.next", "root.key.next"]

    await started(database, tmp_path)

    assert contents(tmp_path) == before


async def test_new_keys_of_another_database_are_not_dropped(database: Database, tmp_path: Path) -> None:
    await started(database, tmp_path / "this")
    load_signing_keys(tmp_path / "other" / "keys")
    pending = tmp_path / "other" / "keys" / "root.key.next"
    pending.write_text(new_seed().hex())
    pending.chmod(0o600)
    before = contents(tmp_path / "other")

    with pytest.raises(SetupError, match="not this hub's root key"):
        await started(database, tmp_path / "other")
    assert contents(tmp_path / "other") == before

    done = await rotate(database, tmp_path / "other", "root", "--yes")

    assert done.exit_code == 0, done.output
    assert before["keys/root.key.next"] in replaced(tmp_path / "other", "root.key.next")
    assert replaced(tmp_path / "other", "root.key") == [before["keys/root.key"]]


async def test_a_second_try_finishes_the_first_and_tells_its_keys_as_those_of_before(
    database: Database, tmp_path: Path
) -> None:
    keys = await started(database, tmp_path)
    async with database.transaction() as connection:
        await keys.replace(connection, "command")
    first = (await keys.known())["command"]

    async with database.transaction() as connection:
        before = await keys.replace(connection, "command")

    assert before is not None
    assert before.command_public_key == first
    await keys.settle()
    assert public_key(read_seeds(tmp_path / "keys")["command"]) == (await keys.known())["command"] != first


async def test_the_administrators_new_key_takes_its_place_at_a_start(database: Database, tmp_path: Path) -> None:
    await started(database, tmp_path)
    old = contents(tmp_path)["admin.key"]
    await Access(database, Log()).replace_administrator_key(tmp_path / "admin.key")
    new = contents(tmp_path)["admin.key"]
    (tmp_path / "admin.key").rename(tmp_path / "admin.key.next")
    (tmp_path / "admin.key").write_bytes(old)
    (tmp_path / "admin.key").chmod(0o600)

    await started(database, tmp_path)

    assert contents(tmp_path)["admin.key"] == new
    assert not (tmp_path / "admin.key.next").exists()
