"""The agent's configuration: one TOML file, read once, checked before anything starts.

`docs/reference/agent-configuration.md` describes every key. `ConfigError` carries a sentence that names the key.
"""

import os
import re
import stat
import sys
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from device_agent import config_sentences
from device_agent.actions.config import PRINTER_NAME, MachineConfig, OwnActionConfig, PrinterConfig
from schemas import signing, terminal, topics
from schemas.actions import NAME
from schemas.addresses import AddressError, read_address
from schemas.codec import ContractError
from schemas.text import TextError, printable, read
from schemas.tls import certificates, certificates_in, trusting


class ConfigError(Exception):
    """The configuration cannot be used; the message, in the language of the person at the keyboard, says which key and
    what to do."""

    def __init__(self, english: str, korean: str | None = None) -> None:
        super().__init__(english if korean is None or not terminal.shows_korean() else korean)


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that an agent is told. Paths are absolute; `secret` never appears in logs or in `repr`."""

    client_id: str
    hub_url: str | Annotated[list[str], Meta(min_length=1, max_length=10)]
    """One hub, or several that share a database: they are tried in turn."""
    mqtt_url: str
    root_key: str
    secret: str = ""
    secret_file: str | None = None
    data: str = "data"
    ca: str | None = None
    """Certificates to trust, as PEM text; instead of `ca_file`."""
    ca_file: str | None = None
    """The same in a file. Once the configuration is loaded, also the text of `ca`."""
    machine_key: str = ""
    """The machine's own key, as pairing made it: base64url of 32 bytes. It is as secret as `secret`."""
    certificate: str | None = None
    """For a broker that asks machines for one, PEM; the agent renews it at the hub."""
    certificate_expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    """The end of that one, as pairing heard it."""
    max_unfinished: Annotated[int, Meta(ge=1, le=1_000)] = 32
    stop_timeout_s: Annotated[float, Meta(ge=0, le=600)] = 10.0
    allowed_actions: list[str] | None = None
    printers: Annotated[list[PrinterConfig], Meta(max_length=100)] = []
    actions: dict[str, OwnActionConfig] = {}
    machine: MachineConfig = MachineConfig()

    def __repr__(self) -> str:
        return f"AgentConfig(client_id={self.client_id!r}, hub_url={self.hub_url!r}, mqtt_url={self.mqtt_url!r})"

    @property
    def hub_urls(self) -> list[str]:
        """The hubs, the first choice first."""
        return [self.hub_url] if isinstance(self.hub_url, str) else self.hub_url

    @property
    def root_key_bytes(self) -> bytes:
        """The hub's public root key, 32 bytes."""
        return signing.decode_key(self.root_key)

    @property
    def machine_seed(self) -> bytes:
        """The machine's own key, 32 bytes."""
        return signing.decode_key(self.machine_key)

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return Path(self.data) / "journal.db"

    @property
    def boot(self) -> str:
        """The machine's present boot; empty where the system does not tell."""
        try:
            return Path(self.machine.boot_id_file).read_text(encoding="ascii").strip()[:100]
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def cache(self) -> Path:
        """The folder of fetched documents."""
        return Path(self.data) / "documents"


def load(path: Path, data: Path | None = None) -> AgentConfig:
    """Read and check a configuration file; `data` overrides its data folder. Raises ConfigError."""
    try:
        text = read(path)
    except TextError as problem:
        raise ConfigError(f"{path}: {terminal.told(problem)}") from None
    except OSError as problem:
        reason = problem.strerror or problem
        raise ConfigError(f"{path} cannot be read: {reason}", f"{path} 파일을 읽을 수 없습니다: {reason}") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{path} is not TOML: {problem}", f"{path} 파일이 TOML 형식이 아닙니다: {problem}") from None
    try:
        if data is not None:
            table["data"] = str(data.absolute())
        return parse(table, path.resolve().parent, private=_is_private(path))
    except ConfigError as problem:
        raise ConfigError(f"{path}: {problem}") from None


