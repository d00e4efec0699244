"""The hub of this machine as programs beside it find it: that of `make run`, or one with settings in the environment.

Both give the same `Settings`, so whoever looks at a hub (doctor, backup, support bundle) needs to know no difference.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from broker_config.render import account_names
from hub import private_files
from hub.config import Settings
from hub.errors import SetupError
from hub.programs.embedded.data_folder import default_root
from hub.programs.embedded.errors import NotPermittedError
from hub.programs.embedded.mosquitto import HOST
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.postgres import url_beside
from hub.programs.settings_sentences import of_validation

DATABASE_URL = "FLOORHUB_DATABASE_URL"
ACCOUNTS = "broker-accounts.json"
NOTE = "hub.json"
"""`make run` writes there where its hub answers, while it runs."""
MQTT_PORT, HTTP_PORT = 1883, 8080
WORKER = "local"
"""The name of the hub that `make run` starts."""


@dataclass(frozen=True, slots=True)
class BrokerLogin:
    """A user name, its password and its only client id."""

    username: str
    password: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Installation:
    """A hub of this machine. `embedded`: `make run` starts it, with its Postgres and broker. `doctor`: the account for
    those who look on, where those of the hub have one connection each."""

    settings: Settings
    embedded: bool
    environment: Mapping[str, str]
    doctor: BrokerLogin | None = None

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.settings.data_dir

    @property
    def database_url(self) -> str:
        """With the password in it."""
        return self.settings.database_url.get_secret_value()

    @property
    def url(self) -> str:
        """Where its HTTP answers: FLOORHUB_URL, else as the hub's settings say."""
        named = self.environment.get("FLOORHUB_URL", "").strip().rstrip("/")
        if named:
            return named
        host = self.settings.host
        if host in ("0.0.0.0", "::", ""):  # noqa: S104 - every address of this machine, of which this is one
            host = "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.port}"


def find(
    database_url: str | None = None, data_dir: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Installation:
    """The hub that the environment (or these options) names, else that of `make run` in the data folder.

    Raises SetupError when there is none or a setting is wrong, EmbeddedError when its data folder cannot be used.
    """
    folder = (data_dir or default_root(environment)).expanduser().absolute()
    url = own_database(database_url, folder, environment)
    if url is not None:
        return Installation(_settings({"database_url": url, "data_dir": folder}), False, environment)
    beside = url_beside(folder)
    if beside is None and any((folder / "keys").glob("postgres-*.json")):
        raise SetupError(
            f"{folder / 'ports.json'} is missing or damaged, so the ports of the last start are not known: start `make "
            "run`, which chooses them again.",
            ko=f"{folder / 'ports.json'}이(가) 없거나 손상되어 지난번에 시작한 포트를 알 수 없습니다. `make run`을 "
            "시작하면 다시 고릅니다.",
        )
    if beside is None:
        raise SetupError(
            f"There is no hub in {folder}: `make run` has not run there. Name the data folder with FLOORHUB_DATA_DIR, "
            "or set the hub's FLOORHUB_DATABASE_URL and FLOORHUB_DATA_DIR. For the systemd unit: "
            "set -a; . /etc/floorhub/hub.env; set +a",
            ko=f"{folder}에 허브가 없습니다. 그곳에서 `make run`을 실행한 적이 없습니다. FLOORHUB_DATA_DIR로 데이터 "
            "폴더를 지정하거나 허브의 FLOORHUB_DATABASE_URL과 FLOORHUB_DATA_DIR을 설정하십시오. systemd 유닛이라면 "
            "먼저 실행하십시오: set -a; . /etc/floorhub/hub.env; set +a",
        )
    noted = _noted(folder)
    passwords = _passwords(folder / "keys" / ACCOUNTS)
    doctor = None
    if noted.pinned and "doctor" in passwords:
        username = account_names()["doctor"]
        doctor = BrokerLogin(username, passwords["doctor"], f"{username}-{WORKER}")
    return Installation(_settings(_of_make_run(folder, beside, noted, passwords)), True, environment, doctor)


def own_database(database_url: str | None, folder: Path, environment: Mapping[str, str] = os.environ) -> str | None:
    """The database that is named, by an option or the environment; None when that is `make run`'s, or none is named.
    Raises EmbeddedError."""
    url = (database_url or environment.get(DATABASE_URL, "")).strip()
    try:
        beside = url_beside(folder)
    except NotPermittedError:
        if not url:
            raise
        return url
    return None if not url or (beside is not None and _place(url) == _place(beside)) else url


def _place(url: str) -> tuple[object, ...]:
    """Which database a URL means. What cannot be read means none; whoever connects says why."""
    try:
        parts = conninfo_to_dict(url)
    except (psycopg.Error, ValueError):
        return (url,)
    return tuple(str(parts.get(name)) for name in ("host", "port", "dbname"))


def is_running(folder: Path) -> bool:
    """Whether `make run` works in this data folder now."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _settings(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as problem:
        raise of_validation(problem) from None


def _of_make_run(folder: Path, database_url: str, noted: "_Note", passwords: Mapping[str, str]) -> dict[str, Any]:
    """What `make run` gives its hub; FLOORHUB_* of this shell do not reach that one, so they do not count here."""
    ports = PortBook(folder / "ports.json")
    values: dict[str, Any] = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
        if not field.is_required()
    }
    network = {name.removeprefix("FLOORHUB_").lower(): value for name, value in noted.network.items()}
    values |= {name: value for name, value in network.items() if name in Settings.model_fields}
    return values | {
        "database_url": database_url,
        "data_dir": folder,
        "mqtt_url": f"mqtt://{HOST}:{ports.known('mqtt') or MQTT_PORT}",
        "mqtt_password": passwords.get("hub", ""),
        "mqtt_admin_password": passwords.get("admin"),
        "port": noted.port or ports.known("hub") or HTTP_PORT,
        "worker": WORKER,
    }


def _passwords(file: Path) -> dict[str, str]:
    """The secrets of the hub's accounts at the broker; none when the file is missing or damaged: who needs them says
    so. Raises SetupError when others can read it."""
    try:
        kept = json.loads(private_files.read(file) or "{}")
        return {role: str(account["password"]) for role, account in kept.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


class _Note(msgspec.Struct, frozen=True):
    """What `make run` wrote about its hub: `network` has the settings with which it serves other machines, `pinned`
    says whether the hub's accounts at the broker have one connection each."""

    url: str = ""
    network: dict[str, str] = {}
    pinned: bool = False

    @property
    def port(self) -> int | None:
        """Where the hub's HTTP answers; None: not noted."""
        number = self.url.rpartition(":")[2]
        return int(number) if number.isascii() and number.isdecimal() else None


def _noted(folder: Path) -> _Note:
    """The note; an empty one when there is none that can be read."""
    try:
        return msgspec.json.decode((folder / NOTE).read_bytes(), type=_Note)
    except (OSError, msgspec.DecodeError, RecursionError):
        return _Note()
