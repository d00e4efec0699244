"""Counting requests by the minute, and reading the time that a request names. Pure."""

import math
import re
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

WINDOW_S = 60
FRESH = timedelta(minutes=5)
"""How far the time of a request may lie from the hub's, to either side."""
NONCE_KEPT = 2 * FRESH
"""A request may be from the future: as long as its time is taken, its nonce must be known."""
MOST_NONCE = 128
_IPV6_SITE = 64
"""Bits of an IPv6 address that one customer has; the others are its own to choose."""
_NONCE = re.compile(r"[\x21-\x7e]{1,128}")
_NUMBER = re.compile(r"[0-9]{1,14}(\.[0-9]{1,9})?")
_FIRST_MILLISECONDS = 100_000_000_000
"""As seconds this would be the year 5138; as milliseconds, 1973."""


@dataclass(slots=True)
class _Window:
    ends: float
    used: int


@dataclass(frozen=True, slots=True)
class Count:
    """Where somebody stands after a request."""

    limit: int
    left: int
    """-1: this request is one too many."""
    reset_s: float


class Windows:
    """How many requests each of many has sent; a minute begins with the first of them, and the next one after it.

    Keeps `most` of them at a time; beyond that the one that began longest ago is forgotten.
    """

    def __init__(self, limit: int, *, most: int = 10_000) -> None:
        """`limit` 0: nobody is counted."""
        self.limit = limit
        self._most = most
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()

    def take(self, who: Hashable, now: float, share: int = 1) -> Count | None:
        """Count a request; None when there is no limit. A request that is refused is not counted. `share`: among how
        many processes the limit is divided."""
        if not self.limit:
            return None
        window = self._current(who, now)
        most = math.ceil(self.limit / share)
        if window.used >= most:
            return Count(self.limit, -1, window.ends - now)
        window.used += 1
        return Count(self.limit, min(self.limit, (most - window.used) * share), window.ends - now)

    def _current(self, who: Hashable, now: float) -> _Window:
        window = self._windows.get(who)
        if window is not None and window.ends > now:
            return window
        if window is not None:
            del self._windows[who]
        elif len(self._windows) >= self._most:
            self._windows.popitem(last=False)
        window = self._windows[who] = _Window(now + WINDOW_S, 0)
        return window


@lru_cache(maxsize=4096)
def site_of(address: str) -> str:
    """What an address is counted by: itself, or the network that an IPv6 address can choose its own from."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> (128 - _IPV6_SITE) << (128 - _IPV6_SITE)))
    return str(parsed)


def moment_of(text: str) -> datetime | None:
    """The time that `X-Request-Timestamp` names: seconds or milliseconds since 1970, or ISO 8601 with an offset. None
    when it names none."""
    text = text.strip()
    try:
        if _NUMBER.fullmatch(text):
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds >= _FIRST_MILLISECONDS else seconds, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return None if moment.tzinfo is None else moment


def is_nonce(text: str) -> bool:
    """Whether a text may be a nonce: up to 128 visible characters of ASCII."""
    return _NONCE.fullmatch(text) is not None


def is_fresh(moment: datetime, now: datetime) -> bool:
    """Whether the time of a request is near enough to the hub's."""
    try:
        return abs(moment - now) <= FRESH
    except OverflowError:
        return False
