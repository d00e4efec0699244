"""Fetching documents by URL: the one place where the hub connects to where a caller says.

Each redirect is judged anew: the allow-list by host and port, then every address that its name has right now. The
connection goes to an address that was judged, not to the name, so that a name server that changes its mind in between
changes nothing. No cookies, no credentials, no proxies, nothing unpacked.
"""

import asyncio
import contextlib
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx

from hub.errors import FieldProblem, RejectedError, SetupError, UnavailableError
from hub.outbound import rules as fetching
from hub.outbound.rules import Address, Pattern, Target, UrlError, parse_pattern
from schemas import media_types
from schemas.text import korean_of

DEADLINE_S = 20.0
"""For name, connection, redirects and head together, and for each pause in the document."""
LEAST_RATE = 64 * 1024
"""Bytes. Each time that so many of the document came, it may take a second longer than the deadline."""
MAX_REDIRECTS = 3
MAX_ADDRESSES = 4
"""How many of a name's addresses are tried, each for at most `_CONNECT_S`."""
MAX_TOGETHER = 8
MAX_WAITING = 32
_CONNECT_S = 5.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PLAIN_NAME = re.compile(r"[^\x00-\x1f/\\]{1,255}")

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
"""The addresses of a host's name. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document on its way in."""

    content_type: str
    filename: str | None
    parts: AsyncIterator[bytes]


async def resolve(host: str, port: int) -> list[Address]:
    """Ask the system, as any other program would."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # An IPv6 address may carry a zone ("%eth0"), which makes it link-local and is refused as such.
    return [ipaddress.ip_address(str(entry[4][0])) for entry in found]


class Fetcher:
    """Fetches from the hosts of an allow-list; `private` also from addresses of the own network."""

    def __init__(
        self,
        allow: Sequence[Pattern],
        *,
        private: bool = False,
        resolve: Resolve = resolve,
        deadline_s: float = DEADLINE_S,
        least_rate: float = LEAST_RATE,
    ) -> None:
        self._allow = tuple(allow)
        self._private = private
        self._resolve = resolve
        self._deadline_s = deadline_s
        self._least_rate = least_rate

        self._together = asyncio.Semaphore(MAX_TOGETHER)
        self._begun = 0
        self._tls: ssl.SSLContext | None = None

    @classmethod
    def of(cls, allow: Sequence[str], *, private: bool) -> "Fetcher":
        """From the settings. Raises SetupError that names the wrong entry."""
        try:
            return cls([parse_pattern(text) for text in allow], private=private)
        except ValueError as problem:
            raise SetupError(
                f"FLOORHUB_FETCH_ALLOW: {problem}", ko=f"FLOORHUB_FETCH_ALLOW: {korean_of(problem)}"
            ) from None

    @contextlib.asynccontextmanager
    async def fetch(self, url: str) -> AsyncIterator[Source]:
        """The document at `url`, to be read inside the block, deadline included.

        Raises RejectedError (validation_error, url_not_allowed, address_not_allowed, content_type_not_allowed,
        fetch_failed), and UnavailableError when too many fetches wait.
        """
        try:
            target = fetching.parse_url(url)
        except UrlError as problem:
            fields = (FieldProblem("payload.document.url", problem.code, problem.params),)
            raise RejectedError("validation_error", fields=fields) from None
        self._judge(target)
        if self._begun >= MAX_TOGETHER + MAX_WAITING:
            raise UnavailableError("overloaded", retry_after_s=5)
        self._begun += 1
        came = False
        try:
            async with (
                asyncio.timeout(self._deadline_s) as limit,
                self._together,
                contextlib.AsyncExitStack() as open_,
            ):
                response, last = await self._follow(target, open_)
                came = True
                yield await _source(response, last, self._extending(limit, response.aiter_raw()))
        except TimeoutError:
            slow = f"it stopped sending, or sends less than {self._least_rate:g} bytes a second"
            raise _failed(target, slow if came else f"not within {self._deadline_s:g} s") from None
        except httpx.HTTPError as problem:
            raise _failed(target, type(problem).__name__) from problem
        finally:
            self._begun -= 1

    async def _extending(self, limit: asyncio.Timeout, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The parts; each moves the limit as far as its size is worth."""
        loop = asyncio.get_running_loop()
        whole = loop.time() + self._deadline_s
        async for part in parts:
            whole += len(part) / self._least_rate
            limit.reschedule(min(loop.time() + self._deadline_s, whole))
            yield part

    async def _follow(self, target: Target, open_: contextlib.AsyncExitStack) -> tuple[httpx.Response, Target]:
        """The answer at the end of the redirects."""
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._ask(target, open_)
            if response.status_code not in _REDIRECTS:
                return response, target
            target = self._next(target, response.headers.get("location", ""))
        raise _failed(target, f"more than {MAX_REDIRECTS} redirects")

    def _next(self, target: Target, location: str) -> Target:
        try:
            following = fetching.follow(target, location)
        except UrlError as problem:
            raise _failed(target, f"a redirect that {problem}") from None
        if (target.scheme, following.scheme) == ("https", "http"):
            raise _failed(target, "a redirect from https to http")
        self._judge(following)
        return following

    def _judge(self, target: Target) -> None:
        if not fetching.is_allowed(target, self._allow):
            raise RejectedError("url_not_allowed", host=target.authority)

    async def _ask(self, target: Target, open_: contextlib.AsyncExitStack) -> httpx.Response:
        """One request without following anything. The bare transport: it knows no cookies, netrc or environment."""
        addresses = await self._addresses(target)
        transport = await open_.enter_async_context(
            httpx.AsyncHTTPTransport(verify=await self._trust(target), trust_env=False)
        )
        for number, address in enumerate(addresses, start=1):
            request = httpx.Request(
                "GET",
                httpx.URL(scheme=target.scheme, host=str(address), port=target.port, raw_path=target.path.encode()),
                headers={
                    "Host": target.authority,
                    "Accept-Encoding": "identity",
                    "User-Agent": "floorhub",
                    "Connection": "close",
                },
                # The certificate is checked against the name, although the connection goes to the address.
                extensions={
                    "sni_hostname": target.host,
                    "timeout": {"connect": _CONNECT_S, "read": self._deadline_s, "write": _CONNECT_S, "pool": 1.0},
                },
            )
            try:
                response = await transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(addresses):
                    raise
                continue
            open_.push_async_callback(response.aclose)
            return response
        raise AssertionError("unreachable")  # a name without an address was refused

    async def _addresses(self, target: Target) -> Sequence[Address]:
        """What to connect to. One address that is not allowed is enough to refuse the name: who lists it next to
        public ones wants it to be tried."""
        literal = target.address
        try:
            found = [literal] if literal is not None else await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            raise _failed(target, "its name has no address") from None
        if not found:
            raise _failed(target, "its name has no address")
        if not all(fetching.is_reachable(address, private=self._private) for address in found):
            raise RejectedError("address_not_allowed", host=target.authority)
        return list(dict.fromkeys(found))[:MAX_ADDRESSES]

    async def _trust(self, target: Target) -> ssl.SSLContext | bool:
        if target.scheme != "https":
            return False  # only keeps the library from loading certificates that nobody needs
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls


