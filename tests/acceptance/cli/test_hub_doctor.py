"""`floorhub doctor` beside a real site: faults are planted, and each is found and named; a hub may run or not."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from broker_config.render import account_names
from hub.core.audit.service.keys import FILE as AUDIT_FILE
from hub.keys import create_data_keys, create_seeds, new_seed, write_secret_file
from hub.programs.cli.main import app
from hub.programs.doctor.keys import KeyFiles
from hub.programs.embedded.data_folder import DataFolder
from schemas.findings import Level
from schemas.topics import BROKER_CONTROL, BROKER_CONTROL_RESPONSE
from tests.support.broker_client import BrokerClient
from tests.support.site import Site
from tests.support.waiting import until

NOBODY = "127.0.0.1:1"


def settings(site: Site, **changes: str) -> dict[str, str]:
    """The environment of the site's hub, with these changes."""
    accounts = site.stack.accounts
    assert accounts is not None
    return {
        # By another name of the host: else it would be taken for the one that `make run` starts.
        "FLOORHUB_DATABASE_URL": site.stack.database_url.replace("127.0.0.1", "localhost"),
        "FLOORHUB_MQTT_URL": str(site.stack.mqtt_url),
        "FLOORHUB_MQTT_PASSWORD": accounts.hub.password,
        "FLOORHUB_MQTT_ADMIN_PASSWORD": accounts.admin.password,
        "FLOORHUB_DATA_DIR": str(site.folder.root),
        "FLOORHUB_PORT": str(site.hub_ports["one"]),
        "LANG": "C",
        **changes,
    }


def keys_of_another_hub(folder: Path) -> Path:
    """The files that a hub of its own has made; their folder."""
    create_seeds(folder)
    create_data_keys(folder)
    write_secret_file(folder / AUDIT_FILE, new_seed().hex())
    return folder


def ask(environment: dict[str, str], *options: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *options], env=environment)


