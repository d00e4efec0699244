"""What the whole fleet saw, and which of it the hub must never cause. Pure: times are arguments."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from schemas.codec import body_of

BROKEN = frozenset(
    {
        "bad_signature",
        "key_not_allowed",
        "unknown_key",
        "foreign_client",
        "retained",
        "invalid",
        "not_json",
        "bad_frame",
    }
)
"""Codes of refused messages that a hub must never cause. A key is `unknown_key` for a client that holds the hub's list
of keys; before the list came it is `before_keys`, which is no fault of anybody. A list or key that has expired is none
either: the plan's own wrong clocks bring it about."""
LATE_S = 5.0
"""How much later than its expiry an effect may begin: what the hub's time may be old when a client learns it."""

Note = Callable[[str, UUID, int], None]
"""Is told of each effect: client, command, attempt."""


class _Said(msgspec.Struct):
    """The part of a receipt or a welcome that says the hub's time."""

    hub_time: datetime | None = None


class HubTime:
    """The hub's clock as the fleet knows it from what the hub signed; the machine's own clock plays no part.

    A message is never younger than what it says, so the newest claim of all is nearest to the truth, and never ahead.
    """

    def __init__(self) -> None:
        self._ahead: float | None = None

    def heard(self, payload: bytes, mono: float) -> None:
        """A receipt or welcome that a client has verified, at a monotonic time."""
        said = msgspec.json.decode(body_of(payload), type=_Said).hub_time
        if said is not None:
            ahead = said.timestamp() - mono
            self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)

    def now(self, mono: float) -> float | None:
        """Unix seconds; None before the hub has said anything."""
        return None if self._ahead is None else self._ahead + mono


class Recorder:
    """One for all clients. `late_s`: how long a message of the hub is held up by the plan, at most."""

    def __init__(self, effect: Note, late_s: float = 0.0) -> None:
        self.counts: Counter[str] = Counter()
        self.effects: Counter[UUID] = Counter()
        self.posted: dict[UUID, tuple[str, dict[str, Any]]] = {}
        """Who carried out which payload, of commands that this program posted (see `posting`)."""
        self.welcomed: dict[str, float] = {}
        """The monotonic time at which the hub first welcomed a client."""
        self.hub_time = HubTime()
        self._effect = effect
        self._late_s = LATE_S + late_s
        self._refused: Counter[tuple[str, str]] = Counter()
        self._sentences: list[str] = []

    @property
    def broken(self) -> list[str]:
        """A sentence for each promise that the hub broke."""
        refused = [f"{who}: {count} messages refused: {code}" for (who, code), count in sorted(self._refused.items())]
        return self._sentences + refused

    def began(self, client_id: str, command_id: UUID, expires_at: float, mono: float) -> None:
        """An effect begins; `expires_at` in Unix seconds of the hub."""
        now = self.hub_time.now(mono)
        if now is not None and expires_at + self._late_s < now:
            self._sentences.append(f"{client_id}: {command_id} began {now - expires_at:.0f} s after its expiry")

    def effect(
        self, client_id: str, command_id: UUID, attempt: int, payload: dict[str, Any], *, may_repeat: bool
    ) -> None:
        """An effect took place now."""
        self.counts["effects"] += 1
        self.effects[command_id] += 1
        if "simulate" in payload:
            self.posted[command_id] = (client_id, payload)
        if self.effects[command_id] > 1:
            self.counts["effects_repeated"] += 1
            if not may_repeat:
                self._sentences.append(f"{client_id}: the effect of {command_id} was asked for twice")
        self._effect(client_id, command_id, attempt)

    def refused(self, client_id: str, code: str, count: int, *, has_keys: bool) -> None:
        """A client did not obey messages; `has_keys`: it holds the hub's list of keys."""
        if code == "unknown_key" and not has_keys:
            code = "before_keys"
        self.counts[f"refused_{code}"] += count
        if code in BROKEN:
            self._refused[client_id, code] += count
