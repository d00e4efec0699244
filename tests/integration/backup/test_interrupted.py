"""A restore that is killed at any step: no hub starts on what it left, and the same command again completes it."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub.database import migrate
from hub.database.engine import Database
from hub.errors import SetupError
from hub.keys import create_seeds, public_key, read_seeds
from hub.programs import installation
from hub.programs.backup.restoring import Restored, restore
from hub.programs.backup.taking import take
from hub.programs.cli.backups import next_time
from hub.programs.embedded.patience import silent
from schemas.states import Level
from tests.support import postgres
from tests.support.factories import add_client, add_commands, new_command
from tests.support.killed_restore import kill_restore


def again(file: Path, folder: Path, url: str, *, replace: bool) -> Restored:
    return restore(file, folder=folder, database_url=url, replace=replace, pg_bin=None, next_time=next_time, say=silent)


def content(folder: Path) -> dict[str, bytes]:
    """Of a data folder, by paths."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
async def backup(database_url: str, tmp_path: Path) -> Path:
    """Of a hub with a pending command of a basic client."""
    create_seeds(tmp_path / "data" / "keys")
    (tmp_path / "data" / "admin.key").write_text("of the backup")
    keys = {purpose: public_key(seed) for purpose, seed in read_seeds(tmp_path / "data" / "keys").items()}
    with psycopg.connect(database_url, autocommit=True) as connection:
        for purpose, key in keys.items():
            connection.execute("INSERT INTO hub_keys VALUES (%s, %s, now())", (purpose, key))
    async with postgres.opened(Database(database_url)) as hub:
        await add_client(hub, "pda", level=Level.BASIC)
        await add_commands(hub, [new_command("pda")])
    file = tmp_path / "floorhub.backup"
    take(installation.find(database_url, tmp_path / "data", {}), file, pg_bin=None, archive=True, say=silent)
    return file


@pytest.fixture
def _databases_go(postgres_server: str, database_url: str) -> Iterator[None]:
    yield
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    for word in ("before", "restoring"):
        with psycopg.connect(postgres_server) as connection:
            found = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"{str(name)[:31]}_{word}_",)
            ).fetchall()
        for (one,) in found:
            postgres.drop_database(postgres_server, one)


@pytest.mark.usefixtures("_databases_go")
@pytest.mark.parametrize("point", ["load", "switch", "files", "move:1", "move:4", "end"])
async def test_the_same_command_again_takes_the_true_database_of_before(
    database_url: str, tmp_path: Path, backup: Path, point: str
) -> None:
    data = tmp_path / "data"
    async with postgres.opened(Database(database_url)) as hub:
        [since] = await add_commands(hub, [new_command("pda", lane="since")])
    (data / "admin.key").write_text("of before")
    before = content(data)

    kill_restore(point, backup, data, database_url, replace=True)
    if point not in ("load", "switch"):
        for refused in (migrate.migrate, migrate.require_current):
            with pytest.raises(SetupError, match="A restore into this database has not ended"):
                refused(database_url)
        with pytest.raises(SetupError, match="has not ended"):
            take(installation.find(database_url, data, {}), tmp_path / "x", pg_bin=None, archive=True, say=silent)
    done = again(backup, data, database_url, replace=True)

    assert done.lost is not None
    assert done.lost.commands == {"pending": 1}
    assert done.kept_folder is not None
    told = [json.loads(line) for line in (done.kept_folder / "lost.jsonl").read_text().splitlines()]
    assert [line["id"] for line in told] == [str(since)]
    migrate.require_current(database_url)
    assert (data / "admin.key").read_text() == "of the backup"
    kept = content(done.kept_folder)
    assert {name: kept[name] for name in before} == before
    assert done.kept_database is not None
    kept_url = postgres.in_database(database_url, done.kept_database)
    migrate.require_current(kept_url)
    with psycopg.connect(kept_url) as connection:
        assert connection.execute("SELECT count(*) FROM commands").fetchone() == (2,)
    # A folder that a killed restore has made for nothing may be left; nothing is in it.
    others = [one for one in data.glob("before-restore-*") if one != done.kept_folder]
    assert [one for one in others if any(one.iterdir())] == []
