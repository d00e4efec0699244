"""Settings of the hub, read once from the environment (`FLOORHUB_*`). Nothing else reads the environment."""

import contextlib
import difflib
import os
import re
import secrets
import socket
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas.addresses import AddressError, read_address
from schemas.topics import is_client_id

Role = Literal["api", "worker"]
Days = Annotated[int, Field(ge=0, le=36_500)]
RequestLimit = Annotated[int, Field(ge=0, le=10_000_000)]
"""Requests a minute; 0: as many as come."""
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\*")


DATA_OTHER_NAME = "FLOORHUB_DATA"
OF_OTHERS = frozenset(
    {
        *(DATA_OTHER_NAME, "FLOORHUB_PACKAGES", "FLOORHUB_DATABASE_OWNER_URL", "FLOORHUB_URL", "FLOORHUB_KEY"),
        "FLOORHUB_TLS_BIND",
        *("FLOORHUB_EDGE_STATUS_PORT", "FLOORHUB_EDGE_CONNECTIONS", "FLOORHUB_EDGE_CONNECTIONS_PER_ADDRESS"),
        "FLOORHUB_EDGE_HALF_OPEN_PER_ADDRESS",
        *("FLOORHUB_BIND", "FLOORHUB_MQTT_PORT", "FLOORHUB_WEBSOCKET_PORT", "FLOORHUB_MQTT_OPS_PASSWORD"),
        *("FLOORHUB_COMMAND_ID", "FLOORHUB_ATTEMPT", "FLOORHUB_PRINTER", "FLOORHUB_SECRET", "FLOORHUB_SUPERVISED"),
        "FLOORHUB_ACCOUNTS_FROM_NETWORK",
    }
)
"""Names that other programs read: `floorhub`, the edge, `make run`, the containers, agents and what they start."""
TESTS = "FLOORHUB_TEST_"


def _worker_name() -> str:
    """A name for this worker, another one for each process: two containers may have one host name and process id."""
    host = "".join(c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in socket.gethostname().lower())
    return f"{host[:40].lstrip('-') or 'hub'}-{secrets.token_hex(4)}"


class WrongValueError(ValueError):
    """What to write in place of a value, as the end of a sentence; `korean` is the same in Korean."""

    def __init__(self, english: str, korean: str) -> None:
        super().__init__(english)
        self.korean = korean


