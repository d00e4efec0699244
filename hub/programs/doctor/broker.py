"""The broker: reachable, with the hub's accounts, the rules and clients that Floorhub renders, and its list of keys.

Connects under client ids of its own and joins no shared subscription, so it takes neither a connection nor a message
from a hub that runs.
"""

import asyncio
import contextlib
import secrets
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from broker_config.render import account_names, client_group, render_acl, render_dynsec
from hub.config import Settings
from hub.errors import SetupError
from hub.mqtt.link import Address, RefusedError
from hub.mqtt.thin import ThinLink
from hub.programs.doctor.sentences import fail, ok, warn
from hub.programs.embedded.errors import reason
from hub.programs.installation import Installation, is_running
from schemas import signing
from schemas.addresses import Address as PublicAddress
from schemas.addresses import AddressError, read_address
from schemas.codec import ContractError, decode_keys
from schemas.findings import Finding
from schemas.network_words import about_clocks, in_words
from schemas.tls import certificate_at, date_at, is_about_time, trusting
from schemas.topics import BROKER_CONTROL, BROKER_CONTROL_RESPONSE, HUB_KEYS

DEADLINE_S = 10.0
KEYS_S = 3.0
"""A retained message follows the subscription at once."""
PAGE = 200
MOST_NAMES = 5
FEWEST_DAYS = 30


class _Mailbox:
    """link.Handler: keeps the list of keys, and hands over the plugin's answers."""

    def __init__(self) -> None:
        self.keys: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message came in."""
        if topic == HUB_KEYS and not self.keys.done():
            self.keys.set_result(payload)
        elif topic == BROKER_CONTROL_RESPONSE and not retained:
            self.answers.put_nowait(payload)

    def on_ack(self, token: object, *, accepted: bool) -> None:
        """Nothing depends on it."""


async def check_broker(
    installation: Installation, root_key: str | None, clients: Mapping[str, bool] | None
) -> list[Finding]:
    """`root_key`: the hub's public one, base64url; `clients`: those of the database and whether each is enabled. None:
    not known."""
    if installation.embedded and not is_running(installation.folder):
        return [warn("broker", "broker_stopped")]
    settings = installation.settings
    try:
        address = _login(installation, settings.mqtt_username, settings.mqtt_password.get_secret_value())
    except SetupError as problem:
        return [fail("broker", "broker_setting", problem=problem.sentence, problem_ko=problem.korean)]
    where = f"{address.host}:{address.port}"
    try:
        found = await _as_hub(address, root_key)
        found += [*await _as_nobody(address), *await _as_administrator(installation, clients)]
    except ssl.SSLError as problem:
        return [fail("broker", "broker_certificate", address=where, problem=said(problem))]
    except RefusedError as problem:
        return [fail("broker", "account_refused", username=address.username, problem=problem)]
    except OSError as problem:
        english, korean = in_words(said(problem))
        return [fail("broker", "broker_unreachable", address=where, problem=english, problem_ko=korean)]
    return [*found, *check_files(installation)]


async def _as_hub(address: Address, root_key: str | None) -> list[Finding]:
    """As the hub's account: it may read what hubs read and not everything, and the list of keys is of our root."""
    mailbox = _Mailbox()
    link = ThinLink(address, mailbox)
    try:
        await link.open()
        refused = await link.subscribe([(HUB_KEYS, 1), ("#", 0)])
        if HUB_KEYS in refused:
            return [fail("broker", "rules_differ", what=HUB_KEYS)]
        if "#" not in refused:
            return [_open("an account read every topic", "한 계정으로 모든 토픽을 읽게 합니다")]
        keys = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEYS_S):
                keys = await mailbox.keys
    finally:
        link.close()
    where = f"{address.host}:{address.port}"
    return [ok("broker", "broker_ok", address=where), judge_list(keys, root_key, time.time())]


async def _as_nobody(address: Address) -> list[Finding]:
    """A made-up account must be refused."""
    nobody = secrets.token_hex(8)
    stranger = Address(address.host, address.port, address.tls, nobody, nobody, nobody, address.ca_file)
    link = ThinLink(stranger, _Mailbox())
    try:
        await link.open()
    except RefusedError:
        return []
    finally:
        link.close()
    return [_open("anybody connect", "아무나 연결하게 합니다")]