async def _source(response: httpx.Response, target: Target, parts: AsyncIterator[bytes]) -> Source:
    """Judge the answer's head, and its document by the first bytes."""
    if response.status_code != httpx.codes.OK:
        raise _failed(target, f"HTTP {response.status_code}")
    if response.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise _failed(target, "a compressed answer, although none was asked for")
    first = bytearray()
    while len(first) < media_types.HEAD and (part := await anext(parts, None)) is not None:
        first += part
    # Who keeps it says that it is empty.
    content_type = printable(response.headers.get("content-type", ""), bytes(first)) if first else media_types.OCTETS
    name = unquote(urlsplit(target.path).path.rpartition("/")[2])
    filename = name if _PLAIN_NAME.fullmatch(name) and "\ufffd" not in name else None
    return Source(content_type, filename, _joined(bytes(first), parts))


def printable(said: str, head: bytes) -> str:
    """The type of a document that somebody else calls `said` and that begins with `head`. Raises RejectedError for what
    is none: a login page is no invoice."""
    try:
        content_type = media_types.judged(said, head)
    except media_types.MislabelledError as problem:
        content_type = problem.found or problem.said
        if problem.found is None:
            raise RejectedError("content_type_mismatch", content_type=problem.said) from None
    if content_type not in media_types.PRINTABLE:
        raise RejectedError("content_type_not_allowed", content_type=content_type[:100])
    return content_type


async def _joined(first: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in parts:
        yield part


def _failed(target: Target, reason: str) -> RejectedError:
    """Without the path and query, which may hold a token."""
    return RejectedError("fetch_failed", host=target.authority, reason=reason)
