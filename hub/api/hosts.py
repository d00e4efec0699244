"""For which names the hub answers: a page of another site whose name leads here must not be taken for one of ours."""

import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api import problems

ANY = "*"
_LOOPBACK = frozenset({"localhost", "ip6-localhost"})


def own_names() -> tuple[str, ...]:
    """What this machine is called by itself, and in its local network (mDNS)."""
    name = socket.gethostname().strip().lower()
    return (name, f"{name}.local") if name else ()


@lru_cache(maxsize=256)
def name_of(host: str) -> str:
    """The name or address of a `Host` header or a setting, in one form: without port, brackets and final dot."""
    text = host.strip().lower()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.removesuffix(".")
    address = _address(text)
    return text if address is None else str(address)


class KnownHosts:
    """Answers 421 to a request for a name that is not the hub's.

    Loopback names and the address that the connection came to are always known: no name of another site is an address,
    and what looks after the hub (a health check) calls it so. `*.example` stands for every name below it, `*` for all.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        """`hosts`: names as the settings have them; none: those of this machine."""
        self._app = app
        names = [name_of(host) for host in hosts] or [name_of(host) for host in own_names()]
        self._any = ANY in names
        self._names = _LOOPBACK | {name for name in names if not name.startswith("*.")}
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and not self._any:
            for name, value in scope["headers"]:
                if name == b"host":
                    host = value.decode("latin-1")
                    if not self.is_known(host, scope.get("server")):
                        await problems.problem(Request(scope), "unknown_host", {"host": host})(scope, receive, send)
                        return
        await self._app(scope, receive, send)

    def is_known(self, host: str, server: tuple[str, int | None] | None) -> bool:
        """Whether `Host` names the hub, on a connection that came to this address."""
        name = name_of(host)
        if self._any or name in self._names or (self._endings and name.endswith(self._endings)):
            return True
        address = _address(name)
        if address is None:
            return False
        return address.is_loopback or (server is not None and str(address) == name_of(server[0]))


@lru_cache(maxsize=256)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
