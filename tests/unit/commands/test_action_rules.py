"""Which lane an action takes, and which payload."""

from typing import Any

import pytest

from hub.core.commands.rules.actions import PayloadError, check_payload
from hub.core.commands.rules.lanes import lane_of


@pytest.mark.parametrize(
    ("action", "payload", "lane"),
    [
        ("print", {"printer": "labels"}, "printer:labels"),
        ("print", {}, "printer:"),
        ("print", {"printer": "x" * 500}, ("printer:" + "x" * 500)[:200]),
        ("display", {"display": 2}, "display:2"),
        ("display", {}, "display:0"),
        ("reboot", {"printer": "labels"}, "client"),
        ("open_gate", {}, "client"),
    ],
)
def test_the_lane_follows_from_action_and_payload(action: str, payload: dict[str, Any], lane: str) -> None:
    assert lane_of(action, payload) == lane


@pytest.mark.parametrize(
    "payload",
    [
        {"printer": "labels", "document": "0192f0c1-0000-7000-8000-000000000001"},
        {"printer": "labels", "document": {"id": "x"}, "copies": 999, "sides": "one-sided", "color": "auto"},
        {"printer": "labels", "document": "x", "duplex": True},
        {"printer": "labels", "document": "x", "duplex": "short"},
    ],
)
def test_what_print_takes(payload: dict[str, Any]) -> None:
    check_payload("print", payload)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"copies": 0}, "copies"),
        ({"copies": 1000}, "copies"),
        ({"copies": "two"}, "copies"),
        ({"printer": ""}, "printer"),
        ({"sides": "both"}, "sides"),
        ({"sides": "one-sided", "duplex": False}, "duplex"),
        ({"colour": "auto"}, ""),
        ({"document": None}, "document"),
    ],
)
def test_what_print_refuses_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError) as caught:
        check_payload("print", {"printer": "labels", "document": "x"} | change)
    assert caught.value.field == field


def test_a_sites_own_action_takes_any_object_and_status_none() -> None:
    check_payload("open_gate", {"gate": [1, {"a": None}]})
    with pytest.raises(PayloadError):
        check_payload("status", {"verbose": True})
