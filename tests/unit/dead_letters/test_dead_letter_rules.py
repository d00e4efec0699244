"""How long a replay has, and what nobody can say of a command."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.core.commands.rules.lifecycle import Command, Status
from hub.features.dead_letters.rules import OUTCOMES, Decide, judge, time_left

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("not_before", "attempt", "asked_s", "seconds"),
    [
        (None, 1, None, 3 * 3600),
        # It might not begin before its time; later attempts have one of their own.
        (NOW + 2 * HOUR, 1, None, 3600),
        (NOW + 2 * HOUR, 2, None, 3 * 3600),
        (NOW - HOUR, 1, None, 3 * 3600),
        (None, 1, 60.0, 60),
        # Times that no submit would take still leave a moment.
        (NOW + 4 * HOUR, 1, None, 1),
    ],
)
def test_a_replay_has_as_long_as_its_original_had(
    not_before: datetime | None, attempt: int, asked_s: float | None, seconds: float
) -> None:
    assert time_left(NOW, not_before, NOW + 3 * HOUR, attempt, asked_s) == seconds


@pytest.mark.parametrize("outcome", sorted(set(Status) - OUTCOMES))
def test_nobody_decides_that_a_command_is_what_only_the_hub_or_an_agent_knows(outcome: Status) -> None:
    command = Command(Status.UNKNOWN, 1, NOW, 60.0)
    with pytest.raises(ValueError, match="nobody can decide"):
        judge(command, Decide(outcome, "kim"), NOW)
