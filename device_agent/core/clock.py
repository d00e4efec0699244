"""The hub's time as the agent knows it: what expiry is judged by.

The machine's own wall clock may be wrong by years. The hub says its time in signed messages; between them the
monotonic clock carries it on. The result never goes backwards, also not across a restart: the highest time that was
seen lies in the journal.
"""

from device_agent.core.events import Now

MAX_SKEW_S = 300.0
"""How far the wall clock may be off before the agent says so."""


class HubClock:
    """Starts from the highest hub time of the journal; `anchored` once the hub of today has said its time."""

    def __init__(self, floor: float) -> None:
        self._floor = floor
        self._anchor: tuple[float, float] | None = None

    @property
    def anchored(self) -> bool:
        """Whether expiry may be judged: the hub has told its time since this process started."""
        return self._anchor is not None

    def now(self, at: Now) -> float:
        """Unix seconds. Before the first anchor: the wall clock, but not before the journal's highest time."""
        if self._anchor is None:
            return max(self._floor, at.wall)
        hub_time, mono = self._anchor
        return max(self._floor, hub_time + (at.mono - mono))

    def for_key_expiry(self, at: Now) -> float:
        """The time that a signing key's expiry is judged by.

        A wall clock that runs ahead must not lock the agent out of a hub it knows, so an agent that has met its hub
        uses the journal's time until the welcome. A new one has nothing better than the wall clock.
        """
        return self._floor if self._anchor is None and self._floor > 0 else self.now(at)

    def adopt_welcome(self, hub_time: float, at: Now) -> None:
        """A fresh answer to our birth: follow it. Where it lies behind us, our time stands still until it caught up."""
        if self._anchor is not None:
            self._floor = self.now(at)
        self._floor = max(self._floor, hub_time)
        self._anchor = (hub_time, at.mono)

    def adopt_receipt(self, hub_time: float, at: Now) -> None:
        """A receipt may be late or repeated by the broker: it can only move the time forward."""
        if self._anchor is not None and hub_time > self.now(at):
            self._floor = hub_time
            self._anchor = (hub_time, at.mono)

    def skew(self, at: Now) -> float | None:
        """Seconds by which the wall clock is ahead, when that is more than `MAX_SKEW_S` either way."""
        difference = at.wall - self.now(at)
        return difference if self.anchored and abs(difference) > MAX_SKEW_S else None
