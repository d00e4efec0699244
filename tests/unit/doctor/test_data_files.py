"""The doctor names each file of a data folder because of which `make run` does not start."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.config import Settings
from hub.errors import SetupError
from hub.keys import new_api_key
from hub.programs import installation
from hub.programs.doctor.examination import check_parts
from hub.programs.doctor.files import DataFiles
from hub.programs.doctor.keys import KeyFiles
from hub.programs.embedded import accounts
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.installation import Installation
from schemas.findings import Level


def private(file: Path, content: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(content)
    file.chmod(0o600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As `make run` leaves it."""
    for name in ("keys", "agent", "logs", "run", "broker", "postgres", "printer"):
        (tmp_path / name).mkdir(mode=0o700)
    accounts.load_or_create(tmp_path / "keys/broker-accounts.json")
    private(tmp_path / "keys/postgres-18.json", json.dumps({"floorhub": "a", "postgres": "b"}))
    private(tmp_path / "agent/agent.toml", 'secret = "s"\n')
    private(tmp_path / "ports.json", json.dumps({"postgres": {"wanted": 1, "port": 1}}))
    for name in ("lock", "hub.json", "logs/hub.log", "broker/acl"):
        private(tmp_path / name, "")
    private(tmp_path / "admin.key", f"{new_api_key().text}\n")
    return tmp_path


def of(folder: Path, *, embedded: bool = True, **more: str) -> Installation:
    settings = Settings(database_url="postgresql://u:p@127.0.0.1:1/x", data_dir=folder, **more)  # type: ignore[arg-type]
    return Installation(settings, embedded, {})


def codes(folder: Path, clients: dict[str, bool] | None = None) -> set[str]:
    found = DataFiles(of(folder)).check(clients)
    assert all(item.level is Level.FAIL for item in found if item.code != "files_ok")
    return {item.code for item in found}


def test_an_intact_folder_is_well_and_others_have_no_such_files(folder: Path) -> None:
    assert codes(folder) == {"files_ok"}
    assert DataFiles(of(folder, embedded=False)).check(None) == []


@pytest.mark.parametrize("content", ["", "{}", '{"hub": 5}', "[" * 10_000, '{"hub": {"password": ""}}', "\xff"])
def test_damaged_accounts_are_named(folder: Path, content: str) -> None:
    (folder / "keys/broker-accounts.json").write_text(content)
    assert codes(folder) == {"accounts_wrong"}


@pytest.mark.parametrize("content", [b"[[[", b'name = "x"\n', b"secret = '\xff'"])
def test_a_damaged_configuration_of_the_agent_is_named(folder: Path, content: bytes) -> None:
    (folder / "agent/agent.toml").write_bytes(content)
    assert codes(folder) == {"agent_config_wrong"}


def test_a_lost_configuration_of_an_agent_that_is_registered_is_named(folder: Path) -> None:
    (folder / "agent/agent.toml").unlink()
    assert codes(folder) == {"files_ok"}
    assert codes(folder, {"front-desk": True}) == {"agent_config_missing"}


def as_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def as_file(path: Path) -> None:
    for file in sorted(path.rglob("*"), reverse=True):
        file.unlink()
    path.rmdir()
    path.write_text("")


def as_link(path: Path) -> None:
    path.rename(path.with_suffix(".there"))
    path.symlink_to(path.with_suffix(".there"))


@pytest.mark.parametrize(
    ("name", "become", "code"),
    [
        *((name, as_folder, "file_expected") for name in ("lock", "hub.json", "logs/hub.log", "broker/acl")),
        *((name, as_folder, "file_expected") for name in ("broker/mosquitto.conf", "run/hub", "ports.json")),
        *((name, as_file, "folder_expected") for name in ("logs", "run", "broker", "postgres", "printer")),
        *((name, as_link, "folder_expected") for name in ("logs", "agent", "postgres")),
    ],
)
def test_what_is_of_another_kind_is_named(folder: Path, name: str, become: Callable[[Path], None], code: str) -> None:
    become(folder / name)
    assert codes(folder) == {code}


@pytest.mark.parametrize("name", ["admin.key", "admin.key.next"])
def test_a_file_that_holds_no_key_of_the_administrator_is_a_problem(folder: Path, name: str) -> None:
    private(folder / name, "a\nb\n")
    (finding,) = [item for item in KeyFiles(folder).check(None, admin_valid=None) if item.check == "admin key"]
    assert (finding.code, finding.level) == ("admin_file", Level.FAIL)


def test_lost_passwords_and_ports_of_postgres_are_named(folder: Path) -> None:
    environment = {"FLOORHUB_DATA_DIR": str(folder)}
    installation.find(environment=environment)
    (folder / "ports.json").write_text("[")
    with pytest.raises(SetupError, match=r"ports\.json is missing or damaged"):
        installation.find(environment=environment)
    private(folder / "postgres/18/PG_VERSION", "18")
    (folder / "keys/postgres-18.json").unlink()
    with pytest.raises(EmbeddedError, match="password file"):
        installation.find(environment=environment)


def test_settings_that_a_part_of_the_hub_refuses_are_named(folder: Path) -> None:
    assert check_parts(of(folder)) == []
    (finding,) = check_parts(of(folder, fetch_allow="user@host"))
    assert (finding.code, finding.level) == ("config_wrong", Level.FAIL)
    assert "FLOORHUB_FETCH_ALLOW" in str(finding)
