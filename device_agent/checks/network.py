"""What lies beyond the network: hub, clock, broker, account, and keys."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from device_agent import distrust, refusal
from device_agent.checks.findings import fail, ok, warn
from device_agent.config import AgentConfig
from device_agent.core.trust import Trust
from device_agent.http_library import load_httpx
from device_agent.own_certificate import endpoint_of
from device_agent.session import (
    Endpoint,
    RefusedError,
    certificate_refusal,
    is_about_certificate,
    look_in,
    takes_own_place,
)
from schemas.addresses import read_address
from schemas.codec import ContractError
from schemas.findings import Finding, Level, spell_duration
from schemas.network_words import about_clocks, about_names, in_words, is_about_name
from schemas.terminal import either
from schemas.tls import certificate_at, date_at, is_about_time, trusting

HUB_S = 10.0
CONNECT_S = 5.0
KEYS_S = 3.0
"""A retained message follows the subscription at once."""
MAX_SKEW_S = 300.0
"""From here on the agent itself reports `clock_skew`."""
FOREIGN_ID = "_doctor"
"""A client id that no client has, since none begins so, and that therefore takes nobody's connection."""


async def check_hub(config: AgentConfig) -> list[Finding]:
    """Whether the hubs answer, and what time it is at the first that does. One that answers is enough for work."""
    asked = await asyncio.gather(*(_ask_hub(url, config.ca_file) for url in config.hub_urls))
    clocks = [clock for _, clock in asked if clock is not None]
    findings = [finding for finding, _ in asked]
    if clocks:
        findings = [
            warn("hub", finding.code, **finding.values) if finding.level is Level.FAIL else finding
            for finding in findings
        ]
    return [*findings, *clocks[:1]]


async def _ask_hub(url: str, ca_file: str | None) -> tuple[Finding, Finding | None]:
    """What one hub is like, and the clock's finding where it answers."""
    httpx = load_httpx()
    address = read_address(url)
    try:
        secure = address.scheme == "https"
        verify = await asyncio.to_thread(trusting, ca_file) if secure else False
        asked_at = time.time()
        async with (
            asyncio.timeout(HUB_S),
            httpx.AsyncClient(verify=verify, trust_env=False, timeout=HUB_S) as client,
        ):
            answer = await client.get(f"{address.url.rstrip('/')}/health", headers={"Host": address.named})
        answered_at = time.time()
    except (httpx.HTTPError, OSError) as problem:
        if is_about_time(problem):
            there = await asyncio.to_thread(date_at, address.host, address.port or 443)
            return fail("hub", "hub_not_now", url=url, advice=either(*about_clocks(datetime.now(UTC), there))), None
        if is_about_name(problem):
            return fail("hub", "hub_name", url=url, advice=either(*about_names(address.host))), None
        code = "hub_certificate" if is_about_certificate(problem) else "hub_unreachable"
        return fail("hub", code, url=url, problem=either(*in_words(_reason(problem)))), None
    try:
        known = answer.status_code == 200 and "status" in answer.json()
    except (ValueError, TypeError):
        known = False
    if not known:
        return fail("hub", "hub_other", url=url, problem=f"HTTP {answer.status_code}"), None
    return ok("hub", "hub_ok", url=url), judge_clock(answer.headers.get("date"), asked_at, answered_at)


def judge_clock(date: str | None, asked_at: float, answered_at: float) -> Finding:
    """Compare this machine's time around a request with the answer's Date, which has whole seconds."""
    try:
        hub = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return warn("clock", "clock_unknown")
    ahead, behind = asked_at - hub - 1, hub - answered_at
    if max(ahead, behind) <= MAX_SKEW_S:
        return ok("clock", "clock_ok", **spell_duration(max(1, answered_at - hub, hub - asked_at)))
    fast = ahead > behind
    return fail(
        "clock",
        "clock_wrong",
        **spell_duration(max(ahead, behind)),
        direction="ahead of" if fast else "behind",
        direction_ko="빠릅니다" if fast else "늦습니다",
    )


