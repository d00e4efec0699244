"""Backup and restore with the tools of each Postgres that is bundled, as they are found here."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.database import migrate
from hub.errors import SetupError
from hub.keys import create_seeds, read_seeds
from hub.programs import installation
from hub.programs.backup import tools
from hub.programs.backup.restoring import restore
from hub.programs.backup.taking import take
from hub.programs.cli.backups import next_time
from hub.programs.embedded.patience import silent
from tests.support import postgres

REST: dict[str, Any] = {"pg_bin": None, "next_time": next_time, "say": silent}
"""What these restores have in common."""


@pytest.mark.each_postgres
def test_a_backup_fills_an_empty_database_and_replaces_a_full_one(
    postgres_server: str, database_url: str, tmp_path: Path
) -> None:
    file, source, target = tmp_path / "floorhub.backup", tmp_path / "source", tmp_path / "target"
    create_seeds(source / "keys")
    manifest = take(installation.find(database_url, source, {}), file, pg_bin=None, archive=True, say=silent)

    with postgres.fresh_database(postgres_server) as url:
        first = restore(file, folder=target, database_url=url, replace=False, **REST)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("INSERT INTO security_events (at, kind) VALUES (now(), 'since')")
        second = restore(file, folder=target, database_url=url, replace=True, **REST)

        assert (first.kept_database, migrate.current(url)) == (None, migrate.newest())
        assert second.kept_database is not None
        try:
            kept = postgres.in_database(url, second.kept_database)
            for place, number in ((kept, 1), (url, 0)):
                with psycopg.connect(place) as connection:
                    assert connection.execute("SELECT count(*) FROM security_events").fetchone() == (number,)
        finally:
            postgres.drop_database(postgres_server, second.kept_database)
    assert read_seeds(target / "keys") == read_seeds(source / "keys")
    assert manifest.pg_dump == int(manifest.postgres.split(".")[0])


def test_without_programs_that_fit_the_sentence_says_which_are_needed(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"Postgres 15 needs pg_dump and pg_restore of version 15 to 16; found: none"):
        tools.find(15, named=tmp_path)
    with pytest.raises(SetupError, match="postgresql-client-99") as refused:
        tools.find(99)
    assert "(18)" in str(refused.value), "what is there is named"
    assert "--pg-bin" in refused.value.korean
