"""All checks of a hub, in an order in which people read them."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import httpx

from hub import private_files
from hub.app import Hub
from hub.errors import SetupError
from hub.programs import bounded_http
from hub.programs.doctor import broker, database
from hub.programs.doctor.files import DataFiles
from hub.programs.doctor.keys import KeyFiles
from hub.programs.doctor.machine import check_disks, check_settings, check_version, check_zone
from hub.programs.doctor.machine_certificates import check_machine_certificates
from hub.programs.doctor.network import check_network
from hub.programs.doctor.sentences import fail, ok, warn
from hub.programs.installation import Installation
from schemas.addresses import AddressError, read_address
from schemas.findings import Finding
from schemas.network_words import in_words

HUB_S = 8.0


def examine(installation: Installation) -> list[Finding]:
    """Look at everything once; takes at most about half a minute. Never raises for what it looks for."""
    with private_files.belonging_to_owner_of(installation.folder):  # keys must be those of the user that runs the hub
        keys = KeyFiles(installation.folder)
        files = DataFiles(installation)
    return asyncio.run(_examine(installation, keys, files))


async def _examine(installation: Installation, keys: KeyFiles, files: DataFiles) -> list[Finding]:
    (running, hub), asked = await asyncio.gather(
        check_hub(installation.url), database.ask(installation, keys.admin_hash)
    )
    root_key = (asked.keys or {}).get("root") or keys.public.get("root")
    at_broker, certificates, network = await asyncio.gather(
        _sure("broker", broker.check_broker(installation, root_key, asked.clients)),
        _sure("certificate", broker.check_certificates(installation)),
        _sure("network", _all_of_network(installation, asked, hub_answers=running is not None)),
    )
    return [
        check_version(running),
        *check_settings(installation),
        *check_parts(installation),
        *hub,
        *asked.findings,
        *at_broker,
        *network,
        *certificates,
        *keys.check(asked.keys, asked.sealed_by, admin_valid=asked.admin_valid),
        *files.check(asked.clients),
        *check_disks(installation),
        check_zone(),
    ]


async def _all_of_network(installation: Installation, asked: database.Asked, *, hub_answers: bool) -> list[Finding]:
    found = await check_network(installation, hub_answers=hub_answers)
    return [*found, *await check_machine_certificates(installation.settings, asked.without_key)]


async def check_hub(url: str) -> tuple[str | None, list[Finding]]:
    """What answers there: its version, and whether it is ready. Without an answer nothing is wrong: a hub that is
    stopped can be examined, too."""
    try:
        address = read_address(url)
    except AddressError as problem:
        return None, [fail("hub", "hub_url", problem=problem, problem_ko=problem.korean)]
    if address.scheme not in ("http", "https"):
        return None, [
            fail(
                "hub",
                "hub_url",
                problem=f"it begins with {address.scheme}://",
                problem_ko=f"{address.scheme}://로 시작함",
            )
        ]
    shown = f"{address.scheme}://{address.authority()}"  # without a user and password
    try:
        async with asyncio.timeout(HUB_S):
            health, said = await bounded_http.get(f"{url}/health", within_s=HUB_S)
            ready, states = await bounded_http.get(f"{url}/health/ready", within_s=HUB_S)
    except TimeoutError:
        return None, [
            warn(
                "hub",
                "hub_stopped",
                url=shown,
                problem=f"no complete answer within {HUB_S:g} s",
                problem_ko=f"{HUB_S:g}초 안에 응답이 끝나지 않음",
            )
        ]
    except (httpx.InvalidURL, UnicodeError) as problem:
        return None, [fail("hub", "hub_url", problem=problem, problem_ko=problem)]
    except (httpx.HTTPError, OSError) as problem:
        english, korean = in_words(problem)
        return None, [warn("hub", "hub_stopped", url=shown, problem=english, problem_ko=korean)]
    except bounded_http.TooLargeError as problem:
        return None, [fail("hub", "hub_other", url=shown, problem=problem)]
    running, checks = _version(said), _checks(states)
    if running is None or health != httpx.codes.OK or checks is None:
        return None, [fail("hub", "hub_other", url=shown, problem=f"HTTP {health}")]
    wrong = ", ".join(f"{name}: {state}" for name, state in checks.items() if state != "ok")
    if not wrong:
        return running, [ok("hub", "hub_ok", url=shown)]
    judged = warn if ready == httpx.codes.OK else fail
    return running, [judged("hub", "hub_not_ready", url=shown, checks=wrong)]


def _version(body: bytes) -> str | None:
    found = _object(body).get("version")
    return found if isinstance(found, str) else None


def _checks(body: bytes) -> dict[str, str] | None:
    found = _object(body).get("checks")
    return {str(name): str(state) for name, state in found.items()} if isinstance(found, dict) else None


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def check_parts(installation: Installation) -> list[Finding]:
    """Whether the parts of a hub accept the settings: some look at their own only when they are built."""
    try:
        Hub(installation.settings)
    except SetupError as problem:
        return [fail("config", "config_wrong", problem=problem.sentence, problem_ko=problem.korean)]
    return []


async def _sure(check: str, findings: Awaitable[list[Finding]]) -> list[Finding]:
    """The findings, or that they could not be had: one check must not take the others with it."""
    try:
        return await findings
    except Exception as problem:  # noqa: BLE001 - told, with its name
        return [fail(check, "check_failed", problem=f"{type(problem).__name__}: {problem}")]
