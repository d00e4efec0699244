"""An address of a database that cannot be read: a sentence, and no password in it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.database.session import require_url
from hub.errors import SetupError
from hub.programs.cli.main import app

MALFORMED = {
    "no bracket": "postgresql://user:hush@[::1",
    "a space": "postgresql://user:hu sh@x/y",
    "a word": "hush",
    "another scheme": "mysql://user:hush@x/y",
    "a driver in the scheme": "postgresql+psycopg://user:hush@x/y",
    "a broken escape": "postgresql://user:hush%zz@x/y",
    "a NUL": "postgresql://user:hush%00@x/y",
    "no UTF-8": "postgresql://user:hush%ff@x/y",
    "no UTF-8 at all": "postgresql://user:hush\udcff@x/y",
    "an unknown option": "postgresql://user:hush@x/y?hush=1",
    "an open quote": "host=x password='hush",
    "lines": "postgresql://user:a b\nhush\n@x/y",
    "blanks": "   ",
    "nothing named": "postgresql://",
}


@pytest.mark.parametrize(("lang", "words"), [("C", "is no address of a database"), ("ko_KR.UTF-8", "주소가 아닙니다")])
@pytest.mark.parametrize(
    "command", [["serve"], ["migrate"], ["keys", "show"], ["broker", "render", "{}"]], ids=" ".join
)
@pytest.mark.parametrize("why", ["no bracket", "a word", "blanks"])
def test_every_command_says_how_to_write_it(
    tmp_path: Path, command: list[str], why: str, lang: str, words: str
) -> None:
    environment = {"FLOORHUB_DATABASE_URL": MALFORMED[why], "FLOORHUB_DATA_DIR": str(tmp_path), "LANG": lang}
    passwords = {f"FLOORHUB_MQTT{name}_PASSWORD": "0123456789abcdef" * 2 for name in ("", "_ADMIN")}
    plugin = ["--plugin", str(tmp_path)] if command[0] == "broker" else []

    done = CliRunner().invoke(
        app,
        [part.format(tmp_path) for part in command] + plugin,
        env={**environment, **passwords, "FLOORHUB_DATA": None},
    )

    assert done.exit_code == 2, done.exception
    assert words in done.stderr.splitlines()[-1]
    assert "hush" not in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("why", MALFORMED)
def test_no_part_of_it_is_quoted(why: str) -> None:
    with pytest.raises(SetupError, match="postgresql://user:password@host:port/database") as refused:
        require_url(MALFORMED[why])
    assert "hush" not in refused.value.sentence + refused.value.korean


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:p%20p@[::1]:5432/d",
        "postgresql:///d",
        "host=/run/postgresql dbname=d",
        "postgresql://a,b/d?sslmode=require",
    ],
)
def test_every_form_of_libpq_is_taken(url: str) -> None:
    require_url(url)
