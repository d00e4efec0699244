"""What a list says of a client that there is, and how long a broker is left alone."""

from typing import Any

import pytest

from hub.core.broker.worker.imports import LONGEST_PAUSE_S, SHORTEST_PAUSE_S, pause_after
from hub.core.clients.rules.imports import differences, filled

THERE: dict[str, Any] = {
    "name": "Press 7",
    "zone": None,
    "tags": ["a", "b"],
    "groups": ["one"],
    "metadata": {"asset": "A-1", "room": "2"},
    "allowed_actions": None,
    "rate_limit": 60,
}


@pytest.mark.parametrize(
    ("said", "differs"),
    [
        ({}, {}),
        (THERE, {}),
        ({"tags": ["b", "a", "b"], "metadata": {"asset": "A-1"}}, {}),
        ({"zone": "hall-1"}, {"zone": (None, "hall-1")}),
        ({"groups": ["two"]}, {"groups": (["one"], ["two"])}),
        ({"allowed_actions": []}, {"allowed_actions": (None, [])}),
        ({"metadata": {"room": "3"}}, {"metadata": (THERE["metadata"], {"asset": "A-1", "room": "3"})}),
    ],
)
def test_only_what_the_list_says_can_differ(said: dict[str, Any], differs: dict[str, Any]) -> None:
    assert differences(said, THERE) == differs


def test_a_new_client_has_the_usual_limits_where_the_list_is_silent() -> None:
    assert filled("pc-1", {"zone": "hall-1", "groups": ["one"]}) == {
        "name": "pc-1",
        "kind": "other",
        "zone": "hall-1",
        "tags": [],
        "metadata": {},
        "allowed_actions": None,
        "rate_limit": 60,
        "max_commands_per_day": 1_000,
    }


def test_a_broker_that_takes_long_is_left_alone_for_long() -> None:
    assert pause_after(0) == pause_after(0.001) == SHORTEST_PAUSE_S == 1 / 20
    assert pause_after(0.005) == pytest.approx(0.1)
    assert pause_after(0.03) == pytest.approx(3)
    assert pause_after(1) == LONGEST_PAUSE_S
