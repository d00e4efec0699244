"""When a schedule fires: calendars, daylight saving time, and times at which no hub was there."""

import contextlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.features.schedules.rules import Decision, Misfire, Timetable, TimetableError, decide, first

BERLIN, SEOUL, NEW_YORK = "Europe/Berlin", "Asia/Seoul", "America/New_York"
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(cron: str, zone: str, after: str, count: int) -> list[str]:
    timetable = Timetable.of(cron, zone)
    found: list[str] = []
    moment: datetime | None = utc(after)
    while moment is not None and len(found) < count:
        moment = timetable.after(moment)
        if moment is not None:
            found.append(moment.strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 7 * * 1-5", SEOUL, "2026-11-20 12:00", ["2026-11-22 22:00", "2026-11-23 22:00"]),  # over a weekend
        ("0 7 * * 1-5", SEOUL, "2026-11-22 21:59:59", ["2026-11-22 22:00"]),
        ("0 7 * * 1-5", SEOUL, "2026-11-22 22:00", ["2026-11-23 22:00"]),  # strictly after
        ("0 0 31 * *", "UTC", "2026-01-31 00:00", ["2026-03-31 00:00", "2026-05-31 00:00"]),  # short months have none
        ("0 0 L * *", "UTC", "2026-01-31 00:00", ["2026-02-28 00:00", "2026-03-31 00:00"]),
        ("0 0 L 2 *", "UTC", "2027-01-01 00:00", ["2027-02-28 00:00", "2028-02-29 00:00"]),
        ("0 12 29 2 *", "UTC", "2026-01-01 00:00", ["2028-02-29 12:00", "2032-02-29 12:00"]),
        ("0 12 29 2 *", "UTC", "2096-03-01 00:00", ["2104-02-29 12:00"]),  # 2100 is no leap year
        ("59 23 31 12 *", SEOUL, "2026-12-31 14:58", ["2026-12-31 14:59", "2027-12-31 14:59"]),
        ("0 9 * * MON#1", "UTC", "2026-11-21 00:00", ["2026-12-07 09:00", "2027-01-04 09:00"]),
        ("0 9 13 nov,Dec fri", "UTC", "2026-11-01 00:00", ["2026-11-06 09:00", "2026-11-13 09:00"]),  # either day
        ("0 9 13 nov,Dec fri", "UTC", "2026-12-11 09:00", ["2026-12-13 09:00", "2026-12-18 09:00"]),
        ("0 9 * * 7", "UTC", "2026-11-21 00:00", ["2026-11-22 09:00", "2026-11-29 09:00"]),
        ("0 9 * * 0", "UTC", "2026-11-21 00:00", ["2026-11-22 09:00", "2026-11-29 09:00"]),
        ("*/20 1-2 * * *", "UTC", "2026-11-21 01:30", ["2026-11-21 01:40", "2026-11-21 02:00"]),
    ],
)
def test_the_calendar(cron: str, zone: str, after: str, expected: list[str]) -> None:
    assert times(cron, zone, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # Berlin leaps from 02:00 to 03:00 (01:00 UTC) on 2026-03-29. A fixed time within comes at the leap's end, once.
        ("30 2 * * *", BERLIN, "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
        ("15,45 2 * * *", BERLIN, "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:15"]),
        ("0 7 * * *", BERLIN, "2026-03-28 00:00", ["2026-03-28 06:00", "2026-03-29 05:00"]),  # 07:00 there all the same
        ("0 * * * *", BERLIN, "2026-03-28 23:30", ["2026-03-29 00:00", "2026-03-29 01:00", "2026-03-29 02:00"]),
        ("*/30 2 * * *", BERLIN, "2026-03-28 12:00", ["2026-03-30 00:00"]),  # with *: nothing within the leap
        # On 2026-10-25 it shows 02:00 to 03:00 twice, from 00:00 UTC. A fixed time comes once, the first time.
        ("30 2 * * *", BERLIN, "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("30 2 * * *", BERLIN, "2026-10-25 01:10", ["2026-10-26 01:30"]),  # asked in the second 02:10
        ("0 3 * * *", BERLIN, "2026-10-25 00:30", ["2026-10-25 02:00"]),
        (
            "0 * * * *",
            BERLIN,
            "2026-10-24 23:30",
            ["2026-10-25 00:00", "2026-10-25 01:00", "2026-10-25 02:00"],
        ),
        (
            "*/30 2 * * *",
            BERLIN,
            "2026-10-24 12:00",
            ["2026-10-25 00:00", "2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30", "2026-10-26 01:00"],
        ),
        ("30 1 * * *", NEW_YORK, "2026-11-01 00:00", ["2026-11-01 05:30", "2026-11-02 06:30"]),
    ],
)
def test_daylight_saving_time(cron: str, zone: str, after: str, expected: list[str]) -> None:
    assert times(cron, zone, after, len(expected)) == expected


