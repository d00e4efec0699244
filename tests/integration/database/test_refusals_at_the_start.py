"""What Postgres refuses to a program that has just started: told in its words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from hub.database.engine import Database
from hub.errors import SetupError
from hub.programs.cli.main import app

NO_RIGHTS = "permission denied for table hub_keys"
TOO_MANY = "too many connections for database"


def changed(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.format(connection.info.dbname).encode())


@contextmanager
def plain_log() -> Iterator[None]:
    """The programs configure the log for their process; here others follow."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def floorhub(url: str, folder: Path, *arguments: str, lang: str = "C") -> Result:
    environment = {
        "FLOORHUB_DATABASE_URL": url,
        "FLOORHUB_DATA_DIR": str(folder),
        "FLOORHUB_PORT": "0",
        "LANG": lang,
        **dict.fromkeys(("FLOORHUB_DATA", "FLOORHUB_ROLES", "LC_ALL")),
    }
    with plain_log():
        return CliRunner().invoke(app, arguments, env=environment)


@pytest.mark.parametrize(
    ("arguments", "statement", "words"),
    [
        (["serve"], "ALTER DATABASE {} CONNECTION LIMIT 2", TOO_MANY),
        (["serve"], "REVOKE ALL ON hub_keys FROM CURRENT_USER", NO_RIGHTS),
        (["keys", "show"], "REVOKE ALL ON hub_keys FROM CURRENT_USER", NO_RIGHTS),
        (["keys", "rotate", "command"], "REVOKE ALL ON hub_keys FROM CURRENT_USER", NO_RIGHTS),
    ],
)
@pytest.mark.parametrize(
    ("lang", "sentence"), [("C", "Postgres refuses what is needed"), ("ko_KR.UTF-8", "거절했거나")]
)
def test_a_refusal_is_told_in_the_words_of_postgres(
    database_url: str, tmp_path: Path, arguments: list[str], statement: str, words: str, lang: str, sentence: str
) -> None:
    changed(database_url, statement)

    done = floorhub(database_url, tmp_path, *arguments, lang=lang)

    assert done.exit_code == 1
    assert words in done.stderr.splitlines()[-1]
    assert sentence in done.stderr.splitlines()[-1]
    assert "{}" not in done.stderr
    assert "Traceback" not in done.output


async def test_a_pool_that_gets_too_few_connections_says_why(database_url: str) -> None:
    changed(database_url, "ALTER DATABASE {} CONNECTION LIMIT 1")

    with pytest.raises(SetupError, match=f"refuses the connection: {TOO_MANY}"):
        await Database(database_url).open(patience_s=0.5)