def parse(table: dict[str, Any], folder: Path, *, private: bool = True) -> AgentConfig:
    """The configuration in a table; relative paths start at `folder`. Raises ConfigError.

    `private`: only its owner can read the table's file, so that the secret may stand in it.
    """
    try:
        config = msgspec.convert(table, AgentConfig)
    except msgspec.ValidationError as problem:
        raise ConfigError(*_wrong_field(str(problem), table)) from None
    if not topics.is_client_id(config.client_id):
        raise ConfigError(
            "client_id: use a-z, 0-9 and '-', at most 63 characters",
            "client_id: a-z, 0-9, '-'만 쓸 수 있으며 최대 63자입니다",
        )
    try:
        signing.decode_key(config.root_key)
    except ContractError:
        raise ConfigError(
            "root_key: it must be the hub's root key, 43 characters of base64url",
            "root_key: 허브의 루트 키여야 합니다(base64url 43자)",
        ) from None
    _check_machine_key(config, private=private)
    for url in config.hub_urls:
        _check_url("hub_url", url, {"http", "https"})
    _check_url("mqtt_url", config.mqtt_url, {"mqtt", "mqtts"})
    _check_printers(config.printers)
    for name in config.actions:
        if not NAME.fullmatch(name):
            raise ConfigError(
                f"actions.{name}: use a-z, 0-9, '_' and '-', a letter first, at most 63 characters; "
                "the hub sends no other action",
                f"actions.{name}: a-z, 0-9, '_', '-'만 쓸 수 있으며 글자로 시작하고 최대 63자입니다. "
                "허브는 다른 이름의 동작을 보내지 않습니다",
            )
    if config.ca is not None:
        _check_ca(config)
    elif config.ca_file is not None:
        if not (folder / config.ca_file).is_file():
            raise ConfigError(
                f"ca_file: there is no file {folder / config.ca_file}",
                f"ca_file: {folder / config.ca_file} 파일이 없습니다",
            )
        _check_certificates("ca_file", folder / config.ca_file)
    for number, printer in enumerate(config.printers):
        if printer.ca_file is not None and Path(printer.ca_file).is_file():
            _check_certificates(f"printers[{number}].ca_file", Path(printer.ca_file))
    return msgspec.structs.replace(
        config,
        secret=_secret(config, folder, private=private),
        secret_file=None,
        data=str(folder / Path(config.data).expanduser()),
        ca=None,
        ca_file=config.ca or (None if config.ca_file is None else str(folder / config.ca_file)),
        actions={name: _with_schema(name, action, folder) for name, action in config.actions.items()},
    )


_PARTS: dict[str, type[msgspec.Struct]] = {
    "printers": PrinterConfig,
    "actions": OwnActionConfig,
    "machine": MachineConfig,
}
_IN_AN_ACTION = "$.actions[...]"
"""What the library says of every action."""


def _wrong_field(problem: str, table: dict[str, Any]) -> tuple[str, str]:
    """What is wrong, with the action's name and the fields that its table may have, in both languages."""
    part = re.search(r" - at `\$\.([a-z]+)", problem)
    known = _PARTS.get(part[1], AgentConfig) if part else AgentConfig
    if _IN_AN_ACTION in problem:
        name = next((name for name, action in table["actions"].items() if not _fits(action)), None)
        problem = problem if name is None else problem.replace(_IN_AN_ACTION, f"$.actions.{name}", 1)
    return config_sentences.explain(problem, [field.encode_name for field in msgspec.structs.fields(known)])


def _fits(action: Any) -> bool:
    try:
        msgspec.convert(action, OwnActionConfig)
    except msgspec.ValidationError:
        return False
    return True


def _with_schema(name: str, action: OwnActionConfig, folder: Path) -> OwnActionConfig:
    """The action with the content of the file that its schema names."""
    if not isinstance(action.payload_schema, str):
        return action
    path = folder / Path(action.payload_schema).expanduser()
    try:
        schema = msgspec.json.decode(read(path), type=dict[str, Any])
    except TextError as problem:
        raise ConfigError(f"actions.{name}.payload_schema: {path}: {terminal.told(problem)}") from None
    except OSError as problem:
        raise ConfigError(*_unreadable(f"actions.{name}.payload_schema", path, problem)) from None
    except (msgspec.DecodeError, RecursionError) as problem:
        raise ConfigError(
            f"actions.{name}.payload_schema: {path} holds no JSON object: {problem}",
            f"actions.{name}.payload_schema: {path} 파일의 내용이 JSON 객체가 아닙니다: {problem}",
        ) from None
    return msgspec.structs.replace(action, payload_schema=schema)


def _secret(config: AgentConfig, folder: Path, *, private: bool) -> str:
    if bool(config.secret) == (config.secret_file is not None):
        raise ConfigError(
            "secret: give either secret_file (a file of mode 0600) or secret",
            "secret: secret_file(모드 0600인 파일)과 secret 중 하나만 지정하십시오",
        )
    if config.secret_file is None:
        if not private:
            raise ConfigError(
                "secret: others can read this file; run chmod 600 on it, or use secret_file",
                "secret: 다른 사용자가 이 파일을 읽을 수 있습니다. chmod 600을 실행하거나 secret_file을 쓰십시오",
            )
        return config.secret
    path = folder / Path(config.secret_file).expanduser()
    try:
        secret = read(path).strip()
    except TextError as problem:
        raise ConfigError(f"secret_file: {path}: {terminal.told(problem)}") from None
    except OSError as problem:
        raise ConfigError(*_unreadable("secret_file", path, problem)) from None
    if not _is_private(path):
        raise ConfigError(
            f"secret_file: others can read {path}; run chmod 600 on it",
            f"secret_file: 다른 사용자가 {path} 파일을 읽을 수 있습니다. chmod 600을 실행하십시오",
        )
    if not secret:
        raise ConfigError(
            f"secret_file: {path} is empty; floorhub client rotate-secret gives this client a new secret",
            f"secret_file: {path} 파일이 비어 있습니다. floorhub client rotate-secret으로 새 비밀 값을 받으십시오",
        )
    if len(secret.split()) > 1:
        raise ConfigError(
            f"secret_file: {path} must hold the secret and nothing else, on one line",
            f"secret_file: {path} 파일에는 비밀 값만 한 줄로 있어야 합니다",
        )
    return secret


