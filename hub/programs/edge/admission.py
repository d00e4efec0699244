"""Who may open how many connections. Pure but for closing those that must go.

A connection is half-open until it has sent a whole request, or a CONNECT that the broker has taken: whoever opens many
of these shows nothing yet. Where there is no room, a new connection takes the place of the oldest that is half-open,
or that waits for its next request; what works is never closed for it.
"""

import asyncio
import enum
from collections.abc import Callable

from hub.core.limits.rules import site_of


class State(enum.StrEnum):
    """What a connection is doing; also the label of its metric."""

    HALF_OPEN = "half_open"
    BUSY = "busy"
    IDLE = "idle"
    PAGE = "page"


class Visit:
    """One connection. `close` ends it at once; whoever holds it calls `end` when it is over."""

    __slots__ = ("_admission", "_close", "address", "site", "state")

    def __init__(self, admission: "Admission", address: str, close: Callable[[], None]) -> None:
        self._admission = admission
        self._close = close
        self.address = address
        self.site = site_of(address)
        self.state: State | None = State.HALF_OPEN

    def closes_by(self, close: Callable[[], None]) -> None:
        """From now on it ends this way."""
        self._close = close

    def becomes(self, state: State) -> None:
        """It goes on to another state."""
        if self.state is not None and self.state is not state:
            self._admission.move(self, state)

    def end(self) -> None:
        """It is over; idempotent."""
        if self.state is not None:
            self._admission.leave(self)
            self.state = None

    def close(self) -> None:
        """End it at once."""
        self.end()
        self._close()


class _Places:
    """The visits of one address, or of all, by state; each in the order in which they came to it."""

    def __init__(self) -> None:
        self.of: dict[State, dict[Visit, None]] = {state: {} for state in State}
        self.number = 0

    def oldest(self, *states: State) -> Visit | None:
        for state in states:
            for visit in self.of[state]:
                return visit
        return None


class Admission:
    """The limits: in all, of one address (of IPv6: one network of a customer), and of its half-open ones."""

    def __init__(
        self, most: int, most_of_address: int, half_open_of_address: int, refused: Callable[[str, str], None]
    ) -> None:
        """`refused` hears why, and whose connection was turned away."""
        self._most = most
        self._most_of_address = most_of_address
        self._half_open = half_open_of_address
        self._refused = refused
        self._all = _Places()
        self._sites: dict[str, _Places] = {}
        self.empty = asyncio.Event()
        """No connection is left, once there was one."""

    def open(self, address: str, close: Callable[[], None]) -> Visit | None:
        """A new connection; None when there is no room for it."""
        visit = Visit(self, address, close)
        places = self._sites.get(visit.site)
        if places is not None and len(places.of[State.HALF_OPEN]) >= self._half_open:
            self._turn_away(places.oldest(State.HALF_OPEN), "half_open")
        if places is not None and places.number >= self._most_of_address:
            if (oldest := places.oldest(State.HALF_OPEN, State.IDLE)) is None:
                self._refused("address_full", address)
                return None
            self._turn_away(oldest, "address_full")
        if self._all.number >= self._most:
            if (oldest := self._all.oldest(State.HALF_OPEN, State.IDLE)) is None:
                self._refused("full", address)
                return None
            self._turn_away(oldest, "full")
        self.empty.clear()
        for each in self._places_of(visit):
            each.of[State.HALF_OPEN][visit] = None
            each.number += 1
        return visit

    def number(self, state: State) -> int:
        """How many are in a state."""
        return len(self._all.of[state])

    def visits(self) -> list[Visit]:
        """All of them."""
        return [visit for places in self._all.of.values() for visit in places]

    def move(self, visit: Visit, state: State) -> None:
        """Called by the visit."""
        assert visit.state is not None  # noqa: S101 - it has not ended
        for each in self._places_of(visit):
            del each.of[visit.state][visit]
            each.of[state][visit] = None
        visit.state = state

    def leave(self, visit: Visit) -> None:
        """Called by the visit."""
        assert visit.state is not None  # noqa: S101 - it has not ended
        for each in self._places_of(visit):
            del each.of[visit.state][visit]
            each.number -= 1
        if not self._sites[visit.site].number:
            del self._sites[visit.site]
        if not self._all.number:
            self.empty.set()

    def _turn_away(self, visit: Visit | None, why: str) -> None:
        assert visit is not None  # noqa: S101 - there are as many as the limit
        self._refused(why, visit.address)
        visit.close()

    def _places_of(self, visit: Visit) -> tuple[_Places, _Places]:
        return self._all, self._sites.setdefault(visit.site, _Places())
