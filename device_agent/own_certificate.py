"""The certificate that this machine shows a broker that asks for one: loaded at the start, renewed at the hub.

A renewed one lies in the data folder. It is no secret: only the machine's key, which never leaves it, makes it worth
something.
"""

import asyncio
import os
import random
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec

from device_agent import logs
from device_agent.config import AgentConfig
from device_agent.core.log import Log
from device_agent.http_library import load_httpx
from device_agent.hub_http import HubHttp, shown
from device_agent.session import Endpoint, parse_endpoint
from schemas.network_words import in_words
from schemas.text import printable
from schemas.tls import show

FILE = "certificate.json"
RENEW_BEFORE = timedelta(days=20)
LOOK_EVERY_S = 3_600.0
RETRY_S = (30.0, 3_600.0)
"""The first and the longest pause after a renewal that failed."""
REFUSED_S = (30.0, 600.0)
"""The same after one that a broker's refusal asked for, successful or not: a broker that takes no certificate of this
hub refuses the new one, too, at every reconnect of every machine."""
ANSWER_S = 20.0
_MOST_BYTES = 16 * 1024


class Stored(msgspec.Struct, frozen=True):
    """A certificate of the hub, PEM."""

    certificate: str
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)]


def endpoint_of(config: AgentConfig) -> Endpoint:
    """The broker of a configuration, with this machine's certificate if there is one. Reads files, so do not call it in
    an event loop. Raises ValueError and OSError."""
    endpoint = parse_endpoint(config.mqtt_url, config.client_id, config.secret, config.ca_file)
    if endpoint.tls is None or not config.machine_key:
        return endpoint
    stored = _read(Path(config.data) / FILE)
    known = [stored.certificate] if stored is not None else []
    known += [config.certificate] if config.certificate is not None else []
    # The one in the data folder is not of this key, where the machine was paired anew.
    return msgspec.structs.replace(endpoint, shows=any(_is_shown(endpoint.tls, each, config) for each in known))


class OwnCertificate:
    """Keeps the certificate of one connection fresh."""

    def __init__(self, config: AgentConfig, hub: HubHttp, endpoint: Endpoint) -> None:
        self._config = config
        self._hub = hub
        self._context = endpoint.tls
        self._shows = endpoint.shows
        self._file = Path(config.data) / FILE
        self._refused = asyncio.Event()

    def refused(self) -> None:
        """The broker did not take it: get another one."""
        self._refused.set()

    async def run(self) -> None:
        """Renew it in time, for ever. Never raises for what a network or a hub can do."""
        if self._context is None or not self._config.machine_key:
            return
        pause, rest, renewed = RETRY_S[0], REFUSED_S[0], True
        while True:
            refused = self._refused.is_set()
            if refused or await asyncio.to_thread(self._is_due):
                self._refused.clear()
                renewed = await self._renew()
                pause = RETRY_S[0] if renewed else min(2 * pause, RETRY_S[1])
                await asyncio.sleep(rest * _jitter())  # however often a broker refuses it
                rest = rest_after(rest, refused=refused)
            try:
                async with asyncio.timeout((LOOK_EVERY_S if renewed else pause) * _jitter()):
                    await self._refused.wait()
            except TimeoutError:
                rest = REFUSED_S[0]

    def _is_due(self) -> bool:
        stored = _read(self._file)
        expires_at = stored.expires_at if stored is not None else self._config.certificate_expires_at
        return expires_at is None or not self._shows or expires_at - datetime.now(UTC) < RENEW_BEFORE

    async def _renew(self) -> bool:
        httpx = load_httpx()
        why = ""
        for hub in self._hub.in_turn:
            try:
                async with asyncio.timeout(ANSWER_S), self._hub.connect(hub) as client:
                    answer = await client.post(f"/api/clients/{self._config.client_id}/certificate")
                if answer.status_code == httpx.codes.OK:
                    stored = msgspec.json.decode(answer.content[:_MOST_BYTES], type=Stored)
                    await asyncio.to_thread(self._take, stored)
                    logs.write(Log.CERTIFICATE_RENEWED, expires_at=f"{stored.expires_at:%Y-%m-%dT%H:%M:%SZ}")
                    return True
                why = f"{shown(hub)}: HTTP {answer.status_code}: {printable(answer.text, 300)}"
            except (httpx.HTTPError, OSError, TimeoutError, ValueError, msgspec.MsgspecError) as problem:
                why = f"{shown(hub)}: {in_words(problem)[0]}"
        logs.write(Log.CERTIFICATE_NOT_RENEWED, message=f"no new certificate: {why}; trying again")
        return False

    def _take(self, stored: Stored) -> None:
        """Show it from the next connection on, and keep it. Raises OSError."""
        if self._context is not None:
            show(self._context, stored.certificate, self._config.machine_seed)
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        temporary.write_bytes(msgspec.json.encode(stored))
        temporary.replace(self._file)
        self._shows = True


def rest_after(rest_s: float, *, refused: bool) -> float:
    """How long no refusal asks for a certificate after the next one, in seconds."""
    return min(2 * rest_s, REFUSED_S[1]) if refused else REFUSED_S[0]


def _jitter() -> float:
    return random.uniform(0.5, 1.0)  # noqa: S311 - so that not all machines ask at once


def _is_shown(context: ssl.SSLContext, certificate: str, config: AgentConfig) -> bool:
    try:
        show(context, certificate, config.machine_seed)
    except (OSError, ValueError):
        return False
    return True


def _read(file: Path) -> Stored | None:
    try:
        return msgspec.json.decode(file.read_bytes()[:_MOST_BYTES], type=Stored)
    except (OSError, msgspec.MsgspecError):
        return None