def _check_machine_key(config: AgentConfig, *, private: bool) -> None:
    if not config.machine_key:
        return
    if not private:
        raise ConfigError(
            "machine_key: others can read this file; run chmod 600 on it",
            "machine_key: 다른 사용자가 이 파일을 읽을 수 있습니다. chmod 600을 실행하십시오",
        )
    try:
        signing.decode_key(config.machine_key)
    except ContractError:
        raise ConfigError(
            "machine_key: it must be 43 characters of base64url, as pairing wrote it; pair the machine again",
            "machine_key: floorhub-agent pair가 쓴 base64url 43자여야 합니다. 기기를 다시 페어링하십시오",
        ) from None


def _is_private(path: Path) -> bool:
    """Whether only the owner can read the file. Windows has no such bits: the folder's rights count there.

    Of a credential, systemd sees to that itself; where it does so by an access list, the group's bits are set.
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if sys.platform == "win32" or (credentials and path.is_relative_to(credentials)):
        return True
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def _check_ca(config: AgentConfig) -> None:
    if config.ca_file is not None:
        raise ConfigError("ca: give either ca or ca_file", "ca: ca와 ca_file 중 하나만 지정하십시오")
    try:
        trusting(certificates_in(config.ca or ""))
    except TextError as problem:
        raise ConfigError(f"ca: {terminal.told(problem)}") from None
    except OSError as problem:
        raise ConfigError(f"ca: it is damaged: {problem}", f"ca: 인증서가 손상되었습니다: {problem}") from None


def _check_certificates(key: str, file: Path) -> None:
    try:
        certificates(file)
    except TextError as problem:
        raise ConfigError(f"{key}: {file}: {terminal.told(problem)}") from None
    except OSError as problem:
        raise ConfigError(*_unreadable(key, file, problem.strerror)) from None


def _unreadable(key: str, file: Path, problem: object) -> tuple[str, str]:
    return f"{key}: {file} cannot be read: {problem}", f"{key}: {file} 파일을 읽을 수 없습니다: {problem}"


def _check_url(key: str, url: str, schemes: set[str]) -> None:
    shape = " or ".join(f"{name}://host:port" for name in sorted(schemes))
    shape_ko = " 또는 ".join(f"{name}://host:port" for name in sorted(schemes))
    form, form_ko = f"{key}: it must look like {shape}", f"{key}: {shape_ko} 형식이어야 합니다"
    try:
        address = read_address(url)
    except AddressError as problem:
        raise ConfigError(f"{form}, and {problem}", f"{form_ko}({problem.korean})") from None
    if address.scheme not in schemes or "?" in address.path:
        raise ConfigError(form, form_ko)
    if address.user or address.password:
        raise ConfigError(
            f"{form}, without a user and password: client_id and secret are used",
            f"{form_ko}. 사용자와 비밀번호는 쓰지 않습니다. client_id와 secret이 쓰입니다",
        )


def _check_printers(printers: list[PrinterConfig]) -> None:
    seen: set[str] = set()
    default = ""
    for number, printer in enumerate(printers):
        key, name = f"printers[{number}]", printer.name
        if not PRINTER_NAME.fullmatch(name):
            raise ConfigError(*config_sentences.bad_printer_name(key, name))
        if name in seen:
            raise ConfigError(f"{key}.name: {name!r} is used twice", f"{key}.name: {name!r} 이름이 두 번 쓰였습니다")
        seen.add(name)
        if printer.title is not None and (not printer.title.strip() or printer.title != printable(printer.title)):
            raise ConfigError(
                f"{key}.title: the title of {name!r} has invisible characters or none that show; write it on one line",
                f"{key}.title: {name!r}의 title에 보이지 않는 문자가 있거나 보이는 문자가 없습니다. 한 줄로 쓰십시오",
            )
        if printer.default and default:
            raise ConfigError(
                f"{key}.default: {default!r} is the default printer already; set default = true for one printer only",
                f"{key}.default: 기본 프린터는 이미 {default!r}입니다. default = true는 프린터 하나에만 지정하십시오",
            )
        default = name if printer.default else default
