"""Counting requests by the minute, and reading when a request says that it was sent."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.core.limits.rules import Windows, is_fresh, is_nonce, moment_of, site_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def left(windows: Windows, who: str, now: float, share: int = 1) -> int:
    count = windows.take(who, now, share)
    assert count is not None
    return count.left


def test_a_minute_has_exactly_its_limit_and_then_begins_anew() -> None:
    windows = Windows(3)
    assert [left(windows, "wms", at) for at in (0.0, 30.0, 59.0, 59.9)] == [2, 1, 0, -1]
    assert left(windows, "shop", 59.9) == 2
    assert [left(windows, "wms", at) for at in (60.0, 61.0)] == [2, 1]


def test_the_reset_is_when_the_minute_ends() -> None:
    windows = Windows(1)
    windows.take("wms", 100.0)
    refused = windows.take("wms", 130.0)
    assert refused is not None
    assert (refused.left, refused.reset_s) == (-1, 30.0)


@pytest.mark.parametrize(("share", "allowed"), [(1, 6), (2, 3), (4, 2), (100, 1)])
def test_a_process_allows_its_share(share: int, allowed: int) -> None:
    windows = Windows(6)
    assert [left(windows, "wms", 0.0, share) >= 0 for _ in range(allowed + 1)] == [True] * allowed + [False]


def test_zero_is_no_limit() -> None:
    assert Windows(0).take("wms", 0.0) is None


def test_addresses_without_end_take_bounded_room() -> None:
    windows = Windows(1, most=100)
    for number in range(1_000):
        windows.take(f"10.0.{number // 256}.{number % 256}", float(number) / 1_000)
    assert len(windows._windows) == 100
    assert left(windows, "10.0.3.231", 1.0) == -1


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("nonsense", "nonsense"),
    ],
)
def test_what_an_address_is_counted_by(address: str, counted: str) -> None:
    assert site_of(address) == counted


@pytest.mark.parametrize(
    "text", ["1772366400", "1772366400000", "1772366400.0", "2026-03-01T12:00:00Z", "2026-03-01T21:00:00+09:00"]
)
def test_times_in_every_form(text: str) -> None:
    assert moment_of(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "-1",
        "1e9",
        "2026-03-01T12:00:00",
        "0x10",
        "١٢٣",
        "9" * 40,
        "NaN",
        "2026-13-01T00:00:00Z",
        "+1772366400",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert moment_of(text) is None


def test_five_minutes_to_either_side_are_fresh() -> None:
    five = timedelta(minutes=5)
    assert is_fresh(NOON + five, NOON)
    assert is_fresh(NOON - five, NOON)
    assert not is_fresh(NOON + five + timedelta(milliseconds=1), NOON)
    assert not is_fresh(NOON - five - timedelta(milliseconds=1), NOON)
    assert not is_fresh(datetime.min.replace(tzinfo=UTC), NOON)


@pytest.mark.parametrize(
    ("text", "right"), [("a", True), ("a" * 128, True), ("", False), ("a" * 129, False), ("a b", False)]
)
def test_what_a_nonce_may_be(text: str, right: bool) -> None:
    assert is_nonce(text) is right
    assert not is_nonce(text + "\n")
