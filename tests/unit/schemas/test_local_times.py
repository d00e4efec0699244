"""Moments within sentences are shown in the time zone of the reader."""

import pytest

from schemas.local_times import with_local_times
from tests.support.zones import in_zone


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("It ended at 2026-11-30T10:40:26Z.", "It ended at 2026-11-30 19:40:26 KST."),
        ("유효 기간이 2026-11-30T15:40:26.123456Z에 끝났습니다", "유효 기간이 2026-12-01 00:40:26 KST에 끝났습니다"),
        ("2026-13-30T10:40:26Z and 2026-11-30", "2026-13-30T10:40:26Z and 2026-11-30"),
    ],
)
def test_a_moment_is_shown_as_the_clock_on_the_wall_has_it(sentence: str, shown: str) -> None:
    with in_zone("Asia/Seoul"):
        assert with_local_times(sentence) == shown
