"""Writing what a Mosquitto of one's own reads: rules and accounts as of now, from the database."""

import json
import os
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import psycopg
from psycopg.rows import DictRow, dict_row

from broker_config.render import (
    BrokerValues,
    Client,
    PasswordHash,
    Tls,
    hash_password,
    render_acl,
    render_conf,
    render_dynsec,
)
from hub.database import migrate, session
from hub.database.statements import statement
from hub.errors import SetupError
from hub.keys import cannot_write
from hub.programs.cli import output
from hub.programs.cli.machine_authority import known
from hub.programs.embedded import accounts, service_user
from hub.programs.embedded.data_folder import own_folder, write_private
from hub.programs.embedded.packages import library_folders
from hub.programs.embedded.service_user import ServiceUser
from schemas.text import TextError, decode

PLUGIN = "mosquitto_dynamic_security.so"
PASSWORDS = {
    "hub": "FLOORHUB_MQTT_PASSWORD",
    "admin": "FLOORHUB_MQTT_ADMIN_PASSWORD",
    "ops": "FLOORHUB_MQTT_OPS_PASSWORD",
}
"""The environment variable of each account's secret, by role."""
RESTART_S = 120
"""How long a broker's restart may take, with room: it is stopped and started within 30 s, or it failed."""
TURN_S = 25
"""How long a hub may hold its turn at the broker: a pause, and a broker that does not answer."""
SHORTEST = 22
"""128 bits in base64."""
FEWEST_DIFFERENT = 9
PLACEHOLDERS = (
    "changeme",
    "change-me",
    "change_me",
    "password",
    "passwort",
    "floorhub",
    "mosquitto",
    "example",
    "replace",
)


def write(
    values: BrokerValues,
    database_url: str,
    passwords: dict[str, str],
    owner: ServiceUser | None,
    machine_authority: str | None = None,
) -> tuple[list[Path], int]:
    """Write all files beside `values.acl_file`; them, and how many clients they name. `machine_authority`: its PEM, if
    the broker asks machines for certificates. Raises SetupError.

    The outbox stays as it is: a broker that runs has not read these files, and what it reads twice does no harm.
    """
    migrate.require_current(database_url)
    with session.connect(database_url, row_factory=dict_row) as connection:
        clients = known_clients(connection)
    dynsec = render_dynsec({role: hash_password(password) for role, password in passwords.items()}, clients)
    folder = values.acl_file.parent
    try:
        contents = {
            folder / "mosquitto.conf": render_conf(values),
            values.acl_file: render_acl(),
            values.dynsec_file: json.dumps(dynsec, indent=1) + "\n",
        }
        if values.tls is not None and values.tls.machine_authority_file is not None:
            contents[values.tls.machine_authority_file] = machine_authority or ""
        folder.mkdir(parents=True, exist_ok=True)
        # The folder, too: the plugin does not write into its file, it replaces it.
        own_folder(folder, owner)
        own_folder(values.persistence_folder, owner)
        own_folder(values.include_folder, owner)
        for file, content in contents.items():
            write_private(file, content, owner)
    except (OSError, ValueError) as problem:
        raise SetupError(
            f"{folder} cannot be filled: {problem}. Run this as root, or name a folder of yours.",
            ko=f"{folder}에 쓸 수 없습니다: {problem}. root로 실행하거나 자신의 폴더를 지정하십시오.",
        ) from None
    return list(contents), len(clients)


def known_clients(connection: psycopg.Connection[DictRow]) -> list[Client]:
    """Every client that the broker shall know."""
    return _clients(connection, "broker_clients")


def _clients(connection: psycopg.Connection[DictRow], name: str) -> list[Client]:
    clients = []
    for row in connection.execute(statement("core/clients/clients", name)).fetchall():
        secret = PasswordHash(row["mqtt_password"], row["mqtt_salt"], row["mqtt_iterations"])
        clients.append(Client(row["id"], secret, row["disabled"]))
    return clients


@contextmanager
def held_clients(database_url: str) -> Iterator[list[Client]]:
    """Every client that a broker shall know that is started in the block. No hub tells it anything meanwhile, and left
    without an error, it counts as told about everything up to here. Raises psycopg.Error."""
    with session.connect(database_url, row_factory=dict_row) as connection, connection.transaction():
        connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{RESTART_S}s'")
        connection.execute(f"SET LOCAL lock_timeout = '{TURN_S}s'")
        connection.execute(statement("core/clients/clients", "hold_outbox"))
        yield _clients(connection, "broker_clients_and_done")


def passwords(data_dir: Path | None) -> tuple[dict[str, str], Path | None]:
    """The accounts' secrets by role; and the file they are kept in, unless the environment gave them."""
    given = {role: os.environ[name] for role, name in PASSWORDS.items() if name in os.environ}
    if not given.get("ops"):
        given.pop("ops", None)  # no such account is wanted
    for role, password in given.items():
        _require_strong(PASSWORDS[role], password)
    if "hub" in given:
        return given, None
    if data_dir is None:
        raise SetupError(
            "Set FLOORHUB_MQTT_PASSWORD and FLOORHUB_MQTT_ADMIN_PASSWORD, or FLOORHUB_DATA_DIR.",
            ko="FLOORHUB_MQTT_PASSWORD와 FLOORHUB_MQTT_ADMIN_PASSWORD, 또는 FLOORHUB_DATA_DIR을 설정하십시오.",
        )
    file = data_dir / "keys" / "broker-accounts.json"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Where nothing is pinned, the doctor uses the hub's accounts.
        kept = accounts.load_or_create(file, doctor=False).passwords()
        kept.pop("doctor", None)
    except OSError as problem:
        raise cannot_write(file.parent, problem) from None
    for role, password in kept.items():
        _require_strong(f"{role} in {file}", password)
    return kept, file