def judge_list(payload: bytes | None, root_key: str | None, now: float) -> Finding:
    """Whether agents that pin this root obey a hub with this list of keys, and for how long."""
    if not payload:
        return warn("key list", "published_missing")
    if root_key is None:
        return warn("key list", "published_wrong", problem="the root key of this hub is not known here")
    try:
        keys = decode_keys(signing.open_signed(payload, signing.decode_key(root_key), signing.KEYS))
    except ContractError as problem:
        return fail("key list", "published_wrong", problem=problem)
    days = int((keys.expires.timestamp() - now) // 86_400)
    if days < 0:
        return fail("key list", "published_wrong", problem=f"it ended on {keys.expires.date()}")
    if days < FEWEST_DAYS:
        return warn("key list", "published_ends", days=days)
    return ok("key list", "published_ok", expires=keys.expires.date(), days=days)


async def _as_administrator(installation: Installation, clients: Mapping[str, bool] | None) -> list[Finding]:
    """As the account that manages clients: roles as rendered, and every client of the database, pinned to its id."""
    settings = installation.settings
    if settings.mqtt_admin_password is None:
        return [ok("rules", "rules_not_ours")]
    address = _login(installation, settings.mqtt_admin_username, settings.mqtt_admin_password.get_secret_value())
    username = address.username
    mailbox = _Mailbox()
    link = ThinLink(address, mailbox)
    try:
        await link.open()
        if await link.subscribe([(BROKER_CONTROL_RESPONSE, 1)]):
            return [fail("rules", "rules_differ", what=f"role of {username}")]
        wrong = await _wrong_rules(link, mailbox)
        there = await _known(link, mailbox)
    except RefusedError as problem:
        return [fail("rules", "account_refused", username=username, problem=problem)]
    except (TimeoutError, ValueError, KeyError, TypeError) as problem:
        return [fail("rules", "rules_no_answer", username=username, problem=said(problem))]
    finally:
        link.close()
    wrong += wrong_clients(
        there, clients, {settings.mqtt_username, settings.mqtt_admin_username, *account_names().values()}
    )
    if wrong:
        return [fail("rules", "rules_differ", what=_some(wrong))]
    return [ok("rules", "rules_ok", clients=len(clients or {}))]


async def _wrong_rules(link: ThinLink, mailbox: _Mailbox) -> list[str]:
    """Roles that the broker has otherwise than we render them, and defaults."""
    rendered = render_dynsec({}, [])
    asked = [{"command": "getDefaultACLAccess"}]
    asked += [{"command": "getRole", "rolename": role["rolename"]} for role in rendered["roles"]]
    answers = await _ask(link, mailbox, asked)
    wrong = []
    defaults = {entry["acltype"]: entry["allow"] for entry in answers[0].get("data", {}).get("acls", [])}
    if defaults != rendered["defaultACLAccess"]:
        wrong.append("default access")
    for role, answer in zip(rendered["roles"], answers[1:], strict=True):
        there = answer.get("data", {}).get("role", {}).get("acls", [])
        if set(map(_rule, there)) != set(map(_rule, role["acls"])):
            wrong.append(f"role {role['rolename']}")
    return wrong


async def _known(link: ThinLink, mailbox: _Mailbox) -> list[dict[str, Any]]:
    """Everybody whom the broker knows, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        command = {"command": "listClients", "verbose": True, "count": PAGE, "offset": len(found)}
        page = (await _ask(link, mailbox, [command]))[0]["data"]["clients"]
        found += page
        if len(page) < PAGE:
            return found


def wrong_clients(there: list[dict[str, Any]], clients: Mapping[str, bool] | None, accounts: set[str]) -> list[str]:
    """What is wrong with the broker's clients: missing ones, foreign ones, those without their group or their pin."""
    if clients is None:
        return []
    known = {str(entry.get("username")): entry for entry in there}
    wrong = [f"client {name} is missing" for name in clients if name not in known]
    for name, entry in known.items():
        if name in accounts:
            continue
        if name not in clients:
            wrong.append(f"client {name} is not in the database")
            continue
        groups = {group.get("groupname") for group in entry.get("groups", [])}
        if entry.get("clientid") != name or groups != {client_group()}:
            wrong.append(f"client {name} is not bound to its id and group")
        elif bool(entry.get("disabled")) is clients[name]:
            wrong.append(f"client {name} is {'disabled' if clients[name] else 'enabled'}")
    return wrong


async def _ask(link: ThinLink, mailbox: _Mailbox, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The plugin's answers, in order. Raises TimeoutError, ValueError, KeyError, TypeError."""
    mark = secrets.token_hex(8)
    for number, command in enumerate(commands):
        command["correlationData"] = f"{mark}-{number}"
    payload = msgspec.json.encode({"commands": commands})
    link.publish(BROKER_CONTROL, payload, qos=1, retain=False, token=None, correlation=None, response_topic=None)
    found: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(DEADLINE_S):
        while len(found) < len(commands):
            for response in msgspec.json.decode(await mailbox.answers.get())["responses"]:
                if str(response.get("correlationData")).startswith(mark):
                    found[response["correlationData"]] = response
    return [found[f"{mark}-{number}"] for number in range(len(commands))]


def check_files(installation: Installation) -> list[Finding]:
    """Whether the rules file of `make run`'s broker is as rendered; others' brokers have it where we cannot look."""
    if not installation.embedded:
        return []
    file = installation.folder / "broker" / "acl"
    try:
        same = file.read_text(encoding="utf-8") == render_acl()
    except (OSError, UnicodeDecodeError):
        same = False
    return [] if same else [warn("rules", "rules_edited", file=file)]


async def check_certificates(installation: Installation) -> list[Finding]:
    """How long the certificates of the broker and of the hub's address are valid."""
    found = [
        await _certificate(place.host, place.port or default, installation.settings.ca_file)
        for place, default in public_places(installation.settings)
    ]
    if installation.settings.mqtt_url.lower().startswith("mqtts:"):
        with contextlib.suppress(SetupError):  # told by the broker's own check
            address = _address(installation, "", "")
            found.append(await _certificate(address.host, address.port, installation.settings.mqtt_ca_file))
    if installation.url.lower().startswith("https:"):
        with contextlib.suppress(AddressError):
            web = read_address(installation.url)
            found.append(await _certificate(web.host, web.port or 443, installation.settings.ca_file))
    return found or [ok("certificate", "certificate_none")]


def public_places(settings: Settings) -> list[tuple[PublicAddress, int]]:
    """Where other machines reach hub and broker over TLS, each with the port that it has by itself."""
    named = ((settings.public_url, 443), (settings.public_mqtt_url, 8883))
    places = [(read_address(url), port) for url, port in named if url]
    return [(place, port) for place, port in places if place.scheme in ("https", "mqtts")]


async def _certificate(host: str, port: int, ca_file: Path | None) -> Finding:
    where = f"{host}:{port}"
    try:
        context = await asyncio.to_thread(trusting, ca_file)
        async with asyncio.timeout(DEADLINE_S):
            certificate = await certificate_at(host, port, context)
    except ssl.SSLCertVerificationError as problem:
        if is_about_time(problem):
            there = await asyncio.to_thread(date_at, host, port)
            problem_en, problem_ko = about_clocks(datetime.now(UTC), there)
            return fail("certificate", "certificate_not_now", address=where, problem=problem_en, problem_ko=problem_ko)
        return fail("certificate", "certificate_wrong", address=where, problem=problem.verify_message)
    except (OSError, ssl.SSLError) as problem:
        return warn("certificate", "certificate_unknown", address=where, problem=said(problem))
    return judge_certificate(where, ssl.cert_time_to_seconds(certificate["notAfter"]), time.time())


def judge_certificate(where: str, ends: float, now: float) -> Finding:
    """A certificate that ends at that time (seconds since 1970)."""
    days = int((ends - now) // 86_400)
    until = time.strftime("%Y-%m-%d", time.gmtime(ends))
    code = "certificate_ends" if days < FEWEST_DAYS else "certificate_ok"
    judged = fail if days < 0 else warn if days < FEWEST_DAYS else ok
    return judged("certificate", code, address=where, days=days, until=until)


def _address(installation: Installation, username: str, password: str) -> Address:
    """Where the broker is, with a client id of our own that takes nobody's connection. Raises SetupError."""
    settings = installation.settings
    client_id = f"{username or '_'}-doctor-{secrets.token_hex(4)}"
    return Address.of(settings.mqtt_url, username, password, client_id, settings.mqtt_ca_file)


def _login(installation: Installation, username: str, password: str) -> Address:
    """The same for an account of the hub; where that has one connection, which is the hub's, for the doctor's own."""
    doctor, settings = installation.doctor, installation.settings
    if doctor is None:
        return _address(installation, username, password)
    return Address.of(settings.mqtt_url, doctor.username, doctor.password, doctor.client_id, settings.mqtt_ca_file)


def said(problem: BaseException) -> str:
    """What the system said, in a few words."""
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return problem.verify_message
    if isinstance(problem, OSError):
        return reason(problem)
    return str(problem) or type(problem).__name__


def _open(what: str, what_ko: str) -> Finding:
    return fail("broker", "broker_open", what=what, what_ko=what_ko)


def _rule(entry: Mapping[str, Any]) -> tuple[str, str, int, bool]:
    return str(entry["acltype"]), str(entry["topic"]), int(entry.get("priority", 0)), bool(entry["allow"])


def _some(names: list[str]) -> str:
    more = "" if len(names) <= MOST_NAMES else f", and {len(names) - MOST_NAMES} more"
    return ", ".join(names[:MOST_NAMES]) + more
