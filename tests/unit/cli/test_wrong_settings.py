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
    assert line.startswith("FLOORHUB_ROLES: ")
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
    names = {line.partition(":")[0] for line in refused(tmp_path, **settings)}
    assert names == set(settings)


def test_a_clean_up_names_a_setting_as_it_is_written(tmp_path: Path) -> None:
    environment = {"FLOORHUB_DATABASE_URL": NOBODY, "FLOORHUB_DATA_DIR": str(tmp_path), "FLOORHUB_ROLES": ""}
    done = CliRunner().invoke(app, ["cleanup"], env={**environment, "FLOORHUB_DATA": None})
    assert (done.exit_code, done.stderr) == (2, "Missing or wrong: FLOORHUB_ROLES\n")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("rotate", "For root: really replace it; otherwise only say what it means."),
        ("adopt", "Really do it; otherwise only say what it means."),
    ],
)
def test_the_help_says_what_needs_a_yes(command: str, words: str) -> None:
    shown = CliRunner().invoke(app, ["keys", command, "--help"]).output
    assert f" --yes {words} -" in " ".join(shown.split())
