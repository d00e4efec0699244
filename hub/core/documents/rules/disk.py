"""What so much free space means. Pure."""

import enum


class Room(enum.StrEnum):
    """How much room a disk has, the worst last."""

    OK = "ok"
    LOW = "low"
    """Somebody should make room soon."""
    FULL = "full"
    """What is left is for commands and reports: new documents are refused."""


def judge(free: int, low: int, full: int) -> Room:
    """What `free` bytes mean, when it is low below `low` and full below `full`."""
    if free < full:
        return Room.FULL
    return Room.LOW if free < low else Room.OK
