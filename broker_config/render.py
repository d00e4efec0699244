"""Fills in the files of this folder: `mosquitto.conf`, one ACL file, and the dynamic-security plugin's JSON.

Rules live in the files beside this module, never here. Placeholders are written `@{name}`, because `$` is a letter of
MQTT's own topics (`$share`, `$CONTROL`).
"""

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from string import Template
from typing import Any

from schemas.topics import ROOT, is_client_id

OWN_FOLDER = "conf.d"
"""Beside the rendered `mosquitto.conf`: what the site adds."""

_FOLDER = Path(__file__).parent
#: What Mosquitto 2.0 uses itself. Weak for words people think of, ample for the random 256-bit secrets we hand out.
_ITERATIONS = 101
_SALT_BYTES = 12
#: Allowed topics win over denied ones, which are wider.
_PRIORITY = {"allow": 5, "deny": 0}


class _At(Template):
    delimiter = "@"


@dataclass(frozen=True, slots=True)
class Tls:
    """Listeners for other machines; the files are PEM and readable by the user that runs the broker."""

    certificate_file: Path
    key_file: Path
    port: int = 8883
    websocket_port: int | None = 8884
    """None: no WebSocket from the broker itself."""
    bind: str = "0.0.0.0"  # noqa: S104 - a listener for the network is the purpose
    accounts: bool = True
    """Whether our own accounts may connect from there. Without, they must be pinned (`render_dynsec`)."""
    machine_authority_file: Path | None = None
    """Who connects must show a certificate of this authority. Then there is no WebSocket: browsers have none."""

    @property
    def ports(self) -> list[int]:
        """Where the broker listens with TLS."""
        websocket = None if self.machine_authority_file is not None else self.websocket_port
        return [port for port in (self.port, websocket) if port is not None]


@dataclass(frozen=True, slots=True)
class BrokerValues:
    """What differs from machine to machine in `mosquitto.conf`."""

    plugin: Path
    dynsec_file: Path
    acl_file: Path
    persistence_folder: Path
    include_folder: Path
    """What the site adds: files `*.conf`, read after ours. It must exist."""
    mqtt_port: int = 1883
    websocket_port: int = 9001
    bind: str = "127.0.0.1"
    autosave_s: int = 30
    max_connections: int = -1
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A hashed secret as the plugin stores it: base64 of PBKDF2-HMAC-SHA512 (64 bytes) and of the salt."""

    password: str
    salt: str
    iterations: int


@dataclass(frozen=True, slots=True)
class Client:
    """A client as the broker knows it; `username` is its id. A disabled one may not connect."""

    username: str
    password_hash: PasswordHash
    disabled: bool = False


def hash_password(secret: str) -> PasswordHash:
    """Hash a secret with a new salt. Only for random secrets of at least 128 bits (see `_ITERATIONS`)."""
    salt = os.urandom(_SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ITERATIONS)
    return PasswordHash(base64.b64encode(key).decode(), base64.b64encode(salt).decode(), _ITERATIONS)


def account_names() -> dict[str, str]:
    """The broker user name of each of our own accounts, by role: hub (data), admin (clients), ops (reading)."""
    names: dict[str, str] = _roles_file()["accounts"]
    return names


def render_conf(values: BrokerValues) -> str:
    """`mosquitto.conf`, filled in: what stands above its first empty line is about the template, and is replaced.

    Raises ValueError for a value with a line break in it.
    """
    fields: dict[str, object] = {
        "plugin": values.plugin,
        "dynsec_file": values.dynsec_file,
        "acl_file": values.acl_file,
        "persistence_folder": values.persistence_folder,
        "include_folder": values.include_folder,
        "mqtt_port": values.mqtt_port,
        "websocket_port": values.websocket_port,
        "bind": values.bind,
        "websocket_domain": _domain(values.bind),
        "autosave_s": values.autosave_s,
        "max_connections": values.max_connections,
    }
    text = (
        _written("mosquitto.conf", f"put yours in {OWN_FOLDER}, beside this file")
        + _read("mosquitto.conf").partition("\n\n")[2]
    )
    if values.tls is not None:
        text += _read("tls.conf")
        if values.tls.machine_authority_file is not None:
            text += _read("tls-machines.conf")
        if values.tls.websocket_port in values.tls.ports:
            text += _read("tls-websocket.conf")
        fields |= {
            # `::` means every address, of IPv4, too; Mosquitto does so without one.
            "tls_bind": "" if values.tls.bind == "::" else values.tls.bind,
            # The client id becomes the user name, which is no pin of ours: see `pinned` in render_dynsec.
            "name_is_client_id": str(not values.tls.accounts).lower(),
            "tls_port": values.tls.port,
            "tls_websocket_port": values.tls.websocket_port,
            "tls_websocket_domain": _domain(values.tls.bind),
            "certificate_file": values.tls.certificate_file,
            "key_file": values.tls.key_file,
            "machine_authority_file": values.tls.machine_authority_file,
        }
    text += _read("own.conf")  # last: a setting after a listener may be that listener's
    return _fill(text, fields)


def render_acl() -> str:
    """All files of `acl/` as the one file that Mosquitto reads. `client.acl` comes first: it names no user."""
    files = sorted((_FOLDER / "acl").glob("*.acl"), key=lambda file: (file.name != "client.acl", file.name))
    rules = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return _written("acl/", "change the source, and render again") + _fill(rules, {"root": ROOT})


def render_dynsec(
    accounts: Mapping[str, PasswordHash], clients: Iterable[Client], pinned: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The plugin's configuration for our `accounts` (by role, see `account_names`) and all `clients`.

    `pinned` has the one client id of an account, by role. On a listener where the user name is the client id
    (`Tls.accounts`), the broker then refuses the account: no other listener of ours does that.

    Raises ValueError for a client whose name can be no client id, KeyError for an unknown role.
    """
    source = _roles_file()
    group = source["client_group"]
    listed = list(clients)
    return {
        "defaultACLAccess": source["default_access"],
        "clients": [
            *(
                {"username": source["accounts"][role], "roles": [{"rolename": role}]}
                | _secret(hashed)
                | ({"clientid": pinned[role]} if pinned and role in pinned else {})
                for role, hashed in accounts.items()
            ),
            *map(_client, listed),
        ],
        # Only the group's own list counts: a client that merely names its group would go without the denials.
        "groups": [
            {
                "groupname": group["name"],
                "roles": [{"rolename": group["role"]}],
                "clients": [{"username": client.username} for client in listed],
            }
        ],
        "roles": [{"rolename": name, "acls": _acls(rules)} for name, rules in source["roles"].items()],
    }


