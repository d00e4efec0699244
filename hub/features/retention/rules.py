"""What may be archived and deleted, and when. Pure: the clock is an argument.

A period of None keeps for ever. What is never deleted, however old: a command that has not ended, one of a batch that
has not ended, a dead letter that waits for a person (unless there is a period for these), and a document that a command
of either sort names, since it may be printed yet.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Periods:
    """How long is kept what does not go by its age alone; None: for ever."""

    commands: timedelta | None
    """From the end of the command, of its batch, or of its dead letter, whichever is last."""
    dead_letters: timedelta | None
    """Open ones, from the end of the command."""
    documents: timedelta | None
    """From the last command that named it."""

    @property
    def first_command(self) -> timedelta | None:
        """The age before which no command may go; None: none ever may."""
        return min((period for period in (self.commands, self.dead_letters) if period is not None), default=None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the decision about a command depends on."""

    finished_at: datetime | None
    waits: bool = False
    """It is a dead letter that nobody has closed."""
    closed_at: datetime | None = None
    in_batch: bool = False
    """Its batch has not ended."""
    batch_finished_at: datetime | None = None


def may_go(command: Candidate, periods: Periods, now: datetime) -> bool:
    """Whether a command may be deleted at `now`."""
    if command.finished_at is None or command.in_batch:
        return False
    if command.waits:
        return periods.dead_letters is not None and command.finished_at < now - periods.dead_letters
    ends = (command.finished_at, command.closed_at, command.batch_finished_at)
    return periods.commands is not None and max(end for end in ends if end is not None) < now - periods.commands


def first_id_of(moment: datetime) -> UUID:
    """The lowest UUIDv7 of a moment: every id made before is lower, so that the primary key finds what is old. A
    command ends after its id was made, so an id that is not lower belongs to nothing that is old enough."""
    return UUID(int=max(int(moment.timestamp() * 1000), 0) << 80)
