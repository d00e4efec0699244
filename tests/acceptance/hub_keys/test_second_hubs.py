"""Hubs beside the first one, as processes: with its keys, with others, with its name, with doubtful settings."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.keys import load_signing_keys, new_api_key
from hub.programs.cli.main import app
from tests.support.folders import open_folder
from tests.support.site import Process, Site


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder("second", in_memory=True) as root:
        yield root


def ended(hub: Process) -> tuple[int, str]:
    """How a hub ended by itself, and its last line."""
    return hub.process.wait(150), hub.tail().splitlines()[-1]


def told(hub: Process, event: str) -> list[dict[str, Any]]:
    """Its log lines of an event."""
    lines = [json.loads(line) for line in hub.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def floorhub(*arguments: str, **environment: str | None) -> Result:
    """`floorhub` with nothing of the site in its environment but what is given; English."""
    unset = dict.fromkeys(("FLOORHUB_URL", "FLOORHUB_KEY", "FLOORHUB_DATA", "FLOORHUB_DATA_DIR"))
    return CliRunner().invoke(app, arguments, env={**unset, "LANG": "C", **environment})


def test_a_hub_with_copied_keys_alone_serves_and_locks_nobody_out(site: Site, folder: Path) -> None:
    shutil.copytree(site.folder.keys, folder / "keys")
    with site.another_hub("copied", FLOORHUB_DATA_DIR=str(folder)) as hub:
        for name in ("one", "copied"):
            with site.http_at(name) as http:
                assert http.get("/api/clients").status_code == 200
        (line,) = told(hub, "key.not_here")
        assert line["file"] == str(folder / "admin.key")
    assert not (folder / "admin.key").exists()


def test_hubs_without_the_keys_or_with_others_end_with_a_sentence(site: Site, folder: Path) -> None:
    (folder / "foreign").mkdir()
    load_signing_keys(folder / "foreign" / "keys")
    before = files(folder)
    keyless = site.add_hub("keyless", FLOORHUB_DATA_DIR=str(folder), LANG="C")
    foreign = site.add_hub("foreign", FLOORHUB_DATA_DIR=str(folder / "foreign"), LANG="ko_KR.UTF-8")

    for hub, said in ((keyless, "Nothing was changed."), (foreign, "아무것도 바꾸지 않았습니다.")):
        code, line = ended(hub)
        assert (code, said in line) == (2, True), line
    assert files(folder) == before


def test_a_second_worker_of_one_name_ends_and_the_first_notices_nothing(site: Site) -> None:
    lost = len(told(site.hub, "mqtt.lost"))

    code, line = ended(site.start("twin", site.hub._argv, {**site.hub._env, "FLOORHUB_PORT": "0"}, "hub-twin.log"))

    assert code == 2
    assert "worker name one" in line
    assert len(told(site.hub, "mqtt.lost")) == lost
    assert site.is_ready()


def test_settings_that_may_not_be_what_was_meant_are_told(site: Site, folder: Path) -> None:
    shutil.copytree(site.folder.keys, folder / "keys")
    settings = {"FLOORHUB_HOST": "0.0.0.0", "FLOORHUB_DATABASE_POLL": "10", "FLOORHUB_TEST_X": "1"}  # noqa: S104
    with site.another_hub("doubtful", FLOORHUB_DATA_DIR=str(folder), FLOORHUB_DATA="/elsewhere", **settings) as hub:
        found = {line["setting"]: line["message"] for line in told(hub, "setting.doubtful")}
    assert set(found) == {"FLOORHUB_HOST", "FLOORHUB_DATABASE_POLL", "FLOORHUB_DATA"}
    assert "without TLS" in found["FLOORHUB_HOST"]
    assert "Did you mean FLOORHUB_DATABASE_POOL?" in found["FLOORHUB_DATABASE_POLL"]
    assert "FLOORHUB_DATA_DIR counts" in found["FLOORHUB_DATA"]
    assert told(site.hub, "setting.doubtful") == []


def test_a_refused_key_names_the_hub_and_where_the_key_was_found(site: Site, folder: Path) -> None:
    (folder / "admin.key").write_text(new_api_key().text)

    done = floorhub("client", "list", FLOORHUB_URL=site.url, FLOORHUB_DATA_DIR=str(folder))
    assert done.exit_code == 6
    assert f"The hub is {site.url} (from FLOORHUB_URL), the key is from {folder / 'admin.key'}." in done.output

    done = floorhub("client", "list", FLOORHUB_URL=site.url, FLOORHUB_KEY=new_api_key().text)
    assert "the key is from FLOORHUB_KEY." in done.output


def test_the_program_finds_the_hub_by_either_name_of_the_data_folder(site: Site, folder: Path) -> None:
    (folder / "hub.json").write_text(json.dumps({"url": site.url}))
    (folder / "admin.key").write_text(site.key)
    for name in ("FLOORHUB_DATA", "FLOORHUB_DATA_DIR"):
        assert floorhub("client", "list", **{name: str(folder)}).exit_code == 0

    done = floorhub("client", "list", FLOORHUB_DATA=str(folder), FLOORHUB_DATA_DIR=str(folder / "other"))
    assert done.exit_code == 2
    assert "its old name" in done.output


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\0", b'{"url": 5}', b"[" * 50_000])
@pytest.mark.parametrize("name", ["hub.json", "admin.key"])
def test_damaged_files_of_the_program_are_named(site: Site, folder: Path, name: str, content: bytes) -> None:
    (folder / "hub.json").write_text(json.dumps({"url": site.url}))
    (folder / "admin.key").write_text(site.key)
    (folder / name).write_bytes(content)

    done = floorhub("client", "list", FLOORHUB_DATA=str(folder))

    assert done.exit_code in (2, 6)
    assert str(folder / name) in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
