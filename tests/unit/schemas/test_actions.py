"""Which lane an action takes, which payload, and under which names its fields are stored."""

from typing import Any

import pytest

from schemas import names
from schemas.actions import PayloadError, accept, lane_of


@pytest.mark.parametrize(
    ("action", "payload", "lane"),
    [
        ("print", {"printer": "labels"}, "printer:labels"),
        ("print", {}, "printer:"),
        ("print", {"printer": None}, "printer:"),
        ("print", {"printer": "x" * 500}, ("printer:" + "x" * 500)[:200]),
        ("display", {"display_index": 2}, "display:2"),
        ("display", {}, "display:0"),
        ("reboot", {"printer": "labels"}, "client"),
        ("open_gate", {}, "client"),
    ],
)
def test_the_lane_follows_from_action_and_payload(action: str, payload: dict[str, Any], lane: str) -> None:
    assert lane_of(action, payload, 5) == lane


@pytest.mark.parametrize(
    ("action", "lanes"),
    [
        ("shutdown", ["client", "client", "machine", "machine"]),
        ("reboot", ["client", "client", "machine", "machine"]),
        ("restart_agent", ["client"] * 4),
        ("open_gate", ["client"] * 4),
        ("print", ["printer:"] * 4),
    ],
)
def test_an_urgent_end_of_the_machine_waits_for_nothing_that_runs(action: str, lanes: list[str]) -> None:
    assert [lane_of(action, {}, priority) for priority in (1, 8, 9, 10)] == lanes


@pytest.mark.parametrize(
    ("asked", "stored", "lane"),
    [
        ({"display_index": 2}, {"display_index": 2}, "display:2"),
        ({"displayIndex": 2}, {"display_index": 2}, "display:2"),
        ({"display": 2}, {"display_index": 2}, "display:2"),
        ({"display": 1, "displayIndex": 1, "display_index": 1}, {"display_index": 1}, "display:1"),
        (
            {"url": "https://shop.example", "display": 3},
            {"url": "https://shop.example", "display_index": 3},
            "display:3",
        ),
        ({"text": "ready"}, {"text": "ready"}, "display:0"),
    ],
)
def test_a_display_is_stored_and_queued_by_its_index(asked: dict[str, Any], stored: dict[str, Any], lane: str) -> None:
    found = accept("display", asked)
    assert found == stored
    assert lane_of("display", found, 5) == lane


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"display_index": -1}, "display_index"),
        ({"display": "left"}, "display_index"),
        ({"displayIndex": True}, "display_index"),
        ({"display_index": None}, "display_index"),
        ({"display_index": 1, "display": 2}, "display"),
        ({"displayIndex": 1, "display": 2}, "display"),
    ],
)
def test_a_display_that_is_no_index_or_not_clear_is_refused(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError) as caught:
        accept("display", asked)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "payload",
    [
        {"printer": "labels", "document": "0192f0c1-0000-7000-8000-000000000001"},
        {"printer": "labels", "document": {"id": "x"}, "copies": 999, "sides": "one-sided", "color": "auto"},
        {"printer": "labels", "document": {"id": "x", "path": "/d", "sha256": "0", "size": 1, "content_type": "a/b"}},
        {"printer": "labels", "document": {"url": "https://files.example/a.pdf"}},
        {"printer": "labels", "document": {"path": "/srv/labels/a.zpl"}},
        {"document": "x"},
        {"printer": "labels", "document": "x", "pages": "1-3,5", "collate": False, "media_source": "tray-1"},
        {"printer": "labels", "document": "x", "scaling": "fit", "fit_to_page": True, "number_up": 16},
        {"printer": "labels", "document": "x", "duplex": True},
        {"printer": "labels", "document": "x", "duplex": "short"},
        {"printer": "labels", "document": "x", "duplex": False, "sides": "one-sided"},
    ],
)
def test_what_print_takes(payload: dict[str, Any]) -> None:
    assert accept("print", payload) == payload


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"copies": 0}, "copies"),
        ({"copies": 1000}, "copies"),
        ({"copies": "two"}, "copies"),
        ({"printer": ""}, "printer"),
        ({"sides": "both"}, "sides"),
        ({"sides": "one-sided", "duplex": True}, "duplex"),
        ({"colour": "auto"}, ""),
        ({"pages": ""}, "pages"),
        ({"pages": 3}, "pages"),
        ({"pages": "5,1-3"}, "pages"),
        ({"collate": "yes"}, "collate"),
        ({"media_source": "tray 1\n"}, "media_source"),
        ({"quality": "best"}, "quality"),
        ({"scaling": "fit", "fit_to_page": False}, "fit_to_page"),
        ({"scaling": "zoom"}, "scaling"),
        ({"number_up": 0}, "number_up"),
        ({"number_up": 101}, "number_up"),
        ({"document": None}, "document"),
        ({"document": {}}, "document"),
        ({"document": {"url": "https://files.example/a.pdf", "path": "/a.pdf"}}, "document"),
        ({"document": {"url": "https://files.example/a.pdf", "id": "x"}}, "document"),
        ({"document": {"url": 7}}, "document.url"),
        ({"document": {"id": "x", "name": "a.pdf"}}, "document"),
    ],
)
def test_what_print_refuses_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError) as caught:
        accept("print", {"printer": "labels", "document": "x"} | change)
    assert caught.value.field == field


