"""When a schedule fires, and what becomes of the times at which no hub was there. Pure."""

import enum
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from hub.errors import FieldProblem

FIELDS = 5
ON_TIME = timedelta(seconds=60)
"""Who fires within this of its time is on time: looks take a moment, and so does a restart of the hub."""
DEFAULT_GRACE_S = 3_600
LONGEST_GRACE_S = 86_400
"""Also bounds what is walked over after an outage: a day has 1,440 minutes."""
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


class Misfire(enum.StrEnum):
    """What happens to a time at which no hub was there."""

    SKIP = "skip"
    ONCE = "once"
    """It is made up for, within a grace; several of them together by one."""


class TimetableError(ValueError):
    """No timetable: what of cron and time_zone does not fit, and why."""

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__(", ".join(f"{problem.field}: {problem.code}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Timetable:
    """A cron expression in a time zone; make it with `of`.

    In daylight saving time it does as Debian's cron does. With fixed minutes and hours, a time that the clock leaps
    over comes at the end of the leap, and one that the clock shows twice comes once, the first time. With `*` in
    minutes or hours it goes by what the clock shows: nothing within a leap, and everything again in the hour that
    comes twice.
    """

    cron: str
    zone: ZoneInfo

    @classmethod
    def of(cls, cron: str, time_zone: str) -> "Timetable":
        """Read both. Raises TimetableError, which names all that is wrong."""
        zone, wrong_cron = _zone(time_zone), _wrong_cron(cron)
        if wrong_cron is not None or zone is None:
            wrong_zone = FieldProblem("time_zone", "time_zone") if zone is None else None
            raise TimetableError(*(problem for problem in (wrong_cron, wrong_zone) if problem is not None))
        return cls(cron, zone)

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment, in UTC; None when there is none within 50 years."""
        for found in CronSim(self.cron, moment.astimezone(self.zone)):
            at = found.astimezone(UTC)
            if at > moment:  # In the hour that comes twice, the first one may lie behind already.
                return at
        return None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about a schedule whose time has come: `fire` is the time to fire for, None for not at all;
    `missed` says that some time passed without; `next_at` is None when it never comes again."""

    fire: datetime | None
    missed: bool
    next_at: datetime | None


def decide(timetable: Timetable, planned: datetime, now: datetime, misfire: Misfire, grace: timedelta) -> Decision:
    """Judge the times from `planned` to `now`, both included: only the latest can be fired for."""
    earliest = now - (max(ON_TIME, grace) if misfire is Misfire.ONCE else ON_TIME)
    fire = planned if planned >= earliest else None
    missed = fire is None
    following = timetable.after(max(planned, earliest))
    while following is not None and following <= now:
        missed = missed or fire is not None
        fire = following
        following = timetable.after(following)
    return Decision(fire, missed, following)


def first(timetable: Timetable, now: datetime, last_at: datetime | None) -> datetime | None:
    """When a schedule that was just made, changed or enabled fires first: not for a time that it was judged for
    already, even when the clock was put back."""
    return timetable.after(now if last_at is None else max(now, last_at))


def _zone(name: str) -> ZoneInfo | None:
    if not _ZONE.fullmatch(name) or name == "Factory":
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # Not there, no zone, or a folder of zones.
        return None


def _wrong_cron(cron: str) -> FieldProblem | None:
    if len(cron.split()) != FIELDS:
        return FieldProblem("cron", "cron")
    try:
        CronSim(cron, _SOME_DAY)
    except CronSimError as problem:
        return FieldProblem("cron", "cron_field", {"name": str(problem).removeprefix("Bad ")})  # as in `Bad hour`
    return None