class Settings(BaseSettings):
    """What an operator may set; every field is `FLOORHUB_<NAME>` in the environment. See docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix="FLOORHUB_", frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr
    """Postgres 14 to 18: postgresql://user:password@host:port/database."""
    mqtt_url: str = "mqtt://127.0.0.1:1883"
    """The broker: mqtt://host:port or mqtts://host:port."""
    mqtt_username: str = "_hub"
    mqtt_password: SecretStr = SecretStr("")
    mqtt_ca_file: Path | None = None
    mqtt_client: Literal["thin", "paho"] = "thin"
    """What connects: our own client, or the library paho, which costs more time of the hub's thread."""
    mqtt_admin_username: str = "_admin"
    mqtt_admin_password: SecretStr | None = None
    """Without it the hub leaves the broker's users alone (another system keeps them)."""
    data_dir: Path
    """For keys and temporary files; nothing that Postgres could lose."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    tls_certificate: Path | None = None
    """PEM: the certificate for HTTPS, with those between it and its authority; with it the hub serves HTTPS, too."""
    tls_key: Path | None = None
    """PEM: the key of this certificate."""
    tls_host: str = "0.0.0.0"  # noqa: S104 - HTTPS is for the network
    tls_port: Annotated[int, Field(ge=0, le=65535)] = 8443
    public_url: str = ""
    """Where other machines reach the hub: https://name:port."""
    public_mqtt_url: str = ""
    """Where other machines reach the broker: mqtts://name:port."""
    ca_file: Path | None = None
    """PEM: the authority that other machines must trust for these two; none: a public one."""
    machine_certificates: bool = False
    """Whether the broker asks machines on the network for a certificate of this hub, beside client id and secret."""
    socket: Path | None = None
    """A Unix socket on which HTTP answers, too: for the edge, or another proxy of this machine, whose word about the
    caller counts there."""
    broker_restart_file: Path | None = None
    """`floorhub up` sets it: it restarts the broker when this file appears, and then removes it."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses and networks of proxies whose `X-Forwarded-For` says from where a request comes; none: nobody's."""
    plain_sign_in: bool = False
    """Whether people may sign in to pages from other machines without TLS: passwords and cookies can be read on the
    way."""
    hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Names that requests may call the hub by, besides loopback and the addresses it listens on; none: those of this
    machine."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of other sites' pages that may call the API; none: no page but the hub's own."""
    limit_programs: RequestLimit = 6_000
    """Requests a minute of a principal with keys."""
    limit_people: RequestLimit = 100
    """Requests a minute of a person who has signed in."""
    limit_addresses: RequestLimit = 100
    """Requests a minute of an address that shows nothing valid."""
    require_timestamp: bool = False
    """Whether integrations must send `X-Request-Timestamp` and `X-Request-Nonce`."""
    quota_time_zone: str = "UTC"
    """Whose midnight begins the day of a client's limit."""
    roles: Annotated[frozenset[Role], NoDecode] = frozenset({"api", "worker"})
    worker: str = Field(default_factory=_worker_name)
    """The worker's stable name; its MQTT client id is `_hub-<name>`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    database_pool: Annotated[int, Field(ge=4, le=100)] = 10
    max_document_mib: Annotated[int, Field(ge=1, le=1024)] = 100
    max_upload_mib: Annotated[int, Field(ge=1, le=1024)] = 20
    """The largest thing that a client may upload: a screenshot, a packed log."""
    fetch_allow: Annotated[tuple[str, ...], NoDecode] = ()
    """From where documents may be fetched by URL: host, host:port, host:*, *.domain; none: from nowhere."""
    fetch_private: bool = False
    """Whether such a host may lie in the own network, or be this machine."""
    document_folders: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders of this machine whose files commands may name by path."""
    pages_folder: Path | None = None
    """The built pages for people; without it those that the installed package has."""
    stop_grace_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    keep_commands_days: Days = 90
    """Ended commands with their logs, and batches; 0: for ever, as with the others."""
    keep_dead_letters_days: Days = 0
    """Dead letters that nobody has closed."""
    revoked_commands: Literal["withhold", "run"] = "withhold"
    """What becomes of unfinished commands whose principal was disabled or lost the grant for them. Only of those that
    there are: schedules of such a principal send nothing, whatever it says."""
    keep_quarantine_days: Days = 30
    keep_presence_days: Days = 90
    keep_documents_days: Days = 90
    """Since a command last named it."""
    keep_audit_days: Days = 1095
    """Audit rows and security events."""
    audit_seal_file: Path | None = None
    """A file that gets the number and hash of the audit trail's last seal once a day; none: nowhere."""
    archive_folder: str = ""
    """Where what is deleted is written before; `off`: nowhere. Default: `archive` in the data folder."""
    disk_low_mib: Annotated[int, Field(ge=0)] = 2048
    """With less free space on the disk of the data folder, or of the archive, the hub warns."""
    disk_full_mib: Annotated[int, Field(ge=0)] = 512
    """With less it takes no more documents."""
    database_low_mib: Annotated[int, Field(ge=0)] = 0
    """With a larger database it warns; 0: never."""
    cleanup_every_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0

    @model_validator(mode="before")
    @classmethod
    def _take_other_name(cls, values: Any) -> Any:
        """`FLOORHUB_DATA` is what the data folder was called before."""
        folder = os.environ.get(DATA_OTHER_NAME, "").strip()
        if isinstance(values, dict) and not values.get("data_dir") and folder:
            return {**values, "data_dir": folder}
        return values

    @field_validator("roles", mode="before")
    @classmethod
    def _split_roles(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        roles = frozenset(part.strip() for part in value.split(","))
        if not roles <= set(get_args(Role)):
            raise WrongValueError(
                "name api, worker, or both with a comma between them; unset, it is both",
                "api나 worker, 또는 둘을 쉼표로 이어 쓰십시오. 설정하지 않으면 둘 다입니다",
            )
        return roles

    @field_validator("fetch_allow", "document_folders", "trusted_proxies", "hosts", "cors_origins", mode="before")
    @classmethod
    def split_list(cls, value: object) -> object:
        """A list that is written with commas."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("document_folders")
    @classmethod
    def _are_absolute(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in value:
            if not path.is_absolute() or path.resolve() == Path("/"):
                raise WrongValueError(
                    "give absolute paths of folders, not the root", "루트가 아닌 폴더의 절대 경로를 쓰십시오"
                )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Addresses and networks. Raises WrongValueError."""
        for text in value:
            try:
                ip_network(text)
            except ValueError:
                raise WrongValueError(
                    f"{text} is none: give an address, or a network such as 10.0.0.0/8",
                    f"{text}을(를) 주소나 10.0.0.0/8 같은 네트워크로 고치십시오",
                ) from None
        return value

    @field_validator("hosts")
    @classmethod
    def are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Names of hosts in one form. Raises WrongValueError."""
        return tuple(_host(text) for text in value)

    @field_validator("cors_origins")
    @classmethod
    def are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Origins as browsers send them. Raises WrongValueError."""
        for text in value:
            if text == "*":
                continue
            scheme, _, rest = text.partition("://")
            try:
                right = scheme in ("http", "https") and urlsplit(text).netloc == rest and "@" not in rest
                right = right and rest == rest.lower() and urlsplit(text).port != 0 and bool(urlsplit(text).hostname)
            except ValueError:
                right = False
            if not right:
                raise WrongValueError(
                    f"{text} is none: write origins as browsers send them, such as https://shop.example or "
                    "http://10.0.0.5:3000, without a path",
                    f"{text}을(를) 고치십시오. https://shop.example이나 http://10.0.0.5:3000처럼 브라우저가 보내는 "
                    "그대로, 경로 없이 쓰십시오",
                )
        return value

    @field_validator("tls_certificate", "tls_key", "ca_file", mode="before")
    @classmethod
    def _no_file_if_empty(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("public_url", "public_mqtt_url")
    @classmethod
    def _is_public(cls, value: str, info: ValidationInfo) -> str:
        secure = "mqtts" if info.field_name == "public_mqtt_url" else "https"
        return _public(value.strip(), secure) if value.strip() else ""

    @field_validator("quota_time_zone")
    @classmethod
    def _is_a_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise WrongValueError(
                "give a name such as Asia/Seoul, Europe/Berlin or UTC",
                "Asia/Seoul, Europe/Berlin, UTC 같은 이름을 쓰십시오",
            ) from None
        return value

    @field_validator("pages_folder", "socket", "broker_restart_file", mode="before")
    @classmethod
    def _none_if_empty(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("worker")
    @classmethod
    def _worker_is_a_slug(cls, value: str) -> str:
        if not is_client_id(value):
            raise WrongValueError(
                "use a-z, 0-9 and '-', at most 63 characters", "a-z, 0-9, '-'를 최대 63자까지 쓰십시오"
            )
        return value

    @field_validator("data_dir", mode="before")
    @classmethod
    def _is_named(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():  # it would be the current folder
            raise WrongValueError("give a folder", "폴더를 지정하십시오")
        return value

    @field_validator("archive_folder")
    @classmethod
    def _is_absolute_or_off(cls, value: str) -> str:
        if value not in ("", "off") and not Path(value).is_absolute():
            raise WrongValueError("give an absolute path, or off", "절대 경로나 off를 쓰십시오")
        return value

    @field_validator("audit_seal_file", "socket", "broker_restart_file")
    @classmethod
    def _is_absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise WrongValueError("give the absolute path of a file", "파일의 절대 경로를 쓰십시오")
        return value

    @property
    def exposed(self) -> bool:
        """Whether other machines reach HTTP, which has no TLS."""
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    @property
    def archive_dir(self) -> Path | None:
        """The archive's folder; None: nothing is archived."""
        if self.archive_folder == "off":
            return None
        return Path(self.archive_folder) if self.archive_folder else self.data_dir / "archive"

    @property
    def keys_dir(self) -> Path:
        """Where the signing keys lie."""
        return self.data_dir / "keys"

    @property
    def url(self) -> str:
        """Where HTTP answers, as a browser on this machine asks for it."""
        try:
            everywhere = ip_address(self.host).is_unspecified
        except ValueError:
            everywhere = False
        host = "127.0.0.1" if everywhere else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def first_administrator_file(self) -> Path:
        """Where the link for the first administrator is written, until there is one."""
        return self.data_dir / "first-administrator.link"

    @property
    def admin_key_file(self) -> Path:
        """Where the first administrator's key is written."""
        return self.data_dir / "admin.key"


def _host(text: str) -> str:
    """A host as requests name it, or raise WrongValueError."""
    with contextlib.suppress(ValueError):
        return str(ip_address(text.strip("[]")))
    try:
        name = text.lower() if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name):
        raise WrongValueError(
            f"{text} is none: give names or addresses without scheme and port, such as hub.example, *.shop.example or "
            "10.0.0.5",
            f"{text}을(를) 고치십시오. hub.example, *.shop.example, 10.0.0.5처럼 프로토콜과 포트 없이 이름이나 "
            "주소를 쓰십시오",
        )
    return name


def _public(text: str, secure: str) -> str:
    """An address for other machines, without what machines add to it themselves, or raise WrongValueError."""
    plain = secure.removesuffix("s")
    try:
        address = read_address(text)
        is_right = address.scheme in (secure, plain) and address.path in ("", "/")
        is_right = is_right and not address.user and not address.password
    except AddressError:
        is_right = False
    if not is_right:
        raise WrongValueError(
            f"use {secure}://name:port, without a path and a user",
            f"경로와 사용자 없이 {secure}://이름:포트 형식으로 쓰십시오",
        )
    return f"{address.scheme}://{address.authority()}"


_PREFIX = "FLOORHUB_"


def unknown(environment: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """Names in the environment that look like settings and are none, each with the setting that it resembles."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields} | OF_OTHERS
    found: dict[str, str | None] = {}
    for name in sorted(environment):
        if name.upper().startswith(_PREFIX) and name.upper() not in known and not name.startswith(TESTS):
            words = {setting.removeprefix(_PREFIX): setting for setting in sorted(known)}
            nearest = difflib.get_close_matches(name.upper().removeprefix(_PREFIX), words, 1, 0.75)
            found[name] = words[nearest[0]] if nearest else None
    return found


def two_data_folders(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the two names of the data folder name different ones; then that of the settings counts."""
    named = [environment.get(name, "").strip() for name in ("FLOORHUB_DATA_DIR", DATA_OTHER_NAME)]
    return all(named) and len({Path(folder).expanduser().absolute() for folder in named}) > 1
