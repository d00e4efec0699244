"""Settings that cannot be taken are named as they are written; the help says what its options do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.programs.cli.main import app
from tests.support.hubs import NOBODY


def refused(folder: Path, **settings: str) -> list[str]:
    """What `floorhub serve` says to these settings."""
    environment = {"FLOORHUB_DATABASE_URL": NOBODY, "FLOORHUB_DATA_DIR": str(folder), "LANG": "C", **settings}
    done = CliRunner().invoke(app, ["serve"], env={**environment, "FLOORHUB_DATA": None})
    assert done.exit_code == 2, done.output
    return done.stderr.splitlines()


@pytest.mark.parametrize("value", ["", " ", ",", "api,", "api,workers", "API", "api worker", "x,y"])
def test_roles_that_are_none_are_told_once_and_with_what_to_write(tmp_path: Path, value: str) -> None:
    (line,) = refused(tmp_path, FLOORHUB_ROLES=value)
    assert line.startswith("FLOORHUB_ROLES is ")
    assert "name api, worker, or both" in line


@pytest.mark.parametrize(
    "settings",
    [
        {"FLOORHUB_TRUSTED_PROXIES": "10.0.0.1,nobody"},
        {"FLOORHUB_DOCUMENT_FOLDERS": "/srv,relative"},
        {"FLOORHUB_PORT": ""},
        {"FLOORHUB_DATA_DIR": ""},
        {"FLOORHUB_DATA_DIR": " "},
        {"FLOORHUB_LOG_LEVEL": "loud", "FLOORHUB_ROLES": ""},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_setting_is_named_as_it_is_written(tmp_path: Path, settings: dict[str, str]) -> None:
    names = {line.partition(" ")[0] for line in refused(tmp_path, **settings)}
    assert names == set(settings)


PROGRAMS = (["serve"], ["cleanup"], ["doctor"], ["backup", "b"])


@pytest.mark.parametrize("arguments", PROGRAMS, ids=lambda arguments: arguments[0])
@pytest.mark.parametrize(
    ("name", "value", "english", "korean"),
    [
        ("PORT", "http", "use a whole number from 0 to 65535", "0부터 65535까지의 정수를 쓰십시오"),
        ("PORT", "65536", "use a whole number from 0 to 65535", "0부터 65535까지의 정수를 쓰십시오"),
        ("DISK_LOW_MIB", "-1", "use a whole number, at least 0", "0 이상의 정수를 쓰십시오"),
        ("STOP_GRACE_S", "0", "use a number greater than 0, at most 60", "0보다 크고 60 이하인 수를 쓰십시오"),
        ("FETCH_PRIVATE", "maybe", "use true or false", "true 또는 false를 쓰십시오"),
        ("LOG_LEVEL", "loud", "use 'debug', 'info'", "중 하나를 쓰십시오"),
        ("WORKER", "A b", "use a-z, 0-9 and '-'", "최대 63자까지 쓰십시오"),
        ("ARCHIVE_FOLDER", "x", "give an absolute path, or off", "절대 경로나 off를 쓰십시오"),
        ("DOCUMENT_FOLDERS", "x", "give absolute paths of folders", "폴더의 절대 경로를 쓰십시오"),
        ("TRUSTED_PROXIES", "x", "give an address, or a network", "네트워크로 고치십시오"),
    ],
)
def test_every_program_says_it_with_one_voice(
    tmp_path: Path, arguments: list[str], name: str, value: str, english: str, korean: str
) -> None:
    environment = {"FLOORHUB_DATABASE_URL": NOBODY, "FLOORHUB_DATA_DIR": str(tmp_path), f"FLOORHUB_{name}": value}
    for language, words, sentence in (("C", english, "is"), ("ko_KR.UTF-8", korean, "입니다")):
        done = CliRunner().invoke(app, arguments, env={**environment, "FLOORHUB_DATA": None, "LANG": language})
        assert done.exit_code == (1 if arguments == ["doctor"] else 2), done.output
        assert f"FLOORHUB_{name}" in done.output
        assert repr(value) in done.output
        assert words in done.output
        assert sentence in done.output
        assert "Input should" not in done.output
        assert "should be a valid" not in done.output


@pytest.mark.parametrize("arguments", [["serve"], ["migrate"]], ids=lambda arguments: arguments[0])
def test_a_database_that_is_not_named_is_asked_for_alike(tmp_path: Path, arguments: list[str]) -> None:
    environment = {"FLOORHUB_DATABASE_URL": None, "FLOORHUB_DATA": None, "FLOORHUB_DATA_DIR": str(tmp_path)}
    done = CliRunner().invoke(app, arguments, env={**environment, "LANG": "C"})
    told = "FLOORHUB_DATABASE_URL is not set: set it to postgresql://user:password@host:port/database.\n"
    assert (done.exit_code, done.stderr) == (2, told)
    korean = CliRunner().invoke(app, arguments, env={**environment, "LANG": "ko_KR.UTF-8"})
    assert korean.stderr.startswith("FLOORHUB_DATABASE_URL이(가) 설정되지 않았습니다.")


def test_a_clean_up_wants_to_know_where_the_archive_lies() -> None:
    environment = {"FLOORHUB_DATABASE_URL": NOBODY, "FLOORHUB_DATA": None, "FLOORHUB_DATA_DIR": None, "LANG": "C"}
    done = CliRunner().invoke(app, ["cleanup", "--dry-run"], env=environment)
    assert (done.exit_code, done.stderr) == (2, "FLOORHUB_DATA_DIR is not set: set it to the hub's data folder.\n")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "rotate",
            "For root: really replace it, otherwise only say what it means. For data: give up keys that are lost.",
        ),
        ("adopt", "Really do it; otherwise only say what it means."),
    ],
)
def test_the_help_says_what_needs_a_yes(command: str, words: str) -> None:
    shown = CliRunner().invoke(app, ["keys", command, "--help"]).output
    assert f" --yes {words} -" in " ".join(shown.split())
