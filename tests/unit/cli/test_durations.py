"""Durations and times as people type them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hub.programs.cli.durations import later, moment, seconds
from tests.support.zones import in_zone

NOW = datetime(2026, 11, 29, 3, 30, tzinfo=UTC)
"""12:30 in Seoul."""


@pytest.fixture(autouse=True)
def _in_seoul() -> Iterator[None]:
    with in_zone("KST-9"):
        yield


@pytest.mark.parametrize(
    ("text", "meant"),
    [("90", 90), ("0", 0), ("1.5", 1.5), ("90s", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("3d", 259_200),
     (" 1W ", 604_800), ("0.5h", 1800)],
)  # fmt: skip
def test_a_duration(text: str, meant: float) -> None:
    assert seconds(text) == meant


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1 h", "h", "1y", "1e9", "inf", "nan", "\uff11h", "999999999999d", "1h-"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"no duration|too long"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", "2026-11-29T03:30:00Z"),
        ("2h", "2026-11-29T01:30:00Z"),
        ("90", "2026-11-29T03:28:30Z"),
        ("today", "2026-11-28T15:00:00Z"),
        ("Yesterday", "2026-11-27T15:00:00Z"),
        ("2026-11-29", "2026-11-28T15:00:00Z"),
        ("20261129", "2026-11-28T15:00:00Z"),
        ("2026-11-29T08:00", "2026-11-28T23:00:00Z"),
        ("2026-11-29 08:00:01", "2026-11-28T23:00:01Z"),
        ("2026-11-29T08:00Z", "2026-11-29T08:00:00Z"),
        ("2026-11-29T08:00+01:00", "2026-11-29T07:00:00Z"),
    ],
)
def test_a_moment(text: str, meant: str) -> None:
    assert moment(text, NOW) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", "2026-11-29T03:30:00Z"),
        ("15m", "2026-11-29T03:45:00Z"),
        ("1w", "2026-12-06T03:30:00Z"),
        ("tomorrow", "2026-11-29T15:00:00Z"),
        ("2026-11-30T08:00", "2026-11-29T23:00:00Z"),
    ],
)
def test_a_moment_to_come(text: str, meant: str) -> None:
    assert later(text, NOW) == meant


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "08:00", "-2h", "0001-01-01", "99999999d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time|too long"):
        moment(text, NOW)
