"""Names that JSON gives twice are found, wherever they are and however they are written; and nothing else is."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import json_keys


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('{"a": 1, "a": 1}', ["a"]),
        ('{"a": 1, "b": 2, "a": 3, "b": 4, "a": 5}', ["a", "b"]),
        ('{"a":1,"\\u0061":2}', ["a"]),
        ('{"a" : 1 , "a" : 2}', ["a"]),
        ('{"payload": {"copies": 1, "copies": 2}}', ["payload.copies"]),
        ('{"commands": [{"x": 1}, {"y": {"z": 1, "z": 2}}]}', ["commands[1].y.z"]),
        ('{"a": {"b": 1, "b": 2}, "a": {"c": 1, "c": 2}}', ["a", "a.c"]),
        ('{"a": {"b": 1}, "a": 1}', ["a"]),
        ('[[{"": 1, "": 2}]]', ["[0][0]."]),
        ('{"주문": 1, "주문": 2}', ["주문"]),
        ('{"u": "http://a:b/c", "u": "x\\u003a"}', ["u"]),
        ('{"u": "\\u003a", "a": 1, "a": 2}', ["a"]),
        ('{"u": "::", "u": 1, "v": "\\u003A\\u003a"}', ["u"]),
        ('{"a": 1, "A": 2, "b": {"a": 1}, "c": [{"a": 1}, {"a": 1}]}', []),
        ('{"at": "2026-11-30T00:00:00Z", "url": "https://x/?a=\\"b\\":1"}', []),
        ("{}", []),
        ("[]", []),
        ("1", []),
    ],
)
def test_each_place_is_named_once(text: str, places: list[str]) -> None:
    value, found = json_keys.loads(text)
    assert found == places
    assert value == json.loads(text)
    assert json_keys.loads(text.encode()) == (value, places)
    if places and isinstance(value, dict):
        assert not json_keys.is_plainly_unique(text.encode(), msgspec.json.decode(text))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("NaN", [""]),
        ('{"a": Infinity, "b": [1, {"c": -Infinity}], "d": 1e999}', ["a", "b[1].c", "d"]),
        ('[-1e400, 1e308, 0.1, "NaN", "1e999"]', ["[0]"]),
        ('{"a": 1, "a": NaN}', ["a"]),
    ],
)
def test_numbers_that_are_not_finite_are_refused_with_their_places(text: str, places: list[str]) -> None:
    with pytest.raises(json_keys.NotFiniteError) as caught:
        json_keys.loads(text)
    assert caught.value.places == places


def test_a_number_that_is_not_finite_and_overwritten_leaves_the_name_that_is_given_twice() -> None:
    assert json_keys.loads('{"a": NaN, "a": 1}') == ({"a": 1}, ["a"])


@pytest.mark.parametrize("more", [b"", b', "url": "https://a:8/b"', b', "labels": [{"at": "07:00"}, {"at": "08:00"}]'])
def test_a_typical_command_is_plainly_unique(more: bytes) -> None:
    body = b'{"client_id": "press-1", "action": "print", "payload": {"printer": "office", "document": "0192"%b}}' % more
    assert json_keys.is_plainly_unique(body, msgspec.json.decode(body))


_NAMES = st.sampled_from(["a", "b", ":", 'a":', "\\", "", "주"])
_TEXTS = st.one_of(
    st.sampled_from(["1", "null", '"x:y"', '"\\u003a"', '"\\\\":'[:-1]]), st.text(max_size=3).map(json.dumps)
)


def _object(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(name)} :{value}" for name, value in pairs) + "}"


_JSON = st.recursive(
    _TEXTS,
    lambda inner: st.one_of(
        st.lists(st.tuples(_NAMES, inner), max_size=4).map(_object),
        st.lists(inner, max_size=3).map(lambda values: "[" + ",".join(values) + "]"),
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(_NAMES, _JSON), max_size=4).map(_object))
def test_what_is_called_unique_is(text: str) -> None:
    value: Any = msgspec.json.decode(text)
    if json_keys.is_plainly_unique(text.encode(), value):
        assert json_keys.loads(text)[1] == []


def test_a_deep_one_is_read_or_refused_as_ever() -> None:
    with pytest.raises(RecursionError):
        json_keys.loads('{"a":' * 20_000 + "1" + "}" * 20_000)
    deep = '{"a":' * 500 + '{"b":1,"b":2}' + "}" * 500
    assert json_keys.loads(deep)[1] == [".".join(["a"] * 500 + ["b"])]