@pytest.mark.parametrize("cron", ["30 2 * * *", "*/20 * * * *", "0 */5 * * *", "5 0 1 * *", "0 1,2,3 * * 0"])
@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, SEOUL, "Australia/Lord_Howe", "Africa/Casablanca"])
def test_times_only_go_forward(cron: str, zone: str) -> None:
    timetable = Timetable.of(cron, zone)
    for day in ("2026-03-28", "2026-10-24", "2026-04-04", "2026-11-01"):
        moment = utc(f"{day} 00:00")
        found = [moment := timetable.after(moment) or moment for _ in range(100)]
        assert all(one < other for one, other in pairwise(found))
        # Where one begins to ask makes no difference.
        assert all(timetable.after(other - timedelta(seconds=1)) == other for other in found)


@pytest.mark.parametrize(
    ("cron", "zone", "field"),
    [
        ("", "UTC", "cron"),
        ("* * * *", "UTC", "cron"),
        ("0 * * * * *", "UTC", "cron"),  # seconds
        ("60 * * * *", "UTC", "cron"),
        ("@daily", "UTC", "cron"),
        ("0 0 30 2 *", "UTC", "cron"),
        ("0 0 * * */0", "UTC", "cron"),
        ("0 7 * * *", "Seoul", "time_zone"),
        ("0 7 * * *", "Asia", "time_zone"),
        ("0 7 * * *", "../../etc/passwd", "time_zone"),
        ("0 7 * * *", "localtime", "time_zone"),
        ("0 7 * * *", "right/Europe/Berlin", "time_zone"),
        ("0 7 * * *", "", "time_zone"),
        ("0 7 * * *", "Europe/Berlin\n", "time_zone"),
    ],
)
def test_what_is_no_timetable_is_refused_by_field(cron: str, zone: str, field: str) -> None:
    with pytest.raises(TimetableError) as caught:
        Timetable.of(cron, zone)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_all_that_is_no_timetable_is_told_at_once() -> None:
    with pytest.raises(TimetableError) as caught:
        Timetable.of("60 * * * *", "Seoul")
    assert [problem.field for problem in caught.value.problems] == ["cron", "time_zone"]


@given(st.lists(st.text(alphabet="0123456789*/,-L#WMONJAé٣", max_size=8), min_size=5, max_size=5).map(" ".join))
def test_no_expression_is_a_fault(cron: str) -> None:
    try:
        timetable = Timetable.of(cron, SEOUL)
    except TimetableError:
        return
    found = timetable.after(utc("2026-11-21 00:00"))
    assert found is None or found > utc("2026-11-21 00:00")


@given(st.text(max_size=20))
def test_no_name_of_a_zone_is_a_fault(name: str) -> None:
    with contextlib.suppress(TimetableError):
        Timetable.of("0 7 * * *", name)


# --- times at which no hub was there --------------------------------------------------------------------------

DAILY = Timetable.of("0 7 * * *", "UTC")
EVERY_MINUTE = Timetable.of("* * * * *", "UTC")
SEVEN = utc("2026-11-21 07:00")
TOMORROW = SEVEN + timedelta(days=1)


@pytest.mark.parametrize(
    ("late", "misfire", "expected"),
    [
        (timedelta(0), Misfire.SKIP, Decision(SEVEN, False, TOMORROW)),
        (timedelta(seconds=60), Misfire.SKIP, Decision(SEVEN, False, TOMORROW)),
        (timedelta(seconds=61), Misfire.SKIP, Decision(None, True, TOMORROW)),
        (timedelta(seconds=61), Misfire.ONCE, Decision(SEVEN, False, TOMORROW)),
        (HOUR, Misfire.ONCE, Decision(SEVEN, False, TOMORROW)),
        (HOUR + timedelta(seconds=1), Misfire.ONCE, Decision(None, True, TOMORROW)),
        (timedelta(days=400, hours=2), Misfire.ONCE, Decision(None, True, SEVEN + timedelta(days=401))),
        (timedelta(days=400), Misfire.ONCE, Decision(SEVEN + timedelta(days=400), True, SEVEN + timedelta(days=401))),
    ],
)
def test_a_time_that_passed_is_made_up_for_within_the_grace(
    late: timedelta, misfire: Misfire, expected: Decision
) -> None:
    assert decide(DAILY, SEVEN, SEVEN + late, misfire, HOUR) == expected


@pytest.mark.parametrize("misfire", Misfire)
def test_many_that_passed_are_one(misfire: Misfire) -> None:
    now = SEVEN + timedelta(minutes=30, seconds=20)
    found = decide(EVERY_MINUTE, SEVEN, now, misfire, HOUR)
    assert found == Decision(SEVEN + timedelta(minutes=30), True, SEVEN + timedelta(minutes=31))


def test_a_small_grace_is_a_minute() -> None:
    assert decide(DAILY, SEVEN, SEVEN + timedelta(seconds=30), Misfire.ONCE, timedelta(0)).fire == SEVEN


def test_a_time_that_was_judged_is_not_judged_again_when_the_clock_is_put_back() -> None:
    assert first(DAILY, SEVEN - HOUR, None) == SEVEN
    assert first(DAILY, SEVEN - HOUR, SEVEN) == TOMORROW