def test_a_sites_own_action_takes_any_object_and_status_none() -> None:
    accept("open_gate", {"gate": [1, {"a": None}]})
    with pytest.raises(PayloadError):
        accept("status", {"verbose": True})


@pytest.mark.parametrize(
    ("action", "asked", "stored"),
    [
        ("print", {"document": "d", "copies": 2.0}, {"document": "d", "copies": 2}),
        ("print", {"document": "d", "numberUp": 4.0, "number_up": 4}, {"document": "d", "number_up": 4}),
        ("print", {"document": "d", "options": {"copies": 3.0}}, {"document": "d", "copies": 3}),
        ("print", {"document": {"id": "d", "size": 9.0}}, {"document": {"id": "d", "size": 9}}),
        ("display", {"display": 2.0}, {"display_index": 2}),
        ("collect_logs", {"max_bytes": 1e3}, {"max_bytes": 1000}),
        ("reboot", {"delay_s": 2.0}, {"delay_s": 2.0}),
        ("weigh", {"copies": 2.0}, {"copies": 2.0}),
    ],
)
def test_a_whole_number_is_one_however_it_is_written(
    action: str, asked: dict[str, Any], stored: dict[str, Any]
) -> None:
    found = accept(action, asked)
    assert repr(found) == repr(stored)


@pytest.mark.parametrize("copies", [2.5, 1e30, -1.0, True, "2"])
def test_what_is_no_whole_number_within_the_limits_stays_refused(copies: Any) -> None:
    with pytest.raises(PayloadError) as caught:
        accept("print", {"document": "d", "copies": copies})
    assert caught.value.field == "copies"


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"copies": 1, "options": {"copies": True}}, "options.copies"),
        ({"collate": True, "options": {"collate": 1}}, "options.collate"),
        ({"number_up": 1, "numberUp": True}, "numberUp"),
    ],
)
def test_true_is_not_one(payload: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError, match="contradicts") as caught:
        accept("print", {"document": "d", **payload})
    assert caught.value.field == field


def test_a_value_that_differs_from_itself_does_not_contradict_itself() -> None:
    with pytest.raises(PayloadError) as caught:
        accept("print", {"document": "d", "numberUp": float("nan")})
    assert caught.value.field == "number_up"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (2, 2.0, True),
        (1, True, False),
        (0.0, False, False),
        ([1, {"a": True}], [1.0, {"a": True}], True),
        ([1, {"a": True}], [1, {"a": 1}], False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ([1], [1, 2], False),
        (None, False, False),
        ("1", 1, False),
    ],
)
def test_two_names_say_the_same_as_json_does(one: Any, other: Any, same: bool) -> None:
    assert names.same(one, other) is same
    assert names.same(other, one) is same


def test_deep_values_are_compared_without_end_of_the_stack() -> None:
    deep: Any = 1
    other: Any = 1.0
    for _ in range(5_000):
        deep, other = [deep], [other]
    assert names.same(deep, other)