async def check_broker(config: AgentConfig, *, agent_runs: bool, known_list: bytes | None) -> list[Finding]:
    """Whether the broker can be reached, takes this client under its own id only, and has keys of the pinned root.

    `agent_runs`: with the same identity, so connecting would take its connection; then only the first is looked at.
    `known_list`: the key list of the agent's journal, below which it takes none.
    """
    try:
        endpoint = await asyncio.to_thread(endpoint_of, config)
        address = f"{endpoint.host}:{endpoint.port}"
        async with asyncio.timeout(CONNECT_S):
            await certificate_at(endpoint.host, endpoint.port, endpoint.tls)
        refused = await asyncio.to_thread(certificate_refusal, endpoint)
        if refused is not None:
            return [fail("broker", "broker_refuses_certificate", address=address, advice=either(*refused))]
    except (OSError, ValueError) as problem:
        if is_about_time(problem):
            advice = either(*about_clocks(datetime.now(UTC), None))
            return [fail("broker", "broker_not_now", address=config.mqtt_url, advice=advice)]
        if is_about_name(problem):
            advice = either(*about_names(read_address(config.mqtt_url).host))
            return [fail("broker", "broker_name", address=config.mqtt_url, advice=advice)]
        code = "broker_certificate" if is_about_certificate(problem) else "broker_unreachable"
        return [fail("broker", code, address=config.mqtt_url, problem=_reason(problem))]
    reached = ok("broker", "broker_ok", address=address)
    if agent_runs:
        data = Path(config.data)
        reason = await asyncio.to_thread(refusal.noted, data)
        if reason is not None:
            return [reached, fail("account", "account_refused", client_id=config.client_id, reason=reason)]
        distrusts = await asyncio.to_thread(distrust.noted, data)
        distrusted = [] if distrusts is None else [fail("keys", "keys_refused", reason=distrusts)]
        return [reached, warn("account", "account_in_use"), *distrusted]
    try:
        keys = await look_in(endpoint, endpoint.client_id, KEYS_S)
        pinned = await _is_pinned(endpoint)
    except RefusedError as problem:
        return [reached, fail("account", "account_refused", client_id=config.client_id, reason=problem)]
    except OSError as problem:
        return [reached, fail("account", "account_unclear", address=address, problem=_reason(problem))]
    account = ok("account", "account_ok")
    if not pinned:
        account = fail("account", "client_id_not_pinned", client_id=config.client_id)
    return [reached, account, _judge_keys(keys, config.root_key_bytes, known_list)]


async def _is_pinned(endpoint: Endpoint) -> bool:
    """Whether this client's secret is of no use under another client id, as it must be: the broker refuses it, or takes
    the client for itself all the same."""
    try:
        await look_in(endpoint, FOREIGN_ID, 0.0)
    except RefusedError:
        return True
    return await takes_own_place(endpoint, FOREIGN_ID)


def _judge_keys(payload: bytes | None, root_key: bytes, known_list: bytes | None) -> Finding:
    if not payload:
        return fail("keys", "keys_missing")
    trust, agent, now = Trust(root_key), Trust(root_key), time.time()
    if known_list is not None:
        with contextlib.suppress(ContractError):  # of another root, or expired: the agent forgets it, too
            agent.learn(known_list, now)
    try:
        trust.learn(payload, now)
        if not trust.kids <= agent.kids:  # an older list does no harm where it names the same keys
            agent.learn(payload, now)
    except ContractError as problem:
        if problem.code == "bad_signature":
            return fail("keys", "root_key_wrong")
        return fail("keys", "keys_unusable", problem=problem)
    return ok("keys", "keys_ok", version=trust.version, expires=trust.expires and trust.expires.date())


def _reason(problem: Exception) -> str:
    if isinstance(problem, TimeoutError):
        return "no answer"
    return str(problem) or type(problem).__name__
