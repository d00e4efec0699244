"""Files that the program writes after an effect: whether they can be written is known before, and nothing is lost."""

import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.programs.cli.main import app
from tests.support import cli
from tests.support.site import Site


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Where no file can be made, by why."""
    (tmp_path / "plain").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    return {
        "parent is a file": tmp_path / "plain" / "agent.toml",
        "grandparent is a file": tmp_path / "plain" / "sub" / "agent.toml",
        "no such device": Path("/proc/agent.toml"),
        "name too long": tmp_path / ("a" * 300),
        "link to nothing": tmp_path / "loop",
        "a folder": tmp_path,
    }


@pytest.mark.parametrize(
    "why",
    ["parent is a file", "grandparent is a file", "no such device", "name too long", "link to nothing", "a folder"],
)
def test_a_client_is_not_registered_when_its_configuration_cannot_be_written(
    site: Site, places: dict[str, Path], why: str
) -> None:
    client = f"files-{why.replace(' ', '-')}"

    done = cli.run(site, "client", "add", client, "--config", str(places[why]))

    assert done.exit_code == 2, done.exception
    assert "cannot be written" in done.output or "exists already" in done.output
    assert site.http.get(f"/api/clients/{client}").status_code == 404


def test_a_refused_client_leaves_no_file(site: Site, tmp_path: Path) -> None:
    assert cli.run(site, "client", "add", "Not An Id", "--config", str(tmp_path / "agent.toml")).exit_code == 5
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("as_json", [False, True])
def test_a_secret_whose_file_fails_after_all_is_shown(site: Site, tmp_path: Path, as_json: bool) -> None:
    # What the content is first written to is taken by something that cannot be opened.
    (tmp_path / f".agent.toml.{os.getpid()}").mkdir()
    client = f"files-late-{'json' if as_json else 'text'}"
    options = ["--json"] if as_json else []

    done = cli.run(site, "client", "add", client, "--config", str(tmp_path / "agent.toml"), *options)

    assert done.exit_code == 1, done.exception
    assert f"Client {client} is registered. Write its configuration yourself." in done.stderr
    if as_json:
        secret = json.loads(done.stdout)["secret"]
    else:
        (secret,) = re.findall("shown only once: (.*)", done.stdout)
    assert re.fullmatch("fhc_[A-Za-z0-9]{49}", secret)
    assert not (tmp_path / "agent.toml").exists()


def test_a_configuration_that_is_written_is_private(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "new" / "agent.toml"
    assert cli.run(site, "client", "add", "files-written", "--config", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert 'client_id = "files-written"' in file.read_text()


@pytest.mark.parametrize("why", ["parent is a file", "no such device", "a folder"])
def test_a_simulation_whose_report_cannot_be_written_does_not_begin(
    site: Site, places: dict[str, Path], why: str
) -> None:
    done = cli.run(site, "simulate", "1", "--prefix", "files-sim", "--seconds", "1", "--json", str(places[why]))

    assert done.exit_code == 2, done.exception
    assert site.http.get("/api/clients/files-sim-0001").status_code == 404


def test_a_schema_is_not_written_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("mine")
    done = CliRunner().invoke(app, ["schema", "export", str(tmp_path / "plain")], env={"LANG": "C"})
    assert done.exit_code == 2, done.exception
    assert "cannot be written" in done.output
    assert (tmp_path / "plain").read_text() == "mine"
