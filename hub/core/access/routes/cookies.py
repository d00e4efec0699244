"""The cookie of a page, and what tells requests of our own pages from those that other pages cause."""

import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request, Response

from hub.core.access.service.sessions import PAGE_LASTS, PLAIN_PAGE_LASTS, csrf_token
from hub.errors import RejectedError

SECURE_NAME = "__Host-floorhub"
"""Browsers take a cookie of this prefix only over HTTPS, for this host alone, and from nobody else."""
CSRF_HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = ("same-origin", "none")
"""What a browser says of where a request comes from: a page of ours, or the person himself."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class PageRules:
    """`plain`: whether people may sign in from other machines without TLS."""

    plain: bool = False

    def cookie_name(self, request: Request) -> str | None:
        """What the cookie of a page is called here; None where pages have none: without TLS on the way."""
        if request.url.scheme == "https":
            return SECURE_NAME
        # Cookies know no ports: each hub of a machine has its own name.
        return f"floorhub-{_port(request)}" if self.plain or is_this_machine(request) else None

    def require_cookie_name(self, request: Request) -> str:
        """The same. Raises RejectedError `https_needed`."""
        name = self.cookie_name(request)
        if name is None:
            raise RejectedError("https_needed", host=request.headers.get("host", "?"))
        return name

    def cookie(self, request: Request) -> str | None:
        """The value of our cookie; None without one, and where there are two, one of which somebody else has set."""
        name = self.cookie_name(request)
        if name is None or "cookie" not in request.headers:
            return None
        pairs = [pair.strip().partition("=") for line in request.headers.getlist("cookie") for pair in line.split(";")]
        values = [value for found, _, value in pairs if found == name]
        return values[0] if len(values) == 1 and values[0] else None

    def set_cookie(self, request: Request, response: Response, value: str) -> None:
        """Give a browser its session. No other site's links take it along: pages of ours ask again by themselves."""
        lasts = PLAIN_PAGE_LASTS if is_plain(request) else PAGE_LASTS
        self._answer(request, response, self.require_cookie_name(request), value, int(lasts.total_seconds()))

    def drop_cookie(self, request: Request, response: Response) -> None:
        """Take it away."""
        if (name := self.cookie_name(request)) is not None:
            self._answer(request, response, name, "", 0)

    @staticmethod
    def _answer(request: Request, response: Response, name: str, value: str, max_age: int) -> None:
        secure = not is_plain(request)
        response.set_cookie(name, value, max_age, path="/", httponly=True, samesite="strict", secure=secure)


def is_plain(request: Request) -> bool:
    """Whether a page is shown without TLS."""
    return request.url.scheme != "https"


def is_this_machine(request: Request) -> bool:
    """Whether a browser shows the page as one of its own machine: then nothing of the way is a network, or a tunnel
    leads here. The address of the connection says less: a proxy on this machine has it, too."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def require_our_page(request: Request) -> None:
    """Raise RejectedError `origin_refused` for a request that a page of somebody else causes, as far as browsers
    tell."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    if (origin is not None and not _is_same(request, origin)) or (site is not None and site not in _OURS):
        raise RejectedError("origin_refused", origin=origin or site)


def require_csrf_token(request: Request, cookie: str) -> None:
    """Hold a request that shows a cookie against the rules: it comes from our pages, and one that may change something
    shows the page's token. Raises RejectedError."""
    if request.method in _SAFE:
        # Nothing is changed; and a page that is opened by a link elsewhere is a navigation.
        if request.headers.get("sec-fetch-mode") != "navigate":
            require_our_page(request)
        return
    require_our_page(request)
    if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), csrf_token(cookie).encode()):
        raise RejectedError("csrf_failed")


def _is_same(request: Request, origin: str) -> bool:
    """Whether an origin is the one that this request was sent to."""
    try:
        shown, own = urlsplit(origin), urlsplit(f"{request.url.scheme}://{request.headers.get('host', '')}")
        return (shown.scheme, shown.hostname, shown.port or _PORTS.get(shown.scheme)) == (
            own.scheme,
            own.hostname,
            own.port or _PORTS.get(own.scheme),
        )
    except ValueError:
        return False


def _port(request: Request) -> int:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").port or _PORTS["http"]
    except ValueError:
        return _PORTS["http"]
