"""From where a request comes, by HTTP or HTTPS: as the connection is, or as a proxy says that the settings trust."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network
LOCAL = "127.0.0.1"
"""Who calls over the Unix socket and is no proxy."""
_MAPPED = 96
"""Bits before the IPv4 address in an IPv6 one."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks such as 10.0.0.0/8; IPv4 also as IPv6 writes it (::ffff:10.0.0.0/104). Raises
    ValueError."""
    return tuple(_unmapped(ip_network(text)) for text in texts)


def _unmapped(network: Network) -> Network:
    # Callers are compared as IPv4 when they are such.
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED:
        mapped = network.network_address.ipv4_mapped
        return network if mapped is None else IPv4Network((mapped, network.prefixlen - _MAPPED))
    return network


class TrustedProxies:
    """Puts the address of the caller into the scope, as the nearest proxy that is not trusted, or nobody, was seen; and
    the scheme, as the nearest proxy was asked.

    Whoever calls over the Unix socket is trusted: only the hub's own user can open it. He also says to which address
    of this machine the caller connected.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            said = _said(scope["headers"])
            if scope["client"] is None:
                scope["client"] = (self._local_caller(said.get(b"x-forwarded-for", ())), 0)
                for server in said.get(b"x-forwarded-server", ()):
                    scope["server"] = (server.decode("latin-1"), None)
                is_trusted = True
            else:
                host, port = scope["client"]
                scope["client"] = (caller(host, said.get(b"x-forwarded-for", ()), self._trusted), port)
                is_trusted = _is_in(address_of(host), self._trusted)
            if is_trusted and (schemes := said.get(b"x-forwarded-proto")):
                scope["scheme"] = _scheme(schemes) or scope["scheme"]
        await self._app(scope, receive, send)

    def _local_caller(self, forwarded: Sequence[bytes]) -> str:
        """Whom the proxy beside us saw; this machine, if it says nothing that is an address."""
        *before, last = _listed(forwarded) or [""]
        seen = address_of(last)
        return LOCAL if seen is None else caller(str(seen), [",".join(before).encode("latin-1")], self._trusted)


def caller(connected: str, forwarded: Sequence[bytes], trusted: Sequence[Network]) -> str:
    """The address of the caller: each trusted proxy appends to `X-Forwarded-For` whom it saw, so it is read from its
    end, as far as those who wrote it are trusted. Whatever is no address ends it."""
    address = address_of(connected)
    if address is None:
        return connected
    seen = _listed(forwarded)
    while seen and _is_in(address, trusted):
        before = address_of(seen.pop())
        if before is None:
            break
        address = before
    return str(address)


def _listed(forwarded: Sequence[bytes]) -> list[str]:
    return [part.strip() for value in forwarded for part in value.decode("latin-1").split(",")]


def _said(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """What proxies say of a request."""
    said: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name.startswith(b"x-forwarded-"):
            said.setdefault(name, []).append(value)
    return said


def _scheme(said: Sequence[bytes]) -> str | None:
    """What the proxy beside us says last."""
    last = said[-1].decode("latin-1").rpartition(",")[2].strip().lower()
    return last if last in ("http", "https") else None


def _is_in(address: IPv4Address | IPv6Address | None, trusted: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in trusted)


def as_ipv4(text: str) -> str:
    """The address of IPv4 that IPv6 writes as ::ffff:192.0.2.1; any other text as it is."""
    return str(address_of(text) or text) if text.startswith("::ffff:") else text


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """An address, also with a port as some proxies write it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
