"""How many commands a client and each of its lanes hold. Which lane a command takes: `schemas.actions`."""

from schemas.actions import URGENT_PRIORITY

__all__ = ["OLDEST_EVERY", "PER_CLIENT", "PER_LANE", "URGENT_PRIORITY"]

PER_LANE = 2
"""Unfinished commands that a lane may hold at the agent: one runs while the next is already there."""
PER_CLIENT = 16
OLDEST_EVERY = 8
"""Every so many claims of a lane the oldest command goes, so that low priorities start, too."""