def _require_strong(where: str, password: str) -> None:
    """Raise SetupError for a password that somebody may guess. The broker's hashes are quick to try: made for secrets
    of 128 random bits, which no word has."""
    plain = password.lower()
    if len(password) < SHORTEST or len(set(password)) < FEWEST_DIFFERENT or any(word in plain for word in PLACEHOLDERS):
        raise SetupError(
            f"{where} is too easy to guess ({'empty' if not password.strip() else 'short, or made of words'}). Use a "
            "random one: python3 -c 'import secrets; print(secrets.token_hex(32))'",
            ko=f"{where}이(가) 추측하기 쉽습니다({'비어 있음' if not password.strip() else '짧거나 낱말임'}). 무작위 "
            "값을 "
            "쓰십시오: python3 -c 'import secrets; print(secrets.token_hex(32))'",
        )


def tell_exposed(bind: str, *ports: int) -> None:
    """Say that listeners without TLS are open to the network, if they are."""
    try:
        inside = ip_address(bind).is_loopback
    except ValueError:
        inside = bind == "localhost"
    if inside:
        return
    numbers = ", ".join(map(str, ports))
    if output.korean():
        output.tell(
            f"MQTT가 TLS 없이 {bind}(포트 {numbers})에서 열립니다. 네트워크에서 클라이언트의 암호와 메시지를 읽을 수 "
            "있습니다. --tls-certificate와 --tls-key를 쓰고 이 포트는 127.0.0.1에 두십시오."
        )
    else:
        output.tell(
            f"MQTT listens on {bind} without TLS (ports {numbers}): on the network, secrets of clients and messages "
            "can be "
            "read. Use --tls-certificate and --tls-key, and keep these ports on 127.0.0.1."
        )


def user(name: str | None) -> ServiceUser | None:
    """The user that runs the broker; None: ourselves."""
    if name is None:
        return None
    found = service_user.user_by_name(name)
    if found is None:
        raise SetupError(
            f"There is no user {name}: install the broker first, or name its user.",
            ko=f"사용자 {name}이(가) 없습니다. 먼저 브로커를 설치하거나 브로커의 사용자를 지정하십시오.",
        )
    return found


def tls(
    certificate: Path | None, key: Path | None, port: int, websocket_port: int, machine_authority: Path | None = None
) -> Tls | None:
    """Listeners with TLS, if a certificate is named. `machine_authority`: who connects must show a certificate of
    it."""
    if (certificate is None) != (key is None):
        raise SetupError(
            "TLS needs both --tls-certificate and --tls-key.",
            ko="TLS에는 --tls-certificate와 --tls-key가 모두 필요합니다.",
        )
    if certificate is None or key is None:
        if machine_authority is not None:
            raise SetupError(
                "--machine-certificates needs --tls-certificate and --tls-key.",
                ko="--machine-certificates에는 --tls-certificate와 --tls-key가 필요합니다.",
            )
        return None
    for option, file in (("--tls-certificate", certificate), ("--tls-key", key)):
        _check_pem(option, file)
    authority = None if machine_authority is None else machine_authority.absolute()
    return Tls(
        certificate.absolute(), key.absolute(), port, websocket_port, accounts=True, machine_authority_file=authority
    )


def _check_pem(option: str, file: Path) -> None:
    """Refuse what the broker could not load. A file that only the broker's user may read is left to it."""
    try:
        raw = file.read_bytes()
        decode(raw)
    except TextError as problem:
        raise SetupError(f"{option}: {file}: {problem.english}.", ko=f"{option}: {file}: {problem.korean}.") from None
    except OSError:
        return
    if raw.startswith(BOM_UTF8):
        raise SetupError(
            f"{option}: {file} begins with a byte order mark (BOM), which the broker cannot read: save it as UTF-8 "
            "without one.",
            ko=f"{option}: {file} 파일이 BOM으로 시작하여 브로커가 읽을 수 없습니다. BOM 없는 UTF-8로 저장하십시오.",
        )


def machine_authority(data_dir: Path | None) -> str:
    """The authority of the hub's machines, PEM. Raises SetupError."""
    if data_dir is None:
        raise SetupError(
            "--machine-certificates needs the hub's keys: name its data folder with --data-dir or FLOORHUB_DATA_DIR.",
            ko="--machine-certificates에는 허브의 키가 필요합니다. --data-dir 또는 FLOORHUB_DATA_DIR로 데이터 폴더를 "
            "지정하십시오.",
        )
    return known(data_dir)


def installed_plugin() -> Path:
    """Where this system has the plugin."""
    found = next((folder / PLUGIN for folder in library_folders(Path("/")) if (folder / PLUGIN).is_file()), None)
    if found is None:
        raise SetupError(
            f"{PLUGIN} is not installed here: name where the broker has it with --plugin.",
            ko=f"{PLUGIN}이(가) 설치되어 있지 않습니다. 브로커의 플러그인 위치를 --plugin으로 지정하십시오.",
        )
    return found
