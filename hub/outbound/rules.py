"""Which URLs the hub may fetch, and which addresses it may connect to for them. Pure: nobody is asked, nothing opened.

A URL is taken apart here once; what was judged is what is connected to, so that two parsers cannot disagree. Whatever
is written in an unusual way is refused rather than understood.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from schemas.text import SaidError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL = 2_000
DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_PATTERN = re.compile(r"(?P<host>\*|(\*\.)?[a-z0-9_.-]+|\[[0-9a-f:.]+\])(:(?P<port>\*|[0-9]{1,5}))?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that resolvers read as a number: the host is an address, perhaps an octal or short one."""
_BEGINNINGS = tuple(f"{scheme}://" for scheme in DEFAULT_PORTS)
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_GLOBAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        # What Python calls global although it leads to a local network, or into another address family.
        *("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16"),
    )
)


class UrlError(Exception):
    """A URL that is none, or that is written in a way that could mean two things. `code` and `params` say what to do,
    see `api/field_catalogue/`."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: scheme, host and port as they are judged, path and query as they are asked for."""

    scheme: str
    host: str
    """Lower case; a name without its last dot, or an address in its usual form, IPv6 without brackets."""
    port: int
    path: str

    @property
    def address(self) -> Address | None:
        """The host, if it is an address and no name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """What belongs into the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole, in its usual form."""
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_url(url: str) -> Target:
    """Take a URL apart. Raises UrlError."""
    if len(url) > MAX_URL:
        raise UrlError("url_too_long", limit=MAX_URL)
    if not url.lower().startswith(_BEGINNINGS):
        raise UrlError("url_scheme")  # such as C:\\label.pdf, of which nothing else is worth saying
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise UrlError("url_characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlError("url") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise UrlError("url_scheme")
    if "@" in parts.netloc:
        raise UrlError("url_user")
    if port == 0:
        raise UrlError("url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, _host(parts.netloc, parts.hostname), port or DEFAULT_PORTS[parts.scheme], path)


def follow(target: Target, location: str) -> Target:
    """Where a redirect leads. Raises UrlError."""
    try:
        return parse_url(urljoin(target.url, location))
    except ValueError:
        raise UrlError("url") from None


def _host(netloc: str, host: str | None) -> str:
    if not host:
        raise UrlError("url")
    if netloc.startswith("["):
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            raise UrlError("url") from None
        if address.scope_id is not None:
            raise UrlError("url_zone")
        return str(address)
    host = host.removesuffix(".")
    if not _HOST.fullmatch(host):
        raise UrlError("url")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise UrlError("url_address") from None
    return host


@dataclass(frozen=True, slots=True)
class Pattern:
    """An entry of the allow-list. `port`: None for the scheme's own, 0 for every one."""

    host: str
    port: int | None

    def allows(self, target: Target) -> bool:
        """Whether a URL may be asked for; says nothing yet about the address behind its name."""
        if self.host.startswith("*."):
            fits = target.host.endswith(self.host[1:]) and target.address is None
        else:
            fits = self.host in ("*", target.host)
        wanted = DEFAULT_PORTS[target.scheme] if self.port is None else self.port
        return fits and wanted in (0, target.port)


def parse_pattern(text: str) -> Pattern:
    """An entry of the allow-list: `host`, `host:port`, `host:*`, `*.domain`, `[IPv6]:port`, `*`. Raises ValueError."""
    wrong = SaidError(
        f"{text!r} is no host, host:port, host:* or *.domain",
        f"{text!r}을(를) 호스트, 호스트:포트, 호스트:*, *.도메인 중 하나로 쓰십시오",
    )
    match = _PATTERN.fullmatch(text.strip().lower())
    if match is None:
        raise wrong
    host, port = match["host"], match["port"]
    if not host.startswith("*"):
        try:
            host = parse_url(f"http://{host}/").host
        except UrlError:
            raise wrong from None
    if port is None or port == "*":
        return Pattern(host, None if port is None else 0)
    if not 0 < int(port) <= 65_535:
        raise wrong
    return Pattern(host, int(port))


def is_allowed(target: Target, patterns: Iterable[Pattern]) -> bool:
    """Whether the allow-list has this URL's host and port."""
    return any(pattern.allows(target) for pattern in patterns)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet: not private, loopback, link-local, multicast or reserved, and
    not IPv6 that stands for some IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
        return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    if special or address.is_private or address.is_link_local or not address.is_global:
        return False
    return not any(address.version == network.version and address in network for network in _NOT_GLOBAL)


def is_reachable(address: Address, *, private: bool) -> bool:
    """Whether the hub may connect to an address; `private`: the operator lets it fetch from the own network, too."""
    return is_public(address) or (private and not address.is_multicast)
