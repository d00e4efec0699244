"""Which lane a command takes: what can do one thing at a time on a client."""

from collections.abc import Mapping
from typing import Any

CLIENT_LANE = "client"

PER_LANE = 2
"""Unfinished commands that a lane may hold at the agent: one runs while the next is already there."""
PER_CLIENT = 16
URGENT_PRIORITY = 9
"""From this priority on a command goes first and finds one more slot in each lane."""
OLDEST_EVERY = 8
"""Every so many claims of a lane the oldest command goes, so that low priorities start, too."""


def lane_of(action: str, payload: Mapping[str, Any]) -> str:
    """The lane of an action with this payload; decided at submit and kept."""
    match action:
        case "print":
            return f"printer:{payload.get('printer', '')}"[:200]
        case "display":
            return f"display:{payload.get('display', 0)}"[:200]
        case _:
            return CLIENT_LANE
