"""What counts when sender, action and hub each may say something about a command's defaults."""

from datetime import timedelta

import pytest

from hub.core.commands.rules.policies import HUB, BackOff, Policy, back_off_of, effective, retry_policy


def test_an_action_s_values_count_before_the_hub_s() -> None:
    assert effective(Policy()) == HUB
    found = effective(Policy(max_retries=0, timeout_s=7))
    assert (found.max_retries, found.timeout_s, found.expires_in_s) == (0, 7, 3600)


@pytest.mark.parametrize(
    ("asked", "policy", "stored"),
    [
        (None, Policy(max_retries=5), None),
        (BackOff(), Policy(), None),
        (None, Policy(factor=3), (1, 3, 32)),
        (BackOff(first_delay_s=4), Policy(first_delay_s=2, cap_s=8), (4, 2, 8)),
        (BackOff(first_delay_s=60), Policy(), (60, 2, 60)),
    ],
)
def test_a_back_off_is_stored_whole_or_not_at_all(
    asked: BackOff | None, policy: Policy, stored: tuple[float, ...] | None
) -> None:
    found = back_off_of(asked, policy)
    assert found == (None if stored is None else dict(zip(("first_delay_s", "factor", "cap_s"), stored, strict=True)))


def test_the_waits_of_a_stored_command_grow_to_the_cap_and_end() -> None:
    policy = retry_policy(100, {"first_delay_s": 3600, "factor": 10, "cap_s": 86_400})
    steps = [policy.delay_after(attempt, 0.999999) for attempt in (1, 2, 3, 100)]
    assert [step and round(step.total_seconds(), -2) for step in steps] == [3600, 36_000, 86_400, 86_400]
    assert policy.delay_after(101, 0.5) is None
    assert retry_policy(0, None).delay_after(1, 0.5) is None
    slow = retry_policy(100, {"first_delay_s": 1, "factor": 1.1, "cap_s": 10_000})
    assert (slow.delay_after(90, 0) or timedelta(0)) > timedelta(seconds=1.1**88 / 2)
