"""How many commands a client and each of its lanes hold. Which lane a command takes: `schemas.actions`."""

PER_LANE = 2
"""Unfinished commands that a lane may hold at the agent: one runs while the next is already there."""
PER_CLIENT = 16
URGENT_PRIORITY = 9
"""From this priority on a command goes first and finds one more slot in each lane."""
OLDEST_EVERY = 8
"""Every so many claims of a lane the oldest command goes, so that low priorities start, too."""
