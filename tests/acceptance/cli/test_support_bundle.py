"""`floorhub support-bundle`: canaries in every secret place, in payloads and documents, and none of them gets out."""

import base64
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.programs.cli import testpage
from hub.programs.cli.main import app
from hub.programs.embedded.data_folder import DataFolder
from tests.support import plain_http
from tests.support.site import Site

PAYLOAD = "canary-of-a-payload"
PLACES = ("path", "user", "query", "bearer", "cookie", "value")
TOKENS = {name: f"canary-{name}-{os.urandom(4).hex()}" for name in PLACES}
PARTS = {f"{name}.json" for name in ("versions", "settings", "doctor", "counts", "failures")} | {"README.txt"}


def ask(site: Site, file: Path, **environment: str) -> Result:
    settings = {"FLOORHUB_DATA": str(site.folder.root), "FLOORHUB_URL": site.url, "LANG": "C", **environment}
    return CliRunner().invoke(app, ["support-bundle", str(file)], env=settings)


def contents(file: Path) -> dict[str, str]:
    with tarfile.open(file) as tar:
        found = {member.name: tar.extractfile(member) for member in tar}
        return {name: stream.read().decode() for name, stream in found.items() if stream is not None}


@contextmanager
def planted(site: Site) -> Iterator[None]:
    """Lines as programs of others write them into logs."""
    hook = f"https://{TOKENS['user']}:x@hooks.example/T00/{TOKENS['path']}?sig={TOKENS['query']}"
    sent = {"authorization": f"Bearer {TOKENS['bearer']}"}
    said = f"Cookie: s={TOKENS['cookie']}"
    lines = [
        json.dumps({"event": "webhook.failed", "url": hook, "headers": sent}),
        json.dumps({"event": "message.refused", "payload": {"text": PAYLOAD}, "message": said}),
        f"GET {hook} failed: token={TOKENS['value']}",
        json.dumps({"event": "x", "command": {"payload": {"pin": TOKENS["value"]}}, "secret": {"old": TOKENS["path"]}}),
        f"argv lp --password {TOKENS['value']}, ipp://u:{TOKENS['query']}#x@printer/",
    ]
    texts = {
        site.folder.logs / "hub-planted.log": "\n".join(lines),
        site.folder.logs / "postgres-planted.log": f"2026-11-29 20:00:00 UTC [1] DETAIL:  Parameters: $1 = '{PAYLOAD}'",
    }
    for file, text in texts.items():
        file.write_text(f"{text}\n")
    try:
        yield
    finally:
        for file in texts:
            file.unlink()


def leaked(site: Site, text: str, **more: str) -> set[str]:
    """Where the secrets lie that are in a text and must not be."""
    keys = site.folder.keys
    seeds = {name: (keys / f"{name}.key").read_text().strip() for name in ("root", "command")}
    accounts = json.loads((keys / "broker-accounts.json").read_text())
    passwords = json.loads((keys / "postgres-18.json").read_text())
    secrets = {
        "admin key": site.key,
        **seeds,
        **{f"{name}, encoded": _base64(seed) for name, seed in seeds.items()},
        **{f"broker {role}": account["password"] for role, account in accounts.items()},
        **{f"postgres {role}": password for role, password in passwords.items()},
        **TOKENS,
        "payload": PAYLOAD,
        **more,
    }
    return {where for where, secret in secrets.items() if secret in text}


def _base64(seed: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(seed)).decode().rstrip("=")


