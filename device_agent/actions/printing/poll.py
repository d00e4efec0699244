"""How patient a printer's driver is, and the pauses between its questions."""

import asyncio

from msgspec import Struct

_GROWTH = 1.5


class Timing(Struct, frozen=True, kw_only=True):
    """How patient a printer's driver is, in seconds. The defaults are guesses from a few printers."""

    poll_first_s: float = 0.1
    poll_most_s: float = 2.0
    busy_s: float = 30.0
    """How long a printer may be busy with somebody else's job before the attempt counts as held."""
    away_first_s: float = 0.5
    away_most_s: float = 5.0
    """Between two tries to reach a printer that is away."""
    verdict_s: float = 10.0
    """How long a job may go on after its printer said that it cannot print the document."""
    lost_s: float = 60.0
    """How long a printer may answer in the middle of a job without saying what the job is in."""
    quiet_s: float = 10.0
    """How long a printer may be silent in the middle of a job before the attempt counts as held."""
    away_s: float = 86_400.0
    """How long it may be silent at all: it may be switched off and on again. The time of the run ends it sooner."""
    evidence_s: float = 45.0
    """How long evidence is asked for; less than the executor's patience."""
    connect_s: float = 5.0
    send_s: float = 600.0


class Poll:
    """The pauses between questions: short at first, then longer; short again after something happened."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._pause_s = first_s

    async def wait(self) -> None:
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * _GROWTH, self._most_s)

    def reset(self) -> None:
        self._pause_s = self._first_s