def client_group() -> str:
    """The group that a client created at run time must be put into."""
    name: str = _roles_file()["client_group"]["name"]
    return name


def _client(client: Client) -> dict[str, Any]:
    if not is_client_id(client.username):
        raise ValueError(f"{client.username!r} is not a client id")
    entry = {"username": client.username, "clientid": client.username, "roles": []} | _secret(client.password_hash)
    return entry | {"disabled": True} if client.disabled else entry


def _secret(hashed: PasswordHash) -> dict[str, Any]:
    return {"password": hashed.password, "salt": hashed.salt, "iterations": hashed.iterations}


def _acls(rules: Mapping[str, Mapping[str, list[str]]]) -> list[dict[str, Any]]:
    return [
        {"acltype": kind, "topic": topic, "priority": _PRIORITY[verdict], "allow": verdict == "allow"}
        for verdict, kinds in rules.items()
        for kind, topics in kinds.items()
        for topic in topics
    ]


def _roles_file() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_fill(_read("roles.json"), {"root": ROOT}))
    return found


def _domain(bind: str) -> str:
    """The line that keeps WebSocket at an IPv4 address; the others need none. Mosquitto's library for it takes such an
    address for none at all in its own domain, IPv6, and then listens at every one."""
    try:
        return "socket_domain ipv4" if ip_address(bind).version == 4 else ""
    except ValueError:
        return ""


def _written(source: str, advice: str) -> str:
    """The first lines of a file for Mosquitto."""
    return (
        f"# Written by floorhub from broker_config/{source}: by `make run` at each start, by `floorhub broker render`\n"
        f"# each time. Edits are lost; {advice}.\n\n"
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _fill(text: str, fields: Mapping[str, object]) -> str:
    for name, value in fields.items():
        if any(character in str(value) for character in "\r\n\0"):
            raise ValueError(f"{name} must be one line: {value!r}")
    return _At(text).substitute(fields)
