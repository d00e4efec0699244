"""Which pages may open `/mqtt`. Pure."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from hub.api.hosts import ANY, name_of

_HTTPS = 443


class PageOrigins:
    """The hub's own pages, and those of the origins that the settings name.

    Only browsers send `Origin`, and they always do; who sends none is a program, which shows its secret in the CONNECT
    as every client does.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)

    def may_open(self, origins: list[str], host: str) -> bool:
        """Whether a page with these `Origin` fields may open `/mqtt` at this `Host`."""
        if not origins:
            return True
        [origin, *more] = origins
        if more:
            return False
        return ANY in self._allowed or origin in self._allowed or _is_own(origin, host)


def _is_own(origin: str, host: str) -> bool:
    try:
        page, own = urlsplit(origin), urlsplit(f"https://{host}")
        return (
            page.scheme == "https"
            and bool(page.hostname)
            and not (page.path or page.query or page.fragment or "@" in page.netloc)
            and name_of(page.netloc) == name_of(own.netloc)
            and (page.port or _HTTPS) == (own.port or _HTTPS)
        )
    except ValueError:
        return False
