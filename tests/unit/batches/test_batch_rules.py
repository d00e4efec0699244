"""What may happen to a batch, when it stops by itself, and how a rollout is spread."""

from datetime import timedelta

import pytest

from hub.core.clients.rules import Target
from hub.features.batches.rules import BatchStatus, Change, Rollout, after, begins_after, failures_allowed, too_many

RUNNING, PAUSED, CANCELLED, FINISHED = BatchStatus


@pytest.mark.parametrize(
    ("status", "pause", "resume", "cancel"),
    [
        (RUNNING, PAUSED, RUNNING, CANCELLED),
        (PAUSED, PAUSED, RUNNING, CANCELLED),
        (CANCELLED, None, None, CANCELLED),
        (FINISHED, None, None, None),
    ],
)
def test_where_each_change_leads(
    status: BatchStatus, pause: BatchStatus | None, resume: BatchStatus | None, cancel: BatchStatus | None
) -> None:
    assert [after(status, change) for change in (Change.PAUSE, Change.RESUME, Change.CANCEL)] == [pause, resume, cancel]


@pytest.mark.parametrize(
    ("number", "percent", "accepted", "allowed"),
    [(None, None, 10, None), (3, None, 10, 3), (None, 10, 25, 2), (None, 0, 25, 0), (1, 50, 10, 1), (9, 50, 10, 5)],
)
def test_a_limit_of_failures_is_the_smaller_number(
    number: int | None, percent: float | None, accepted: int, allowed: int | None
) -> None:
    assert failures_allowed(number, percent, accepted) == allowed


def test_as_many_failures_as_allowed_do_not_stop_it() -> None:
    assert [too_many(failed, 2) for failed in range(5)] == [False, False, False, True, True]
    assert not too_many(1_000, None)
    assert too_many(1, 0)


def test_a_rollout_is_even() -> None:
    assert Rollout(per_minute=30).pace(10_000) == 30
    assert Rollout(percent_per_minute=10).pace(10_000) == 1_000
    assert Rollout(percent_per_minute=1).pace(5) == 1
    assert [begins_after(place, 30) for place in range(3)] == [timedelta(seconds=2 * place) for place in range(3)]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target(), {"all": True}),
        (Target(clients=("a", "b")), {"clients": ["a", "b"]}),
        (Target(group="g", zone="z"), {"group": "g", "zone": "z"}),
        (Target(tags_all=("x",)), {"tags": {"all": ["x"]}}),
        (Target(zone="z", tags_any=("x", "y")), {"zone": "z", "tags": {"any": ["x", "y"]}}),
    ],
)
def test_a_target_is_shown_as_it_was_asked_for(target: Target, said: dict[str, object]) -> None:
    assert target.as_json() == said