def test_no_canary_gets_out_and_what_helps_is_there(site: Site, tmp_path: Path) -> None:
    client = site.client()
    site.agent(client)
    document = site.http.post(
        "/api/documents",
        content=testpage.page([PAYLOAD]),
        params={"filename": f"{PAYLOAD}.pdf"},
        headers={"Content-Type": "application/pdf"},
    ).json()
    payload = {"printer": "nowhere", "document": document["id"], "title": PAYLOAD}
    failed = site.send(client["id"], "print", payload, wait=20, reference=PAYLOAD, tags=[PAYLOAD])
    url = f"https://{TOKENS['user']}:{TOKENS['value']}@hooks.example/{TOKENS['path']}?t={TOKENS['query']}"
    refused = {"client_id": client["id"], "action": "print", "payload": {"printer": "x", "document": url}}
    assert site.http.post("/api/commands", json=refused).status_code >= 400
    plain_http.get(f"{site.url}/api/uploads/{TOKENS['path']}")
    file = tmp_path / "bundle.tar.gz"
    assert leaked(site, site.folder.agent.joinpath(f"{client['id']}.toml").read_text(), secret=client["secret"])

    with planted(site):
        done = ask(site, file, FLOORHUB_SOME_TOKEN=TOKENS["bearer"], FLOORHUB_KEY=site.key)

    assert done.exit_code == 0, done.output
    assert file.stat().st_mode & 0o777 == 0o600
    parts = contents(file)
    assert leaked(site, "\n".join([*parts, *parts.values(), done.output]), secret=client["secret"]) == set()
    logs = {"logs/hub-one.log", "logs/mosquitto.log", "logs/postgres.log", f"logs/agent-{client['id']}.log"}
    assert PARTS | logs | {"metrics.txt"} <= set(parts)
    failures = {row["id"]: row for row in json.loads(parts["failures.json"])}
    assert failures[failed["id"]]["code"] == "printer_unknown"
    assert json.loads(parts["counts.json"])["counts"]["commands failed"] >= 1
    assert json.loads(parts["settings.json"])["mqtt_password"] == "[redacted]"
    assert json.loads(parts["doctor.json"])["findings"]
    assert "floorhub_commands_created_total" in parts["metrics.txt"]
    assert '"event":"command.created"' in parts["logs/hub-one.log"]
    assert "webhook.failed" in parts["logs/hub-planted.log"]
    assert "hooks.example" in parts["logs/hub-planted.log"]


@pytest.mark.parametrize("rest", ["", "#x", "/x"])
def test_of_a_hub_with_settings_in_the_environment_nothing_gets_out_either(
    site: Site, tmp_path: Path, rest: str
) -> None:
    url = site.stack.database_url.replace("127.0.0.1", "localhost")
    file = tmp_path / "bundle.tar.gz"

    done = ask(
        site,
        file,
        FLOORHUB_DATABASE_URL=url,
        FLOORHUB_DATA_DIR=str(site.folder.root),
        FLOORHUB_MQTT_URL=f"mqtt://{TOKENS['user']}:{TOKENS['value']}{rest}@127.0.0.1:1",
        FLOORHUB_URL=f"http://{TOKENS['user']}:{TOKENS['query']}{rest}@127.0.0.1:1",
        **({"FLOORHUB_FETCH_ALLOW": f"{TOKENS['user']}:{TOKENS['query']}@h.example"} if rest else {}),
        FLOORHUB_MQTT_PASSWORD=TOKENS["bearer"],
        FLOORHUB_MQTT_ADMIN_PASSWORD=TOKENS["cookie"],
        FLOORHUB_HOOK_TOKEN=TOKENS["path"],
    )

    assert done.exit_code == 0, done.output
    parts = contents(file)
    assert set(parts) >= PARTS
    assert leaked(site, "\n".join([*parts.values(), done.output])) == set()
    assert json.loads(parts["settings.json"])["database_url"] == "[redacted]"


def test_of_a_hub_that_is_stopped_there_is_what_lies_on_the_disk(
    site: Site, cluster: DataFolder, tmp_path: Path
) -> None:
    data, file = tmp_path / "data", tmp_path / "bundle.tar.gz"
    shutil.copytree(cluster.keys, data / "keys")
    shutil.copy(cluster.ports, data / "ports.json")
    (data / "logs").mkdir()
    (data / "logs" / "hub.log").write_text('{"event":"hub.stopped"}\n')

    done = ask(site, file, FLOORHUB_DATA=str(data), FLOORHUB_URL="http://127.0.0.1:1")

    assert done.exit_code == 0, done.output
    assert set(contents(file)) == {*PARTS - {"counts.json", "failures.json"}, "logs/hub.log"}


def test_a_bundle_never_replaces_a_file(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"
    file.write_text("mine")

    assert ask(site, file).exit_code == 2
    assert file.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle.tar.gz"]


@pytest.mark.parametrize("name", ["missing/bundle.tar.gz", "f" * 300])
def test_a_place_that_takes_no_file_is_told(site: Site, tmp_path: Path, name: str) -> None:
    done = ask(site, tmp_path / name)

    assert done.exit_code == 2
    assert "cannot be written" in done.output
    assert list(tmp_path.iterdir()) == []
