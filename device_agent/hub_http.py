"""HTTP to the hubs of the configuration and to nobody else: who we are there, whom we trust, how long we wait."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from device_agent.http_library import SMALL_SEND_BUFFER, load_httpx
from schemas.addresses import Address, read_address
from schemas.tls import trusting

if TYPE_CHECKING:
    import httpx

CONNECT_S = 10.0
"""For a connection, and between two pieces of an answer."""
_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.5, 15.0


class HubHttp:
    """One client's connection to its hub, or to several that share a database. Safe to use from several tasks."""

    def __init__(
        self, hub_url: str | Sequence[str], client_id: str, secret: str, *, ca_file: str | None = None
    ) -> None:
        urls = [hub_url] if isinstance(hub_url, str) else hub_url
        self._addresses = [read_address(url) for url in urls]
        self._credentials = (client_id, secret)
        self._ca_file = ca_file

    @property
    def in_turn(self) -> list[Address]:
        """The hubs, in the order in which to try them."""
        return list(self._addresses)

    def answered(self, hub: Address) -> None:
        """This one is tried first from now on."""
        self._addresses.sort(key=lambda address: address is not hub)

    @contextlib.asynccontextmanager
    async def connect(self, hub: Address) -> AsyncIterator["httpx.AsyncClient"]:
        """A client whose paths lie on that hub. Redirects are not followed: the secret goes nowhere else."""
        httpx = load_httpx()
        async with httpx.AsyncClient(
            base_url=hub.url.rstrip("/"),
            headers={"Host": hub.named},
            auth=self._credentials,
            follow_redirects=False,
            transport=httpx.AsyncHTTPTransport(
                verify=await self._trusted(hub), trust_env=False, socket_options=SMALL_SEND_BUFFER
            ),
            timeout=CONNECT_S,
            trust_env=False,
        ) as client:
            yield client

    async def _trusted(self, hub: Address) -> "ssl.SSLContext | bool":
        """Reading the certificates takes a moment, so not in the event loop, and 2 MB, so only where there is TLS."""
        if hub.scheme != "https":
            return False
        return await asyncio.to_thread(trusting, self._ca_file)


def shown(hub: Address) -> str:
    """A hub's address in sentences."""
    return f"{hub.scheme}://{hub.authority()}"


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
