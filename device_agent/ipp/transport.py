"""IPP's way over HTTP (RFC 8010 section 4): where a printer is, and one POST with a streamed body.

The only module that uses the HTTP library, which is imported when the first printer is asked: an agent that prints
nothing never pays for it.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from device_agent.http_library import SMALL_SEND_BUFFER, load_httpx
from device_agent.ipp import codec
from device_agent.ipp.errors import (
    IppDecodeError,
    IppInterrupted,
    IppRefused,
    IppServerError,
    IppTurnedAway,
    IppUnreachable,
    IppUntrusted,
)
from schemas.addresses import AddressError, read_address
from schemas.text import SaidError
from schemas.tls import trusting

if TYPE_CHECKING:
    import httpx

_CHUNK = 64 * 1024
_HTTP_OF = {"ipp": "http", "ipps": "https", "http": "http", "https": "https"}
_IPP_PORT = 631
_NOT_NOW = frozenset({408, 429, 503})
"""Time-out of the request, too many requests, no service (RFC 9110 15.5.9, 15.6.4; RFC 6585)."""
_ADVICE = {
    401: "it wants a name and a password: put them into the printer's uri",
    403: "it refuses this machine: allow it at the printer",
    404: "it has no such path: check the printer's uri",
    426: "it wants encryption: use ipps:// in the printer's uri",
}


class Endpoint(Struct, frozen=True, kw_only=True):
    """A printer's address. `uri` may be shown: no credentials in it."""

    uri: str
    told: str
    """`uri` as the printer is told it (`printer-uri`): without the interface of a link-local address."""
    url: str
    host: str
    """The Host header."""
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Endpoint({self.uri!r})"


def parse_uri(uri: str) -> Endpoint:
    """The address in an `ipp:`, `ipps:`, `http:` or `https:` URI. Raises ValueError with what to do."""
    try:
        address = read_address(uri)
    except AddressError as problem:
        raise SaidError(
            f"the printer's uri is no URI: {problem}", f"프린터의 uri가 올바르지 않습니다. {problem.korean}"
        ) from None
    scheme = _HTTP_OF.get(address.scheme)
    if scheme is None:
        raise SaidError(
            "the printer's uri must look like ipp://host/ipp/print or ipps://host/ipp/print",
            "프린터의 uri는 ipp://host/ipp/print 또는 ipps://host/ipp/print 형식이어야 합니다",
        )
    port = _IPP_PORT if address.scheme.startswith("ipp") else {"http": 80, "https": 443}[scheme]
    path = address.path if address.path.startswith("/") else f"/{address.path}"
    host = address.authority(port, zone="")
    return Endpoint(
        uri=f"{address.scheme}://{address.authority(port)}{path}",
        told=f"{address.scheme}://{host}{path}",
        url=f"{scheme}://{address.authority(port, zone='%')}{path}",
        host=host,
        user=address.user,
        password=address.password,
    )


class Transport:
    """Connections to one printer; an async context manager, which may be entered once."""

    def __init__(self, endpoint: Endpoint, *, connect_s: float, tls_verify: bool, ca_file: str | None) -> None:
        self._endpoint = endpoint
        self._connect_s = connect_s
        self._tls_verify = tls_verify
        self._ca_file = ca_file
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        httpx = load_httpx()
        verify: ssl.SSLContext | bool = False
        if self._endpoint.url.startswith("https:") and self._tls_verify:
            # Reading the certificates takes a moment: not in the event loop.
            verify = await asyncio.to_thread(trusting, self._ca_file)
        auth = (self._endpoint.user, self._endpoint.password) if self._endpoint.user else None
        # A printer is never behind the machine's web proxy, and never somewhere else than configured.
        transport = httpx.AsyncHTTPTransport(verify=verify, trust_env=False, socket_options=SMALL_SEND_BUFFER)
        self._client = httpx.AsyncClient(transport=transport, auth=auth, trust_env=False, follow_redirects=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def exchange(
        self, head: bytes, document: Path | None, within_s: float, on_sent: Callable[[], Awaitable[None]] | None = None
    ) -> bytes:
        """POST the octets and the document behind them, and return the answer's octets, at most `MAX_MESSAGE`.

        `within_s` bounds how long the printer may take no part of the document, then how long its answer may take: a
        large document may take as long as it makes progress. `on_sent` is awaited once the system has taken all of it,
        while the printer answers.

        Raises IppUnreachable, IppInterrupted (also for HTTP 5xx, 408, 429), IppRefused (for the other HTTP 4xx), and
        OSError when the document is missing.
        """
        httpx = load_httpx()
        if self._client is None:
            raise RuntimeError("enter the transport first")
        loop = asyncio.get_running_loop()
        size = 0 if document is None else (await asyncio.to_thread(document.stat)).st_size
        headers = {
            "Host": self._endpoint.host,
            "Content-Type": "application/ipp",
            "Content-Length": str(len(head) + size),
        }
        timeout = httpx.Timeout(within_s, connect=min(self._connect_s, within_s))
        taken = 0

        async def on_progress(octets: int) -> None:
            nonlocal taken
            taken += octets
            limit.reschedule(loop.time() + within_s)
            if taken >= size and on_sent is not None:
                await on_sent()

        try:
            async with (
                contextlib.aclosing(_body(head, document, on_progress)) as body,  # its file is closed at once
                asyncio.timeout(within_s) as limit,
                self._client.stream(
                    "POST",
                    self._endpoint.url,
                    content=body,
                    headers=headers,
                    timeout=timeout,
                ) as response,
            ):
                _check_status(response.status_code)
                return await _read(response)
        except IppInterrupted as problem:
            problem.sent_whole = taken >= size
            raise
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            untrusted = _is_untrusted(problem)
            raise (IppUnreachable if untrusted is None else IppUntrusted)(_explain(problem)) from problem
        except (httpx.HTTPError, OSError) as problem:  # OSError: the time is up, or the document cannot be read on
            interrupted = IppInterrupted(f"no answer from the printer: {_explain(problem)}")
            interrupted.sent_whole = taken >= size
            raise interrupted from problem


async def _body(
    head: bytes, document: Path | None, on_progress: Callable[[int], Awaitable[None]]
) -> AsyncGenerator[bytes]:
    """The octets; `on_progress` is awaited with its size whenever the system has taken a part of the document."""
    yield head
    if document is None:
        return
    with await asyncio.to_thread(document.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
            await on_progress(len(chunk))


async def _read(response: "httpx.Response") -> bytes:
    octets = bytearray()
    async for chunk in response.aiter_bytes():
        octets += chunk
        if len(octets) > codec.MAX_MESSAGE:
            raise IppDecodeError(f"the printer's answer has more than {codec.MAX_MESSAGE} octets")
    return bytes(octets)


def _check_status(status: int) -> None:
    if status == 200:
        return
    sentence = f"the printer answers HTTP {status}"
    if status in _NOT_NOW:
        raise IppTurnedAway(status, f"{sentence}: it has no time for the request now")
    if 300 <= status < 500:
        raise IppRefused(0, f"{sentence}: {_ADVICE.get(status, 'check the uri')}")
    raise IppServerError(sentence)


def _is_untrusted(problem: BaseException) -> ssl.SSLCertVerificationError | None:
    """What is wrong with the printer's certificate, if that is the cause."""
    cause: BaseException | None = problem
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _explain(problem: BaseException) -> str:
    untrusted = _is_untrusted(problem)
    if untrusted is not None:
        return f"its certificate is not trusted ({untrusted.verify_message}): set ca_file, or tls_verify = false"
    return str(problem) or type(problem).__name__
