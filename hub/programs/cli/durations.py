"""Durations and times as people type them: 90, 90s, 15m, 2h, 1h30m, 3d, 1w; today, 2026-11-29, 2026-11-29T08:00."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_WHOLE = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?[smhdw])+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhdw])")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_LONGEST_S = 100 * 366 * 86_400.0


def seconds(text: str) -> float:
    """A duration in seconds. Raises ValueError."""
    plain = text.strip().lower()
    if _NUMBER.fullmatch(plain):
        found = float(plain)
    elif _WHOLE.fullmatch(plain):
        found = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(plain))
    else:
        raise ValueError(f"{text!r} is no duration: use seconds, or 90s, 15m, 2h, 1h30m, 3d, 1w")
    if found > _LONGEST_S:
        raise ValueError(f"{text!r} is too long")
    return found


def moment(text: str, now: datetime | None = None) -> str:
    """A moment for the API (UTC): a duration before now, `now`, `today`, `yesterday`, `tomorrow`, a date, or a time.
    What names no zone is this machine's. Raises ValueError."""
    return _moment(text, now, -1, "2h, 3d, today, yesterday, 2026-11-29 or 2026-11-29T08:00")


def later(text: str, now: datetime | None = None) -> str:
    """The same for a moment to come: a duration counts from now. Raises ValueError."""
    return _moment(text, now, 1, "15m, 2h, tomorrow, 2026-11-29 or 2026-11-29T08:00")


def _moment(text: str, now: datetime | None, direction: int, forms: str) -> str:
    here = (now or datetime.now(UTC)).astimezone()
    plain = text.strip()
    word = plain.lower()
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if word == "now":
        found = here
    elif word in _DAYS:
        found = (midnight + timedelta(days=_DAYS[word])).astimezone()
    elif _WHOLE.fullmatch(word) or (_NUMBER.fullmatch(word) and len(word) < 8):
        found = here + direction * timedelta(seconds=seconds(word))
    else:
        try:
            found = datetime.fromisoformat(plain).astimezone()
        except (ValueError, OverflowError):
            raise ValueError(f"{text!r} is no time: use {forms}") from None
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z")
