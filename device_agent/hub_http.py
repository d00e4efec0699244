"""HTTP to the hub of the configuration and to nobody else: who we are there, whom we trust, how long we wait."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from device_agent.http_library import SMALL_SEND_BUFFER, load_httpx
from schemas.addresses import read_address
from schemas.tls import trusting

if TYPE_CHECKING:
    import httpx

CONNECT_S = 10.0
"""For a connection, and between two pieces of an answer."""
_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.5, 15.0


class HubHttp:
    """One client's way to its hub. Safe to use from several tasks."""

    def __init__(self, hub_url: str, client_id: str, secret: str, *, ca_file: str | None = None) -> None:
        self._address = read_address(hub_url)
        self._credentials = (client_id, secret)
        self._ca_file = ca_file

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator["httpx.AsyncClient"]:
        """A client whose paths lie on the hub. Redirects are not followed: the secret goes nowhere else."""
        httpx = load_httpx()
        async with httpx.AsyncClient(
            base_url=self._address.url.rstrip("/"),
            headers={"Host": self._address.named},
            auth=self._credentials,
            follow_redirects=False,
            transport=httpx.AsyncHTTPTransport(
                verify=await self._trusted(), trust_env=False, socket_options=SMALL_SEND_BUFFER
            ),
            timeout=CONNECT_S,
            trust_env=False,
        ) as client:
            yield client

    async def _trusted(self) -> "ssl.SSLContext | bool":
        """Reading the certificates takes a moment, so not in the event loop, and 2 MB, so only where there is TLS."""
        if self._address.scheme != "https":
            return False
        return await asyncio.to_thread(trusting, self._ca_file)


class Patience:
    """Pauses between tries until a deadline: each about twice the one before, with jitter, so that the clients of a hub
    that comes back do not all ask at once."""

    def __init__(self, seconds: float) -> None:
        self._end = asyncio.get_running_loop().time() + seconds
        self._pause = _FIRST_PAUSE_S

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._end - asyncio.get_running_loop().time()

    async def pause(self) -> bool:
        """Wait before the next try. False, at once: no time is left for one."""
        pause = self._pause * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        self._pause = min(2 * self._pause, _MAX_PAUSE_S)
        if pause >= self.left_s:
            return False
        await asyncio.sleep(pause)
        return True
