"""The IPP codec: what goes in comes out, and no octets whatever make it fail in another way than it says."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agent.ipp import codec
from device_agent.ipp.errors import IppDecodeError
from device_agent.ipp.message import (
    Attribute,
    Group,
    LocalText,
    Message,
    Range,
    Resolution,
    Tag,
    Value,
    attribute,
)

INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=20)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DATES = st.builds(
    lambda moment, zone, tenth: moment.replace(microsecond=tenth * 100_000, tzinfo=zone),
    st.datetimes(datetime(1970, 1, 3), datetime(2200, 1, 1)),  # noqa: DTZ001 - the zone follows
    ZONES,
    st.integers(0, 9),
)


def values_of(tag: int, data: st.SearchStrategy[object]) -> st.SearchStrategy[Value]:
    return data.map(lambda item: Value(tag, item))  # type: ignore[arg-type]


SIMPLE = st.one_of(
    values_of(Tag.INTEGER, INT32),
    values_of(Tag.ENUM, INT32),
    values_of(Tag.BOOLEAN, st.booleans()),
    values_of(Tag.OCTET_STRING, st.binary(max_size=40)),
    values_of(Tag.DATE_TIME, DATES),
    values_of(Tag.RANGE, st.builds(Range, INT32, INT32)),
    values_of(Tag.RESOLUTION, st.builds(Resolution, INT32, INT32, st.sampled_from([3, 4]))),
    values_of(Tag.TEXT_WITH_LANGUAGE, st.builds(LocalText, NAMES, TEXT)),
    values_of(Tag.NAME_WITH_LANGUAGE, st.builds(LocalText, NAMES, TEXT)),
    *(values_of(tag, TEXT) for tag in (Tag.TEXT, Tag.NAME, Tag.KEYWORD, Tag.URI, Tag.MIME_TYPE)),
    *(values_of(tag, st.none()) for tag in (Tag.NO_VALUE, Tag.UNKNOWN, Tag.UNSUPPORTED)),
)


def attributes_of(values: st.SearchStrategy[Value]) -> st.SearchStrategy[Attribute]:
    return st.builds(Attribute, NAMES, st.lists(values, min_size=1, max_size=3).map(tuple))


VALUES = st.recursive(
    SIMPLE,
    lambda inner: st.lists(attributes_of(inner), max_size=3).map(lambda m: Value(Tag.BEGIN_COLLECTION, tuple(m))),
    max_leaves=6,
)
GROUPS = st.builds(Group, st.sampled_from([1, 2, 4, 5, 6]), st.lists(attributes_of(VALUES), max_size=4).map(tuple))
MESSAGES = st.builds(
    Message,
    code=st.integers(0, 0xFFFF),
    request_id=st.integers(1, 2**31 - 1),
    groups=st.lists(GROUPS, max_size=4).map(tuple),
    version=st.sampled_from([(1, 1), (2, 0), (2, 2)]),
)


@given(MESSAGES, st.binary(max_size=20))
def test_a_message_survives_the_way_there_and_back(message: Message, document: bytes) -> None:
    assert codec.decode(codec.encode(message) + document) == (message, document)


@given(st.binary(max_size=300))
def test_garbage_is_only_ever_a_decode_error(octets: bytes) -> None:
    group = b"\x02\x00\x00\x00\x00\x00\x00\x01\x04"
    for start in (b"", group, group + b"\x34\x00\x01c\x00\x00"):
        with contextlib.suppress(IppDecodeError):
            codec.decode(start + octets)


def field(tag: int, name: bytes, octets: bytes) -> bytes:
    return bytes([tag]) + len(name).to_bytes(2) + name + len(octets).to_bytes(2) + octets


FIELDS = st.builds(field, st.integers(0x10, 0x7F), st.sampled_from([b"", b"a"]), st.binary(max_size=16))


@given(st.lists(FIELDS, max_size=8))
def test_wrong_values_in_right_frames_are_only_ever_a_decode_error(fields: list[bytes]) -> None:
    with contextlib.suppress(IppDecodeError):
        codec.decode(message_with(b"".join(fields)))


@given(MESSAGES, st.data())
def test_a_damaged_message_is_only_ever_a_decode_error(message: Message, data: st.DataObject) -> None:
    octets = bytearray(codec.encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    with contextlib.suppress(IppDecodeError):
        codec.decode(bytes(octets[:cut]))


@given(MESSAGES)
def test_every_truncation_is_noticed(message: Message) -> None:
    octets = codec.encode(message)
    for length in {0, 7, len(octets) // 2, len(octets) - 1}:
        with pytest.raises(IppDecodeError):
            codec.decode(octets[:length])


def test_the_octets_are_those_of_the_specification() -> None:
    """RFC 8010 3.1.4 and 3.1.5: version, operation, request id, group, tag, name, value; then a nameless value."""
    request = Message(
        code=0x000B,
        request_id=1,
        version=(1, 1),
        groups=(Group(1, (attribute("attributes-charset", Tag.CHARSET, "utf-8"), attribute("x", Tag.INTEGER, 1, 2))),),
    )
    assert codec.encode(request) == (
        b"\x01\x01\x00\x0b\x00\x00\x00\x01"
        b"\x01"
        b"\x47\x00\x12attributes-charset\x00\x05utf-8"
        b"\x21\x00\x01x\x00\x04\x00\x00\x00\x01"
        b"\x21\x00\x00\x00\x04\x00\x00\x00\x02"
        b"\x03"
    )


def test_a_collection_is_spelled_member_by_member() -> None:
    """RFC 8010 3.1.6."""
    media = Value(Tag.BEGIN_COLLECTION, (attribute("w", Tag.INTEGER, 7),))
    request = Message(code=2, request_id=1, groups=(Group(2, (Attribute("media-col", (media,)),)),))
    assert codec.encode(request)[8:] == (
        b"\x02"
        b"\x34\x00\x09media-col\x00\x00"
        b"\x4a\x00\x00\x00\x01w"
        b"\x21\x00\x00\x00\x04\x00\x00\x00\x07"
        b"\x37\x00\x00\x00\x00"
        b"\x03"
    )


def message_with(body: bytes) -> bytes:
    return b"\x02\x00\x00\x00\x00\x00\x00\x01\x04" + body + b"\x03"


@pytest.mark.parametrize(
    "body",
    [
        b"\x21\x00\x00\x00\x04\x00\x00\x00\x01",  # a further value of nothing
        b"\x37\x00\x01x\x00\x00",  # a collection's end without its begin
        b"\x41\x80\x00x",  # a negative length
    ],
)
def test_a_broken_structure_is_refused(body: bytes) -> None:
    with pytest.raises(IppDecodeError):
        codec.decode(message_with(body))


@pytest.mark.parametrize(
    "body",
    [
        b"\x21\x00\x01x\x00\x03\x00\x00\x01",  # an integer of three octets
        b"\x22\x00\x01x\x00\x00",  # a boolean of none
        b"\x33\x00\x01x\x00\x04\x00\x00\x00\x01",  # half a range
        b"\x31\x00\x01x\x00\x02\x00\x00",  # two octets of a date
        b"\x35\x00\x01x\x00\x04\x00\x09en",  # a language longer than its value
        b"\x35\x00\x01x\x00\x00",  # a text with language that is empty
        b"\x34\x00\x01x\x00\x00\x21\x00\x00\x00\x04\x00\x00\x00\x01\x37\x00\x00\x00\x00",  # a value without a name
        b"\x34\x00\x01x\x00\x00\x4a\x00\x00\x00\x01w\x37\x00\x00\x00\x00",  # a name without a value
        b"\x34\x00\x01x\x00\x00",  # a collection without end
        b"\x34\x00\x01x\x00\x00\x4a\x00\x00\x00\x01w\x34\x00\x00\x00\x00",  # one in another, neither with an end
    ],
)
def test_what_a_printer_gets_wrong_costs_only_that_attribute(body: bytes) -> None:
    """Nobody asked about it, and the state of a job stands behind it."""
    state = b"\x23\x00\x09job-state\x00\x04\x00\x00\x00\x09"
    for after in (state, b"\x02" + state):  # in the same group, and in the next
        answer, rest = codec.decode(message_with(body + after))
        assert next(group.integer("job-state") for group in answer.groups if group.values("job-state")) == 9
        assert (answer.groups[0].integer("x"), rest) == (None, b"")


def test_a_message_without_end_tag_is_whole_where_something_else_vouches_for_it() -> None:
    octets = message_with(b"\x23\x00\x09job-state\x00\x04\x00\x00\x00\x09")[:-1]
    answer, rest = codec.decode(octets, whole=True)
    assert (answer.first(4).integer("job-state"), rest) == (9, b"")
    for cut in (octets, octets[:-1], octets[:20]):
        with pytest.raises(IppDecodeError):
            codec.decode(cut)
    with pytest.raises(IppDecodeError):
        codec.decode(octets[:-1], whole=True)


def test_limits_hold_for_size_number_and_nesting() -> None:
    nested = Value(Tag.INTEGER, 1)
    for _ in range(codec.MAX_DEPTH + 1):
        nested = Value(Tag.BEGIN_COLLECTION, (Attribute("m", (nested,)),))
    deep = codec.encode(Message(code=0, request_id=1, groups=(Group(4, (Attribute("a", (nested,)),)),)))
    with pytest.raises(IppDecodeError, match="nested"):
        codec.decode(deep)
    with pytest.raises(IppDecodeError, match="values"):
        codec.decode(message_with(b"\x21\x00\x01x\x00\x04\x00\x00\x00\x01" + b"\x13\x00\x00\x00\x00" * 20_000))
    with pytest.raises(IppDecodeError, match="octets"):
        codec.decode(message_with(b"\x00" * codec.MAX_MESSAGE))


def test_a_printer_without_a_clock_costs_only_its_date() -> None:
    """Zeros are no date; the rest of the answer must stay readable."""
    answer, _ = codec.decode(message_with(b"\x31\x00\x01d\x00\x0b" + bytes(11) + b"\x42\x00\x01n\x00\x01x"))
    group = answer.first(4)
    assert group.values("d")[0].data == bytes(11)
    assert group.text("n") == "x"


def test_latin_1_text_is_repaired() -> None:
    answer, _ = codec.decode(message_with(b"\x41\x00\x01n\x00\x02\xe4x"))
    assert answer.first(4).text("n") == "\ufffdx"


def test_a_date_is_read_with_its_zone() -> None:
    octets = b"\x07\xea\x0b\x15\x02\x1e\x05\x00+\x09\x00"
    answer, _ = codec.decode(message_with(b"\x31\x00\x01d\x00\x0b" + octets))
    assert answer.first(4).values("d")[0].data == datetime(2026, 11, 20, 17, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "item",
    [
        attribute("n", Tag.INTEGER, 2**31),
        attribute("n", Tag.TEXT, "x" * 32_768),
        attribute("", Tag.TEXT, "x"),
        attribute("n", Tag.TEXT),
        attribute("n", Tag.DATE_TIME, datetime(2026, 1, 1)),  # noqa: DTZ001 - without a zone on purpose
    ],
)
def test_what_ipp_cannot_carry_is_a_value_error(item: Attribute) -> None:
    with pytest.raises(ValueError, match=r"."):
        codec.encode(Message(code=2, request_id=1, groups=(Group(2, (item,)),)))