def findings(environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What is not well, by its code; the exit code must agree."""
    done = ask(environment, "-o", "json")
    found = json.loads(done.stdout)
    assert done.exit_code == any(item["level"] == "fail" for item in found["findings"]), done.output
    assert found["ok"] is (done.exit_code == 0)
    return {item["code"]: item for item in found["findings"] if item["level"] != "ok"}


def test_a_healthy_hub_has_a_line_for_each_check_and_no_problem(site: Site) -> None:
    done = ask(settings(site))

    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("No problem found.\n")
    lines = done.stdout.splitlines()[:-1]
    assert {line.split()[0] for line in lines} == {"ok"}, done.stdout
    said = "\n".join(lines)
    for check in (
        *("version", "config", "hub", "database", "durability", "clock", "tables", "commands", "broker"),
        *("key list", "rules", "certificate", "keys", "admin key", "disk", "time zone"),
    ):
        assert f" {check} " in said
    assert site.is_ready(), "the hub's connections are its own still"


def test_planted_faults_are_found_at_once_and_no_secret_is_told(site: Site, tmp_path: Path) -> None:
    password = "not-the-password-8Zq1x"
    url = settings(site)["FLOORHUB_DATABASE_URL"]
    wrong = url.replace(url.partition("://floorhub:")[2].partition("@")[0], password)
    shutil.copytree(site.folder.keys, tmp_path / "keys")
    (tmp_path / "keys" / "root.key").chmod(0o644)
    environment = settings(
        site,
        FLOORHUB_DATABASE_URL=wrong,
        FLOORHUB_MQTT_URL=f"mqtt://{NOBODY}",
        FLOORHUB_DATA_DIR=str(tmp_path),
        FLOORHUB_DISK_FULL_MIB=str(2**40),
        FLOORHUB_PORT="1",
        FLOORHUB_WORKR="one",
    )

    found = findings(environment)

    assert {code: item["level"] for code, item in found.items()} == {
        "config_unknown": "warn",
        "hub_stopped": "warn",
        "database_unreachable": "fail",
        "broker_unreachable": "fail",
        "keys_files": "fail",
        "admin_missing": "warn",
        "disk_full": "fail",
    }
    assert "password authentication failed" in found["database_unreachable"]["message"]
    assert "chmod 600" in found["keys_files"]["message"]
    assert NOBODY in found["broker_unreachable"]["message"]
    assert password not in json.dumps(found)
    korean = ask({**environment, "LANG": "ko_KR.UTF-8", "PYTHONUTF8": "1"})
    assert "문제 4건." in korean.stdout
    assert "연결을 거절합니다" in korean.stdout


def gone(file: Path, _others: Path) -> None:
    file.unlink()


def readable(file: Path, _others: Path) -> None:
    file.chmod(0o644)


def damaged(file: Path, _others: Path) -> None:
    file.write_text("0")


def of_another_hub(file: Path, others: Path) -> None:
    shutil.copy(others / file.name, file)


@pytest.mark.parametrize("name", ["root.key", "command.key", "data.key", "audit.key"])
@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (gone, "keys_missing", "copy keys/ from another hub or restore your backup"),
        (readable, "keys_files", "run chmod 600"),
        (damaged, "keys_files", "is damaged"),
        (of_another_hub, None, "opy keys/ from a hub"),
    ],
)
def test_each_key_without_which_a_hub_does_not_start_is_named(
    site: Site, tmp_path: Path, name: str, harm: Callable[[Path, Path], None], code: str | None, words: str
) -> None:
    keys = KeyFiles(site.folder.root)
    with psycopg.connect(site.stack.database_url) as connection:
        known = dict(connection.execute("SELECT purpose, public_key FROM hub_keys").fetchall())
        known |= dict(connection.execute("SELECT 'audit', public_key FROM audit_keys WHERE until IS NULL").fetchall())
        sealed_by = dict(connection.execute("SELECT kid, fingerprint FROM data_keys").fetchall())
    assert [one.code for one in keys.check(known, sealed_by, admin_valid=True)] == ["keys_ok", "admin_ok"]

    shutil.copytree(site.folder.keys, tmp_path / "keys")
    harm(tmp_path / "keys" / name, keys_of_another_hub(tmp_path / "others"))
    found = KeyFiles(tmp_path).check(known, sealed_by, admin_valid=None)[:-1]

    expected = code or ("keys_files" if name == "data.key" else "keys_differ")
    assert [(one.code, one.level) for one in found] == [(expected, Level.FAIL)]
    for korean in (False, True):
        assert (name if expected != "keys_differ" else name.removesuffix(".key")) in found[0].sentence(korean=korean)
    assert words in found[0].sentence(korean=False)


def test_keys_and_accounts_of_another_hub_are_told(site: Site, tmp_path: Path) -> None:
    keys_of_another_hub(tmp_path / "keys")
    (tmp_path / "admin.key").write_text("fh_00000000_" + "A" * 43)
    (tmp_path / "admin.key").chmod(0o600)

    found = findings(settings(site, FLOORHUB_DATA_DIR=str(tmp_path), FLOORHUB_MQTT_PASSWORD="x" * 32))

    assert {code: item["level"] for code, item in found.items()} == {
        "account_refused": "fail",
        "keys_differ": "fail",
        "keys_files": "fail",
        "admin_unknown": "warn",
    }
    assert "data.key does not have the key" in found["keys_files"]["message"]
    assert "_hub" in found["account_refused"]["message"]


def test_a_client_and_a_role_that_the_broker_lost_are_named(site: Site) -> None:
    client = site.client()
    accounts = site.stack.accounts
    assert accounts is not None and site.stack.broker is not None  # noqa: PT018 - for the type checker
    name = account_names()["admin"]
    admin = BrokerClient(site.stack.broker.options.mqtt_port, f"{name}-test", name, accounts.admin.password)
    assert admin.connect() == 0
    admin.subscribe(BROKER_CONTROL_RESPONSE)
    until(lambda: "rules_differ" not in findings(settings(site)), "the broker knows the client")
    rule = {"rolename": "ops", "acltype": "subscribePattern", "topic": "planted/#"}
    commands = [
        {"command": "deleteClient", "username": client["id"]},
        {"command": "addRoleACL", "allow": True, "priority": 1, **rule},
    ]
    try:
        admin.publish(BROKER_CONTROL, json.dumps({"commands": commands}))
        admin.wait_for(lambda: bool(admin.received))
        found = findings(settings(site))
    finally:
        admin.publish(BROKER_CONTROL, json.dumps({"commands": [{"command": "removeRoleACL", **rule}]}))
        admin.close()

    assert list(found) == ["rules_differ"]
    assert found["rules_differ"]["values"]["what"] == f"role ops, client {client['id']} is missing"


def test_a_hub_of_make_run_that_is_stopped_can_be_examined(cluster: DataFolder, tmp_path: Path) -> None:
    """Only what lies there: nothing is started, and nothing is changed."""
    shutil.copytree(cluster.keys, tmp_path / "keys")
    shutil.copy(cluster.ports, tmp_path / "ports.json")
    keys_of_another_hub(tmp_path / "keys")
    before = sorted((str(file), file.stat().st_mtime_ns) for file in tmp_path.rglob("*"))

    found = findings({"FLOORHUB_DATA": str(tmp_path), "FLOORHUB_URL": f"http://{NOBODY}", "LANG": "C"})

    assert {item["level"] for item in found.values()} == {"warn"}
    assert set(found) == {"hub_stopped", "database_stopped", "broker_stopped", "admin_missing"}
    assert sorted((str(file), file.stat().st_mtime_ns) for file in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("revision", [None, "9999"])
def test_tables_of_another_version_are_told_with_what_to_do(
    site: Site, empty_database_url: str, revision: str | None
) -> None:
    if revision is not None:
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num text)")
            connection.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))

    found = findings(settings(site, FLOORHUB_DATABASE_URL=empty_database_url))

    message = found["schema_wrong"]["message"]
    assert ("floorhub migrate" in message) is (revision is None)
    assert ("a newer version has migrated it" in message) is (revision is not None)


def test_a_clean_up_finds_the_hub_of_make_run(site: Site) -> None:
    names = ("FLOORHUB_DATABASE_URL", "FLOORHUB_DATA", "FLOORHUB_URL", "FLOORHUB_KEY")
    environment = {**dict.fromkeys(names), "FLOORHUB_DATA_DIR": str(site.folder.root), "LANG": "C"}
    done = CliRunner().invoke(app, ["cleanup", "--dry-run", "-o", "json"], env=environment)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["dry_run"] is True


def test_without_any_hub_the_doctor_says_how_to_name_one(tmp_path: Path) -> None:
    done = ask({"FLOORHUB_DATA": str(tmp_path), "FLOORHUB_DATABASE_URL": "", "LANG": "C"}, "--json")

    assert done.exit_code == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["code"] == "config_wrong"
    assert "FLOORHUB_DATABASE_URL" in finding["message"]
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names are enough
