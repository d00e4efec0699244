"""When a schedule fires, and what becomes of the times at which no hub was there. Pure."""

import enum
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

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
    """No timetable: `field` (cron or time_zone) does not fit, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


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
        """Read both. Raises TimetableError."""
        if len(cron.split()) != FIELDS:
            raise TimetableError("cron", "give five fields: minute, hour, day of month, month, day of week")
        try:
            made = cls(cron, _zone(time_zone))
            CronSim(cron, _SOME_DAY)
        except CronSimError as problem:
            raise TimetableError("cron", _sentence(problem)) from None
        return made

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


def _zone(name: str) -> ZoneInfo:
    if not _ZONE.fullmatch(name) or name == "Factory":
        raise TimetableError("time_zone", _NO_ZONE)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # Not there, no zone, or a folder of zones.
        raise TimetableError("time_zone", _NO_ZONE) from None


_NO_ZONE = "there is no such time zone: give an IANA name such as Asia/Seoul, or UTC"


def _sentence(problem: CronSimError) -> str:
    """What the library says, `Bad hour`, as a sentence of ours."""
    field = str(problem).removeprefix("Bad ")
    return f"its {field} does not fit, or never comes; five fields such as 0 7 * * 1-5 are taken"
