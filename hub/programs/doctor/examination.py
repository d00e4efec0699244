"""All checks of a hub, in an order in which people read them."""

import asyncio
import contextlib
from collections.abc import Awaitable

import httpx

from hub import private_files
from hub.programs.doctor import broker, database
from hub.programs.doctor.keys import KeyFiles
from hub.programs.doctor.machine import check_disks, check_settings, check_version, check_zone
from hub.programs.doctor.sentences import fail, ok, warn
from hub.programs.installation import Installation
from schemas.findings import Finding

HUB_S = 8.0


def examine(installation: Installation) -> list[Finding]:
    """Look at everything once; takes at most about half a minute. Never raises for what it looks for."""
    with private_files.belonging_to_owner_of(installation.folder):  # keys must be those of the user that runs the hub
        files = KeyFiles(installation.folder)
    return asyncio.run(_examine(installation, files))


async def _examine(installation: Installation, files: KeyFiles) -> list[Finding]:
    (running, hub), asked = await asyncio.gather(
        check_hub(installation.url), database.ask(installation, files.admin_hash)
    )
    root_key = (asked.keys or {}).get("root") or files.public.get("root")
    at_broker, certificates = await asyncio.gather(
        _sure("broker", broker.check_broker(installation, root_key, asked.clients)),
        _sure("certificate", broker.check_certificates(installation)),
    )
    return [
        check_version(running),
        *check_settings(installation),
        *hub,
        *asked.findings,
        *at_broker,
        *certificates,
        *files.check(asked.keys, admin_valid=asked.admin_valid),
        *check_disks(installation),
        check_zone(),
    ]


async def check_hub(url: str) -> tuple[str | None, list[Finding]]:
    """What answers there: its version, and whether it is ready. Without an answer nothing is wrong: a hub that is
    stopped can be examined, too."""
    try:
        async with httpx.AsyncClient(base_url=url, timeout=HUB_S, trust_env=False) as client:
            health = await client.get("/health")
            ready = await client.get("/health/ready")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
        return None, [warn("hub", "hub_stopped", url=url, problem=str(problem) or type(problem).__name__)]
    running = None
    with contextlib.suppress(ValueError, KeyError, TypeError):
        running = str(health.json()["version"])
        checks = {str(name): str(state) for name, state in ready.json()["checks"].items()}
    if running is None or health.status_code != httpx.codes.OK:
        return None, [fail("hub", "hub_other", url=url, problem=f"HTTP {health.status_code}")]
    wrong = ", ".join(f"{name}: {state}" for name, state in checks.items() if state != "ok")
    if not wrong:
        return running, [ok("hub", "hub_ok", url=url)]
    judged = warn if ready.status_code == httpx.codes.OK else fail
    return running, [judged("hub", "hub_not_ready", url=url, checks=wrong)]


async def _sure(check: str, findings: Awaitable[list[Finding]]) -> list[Finding]:
    """The findings, or that they could not be had: one check must not take the others with it."""
    try:
        return await findings
    except Exception as problem:  # noqa: BLE001 - told, with its name
        return [fail(check, "check_failed", problem=f"{type(problem).__name__}: {problem}")]
