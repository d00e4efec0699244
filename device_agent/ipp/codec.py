"""IPP messages to octets and back (RFC 8010 section 3).

Decoding trusts nothing: it has limits for size, number and nesting, and lets out IppDecodeError only. It is lenient
where a printer's sloppiness does no harm, since one attribute that nobody asked about must not hide the state of a job:
text that is no UTF-8 is repaired, a value of a wrong length stays octets, a collection ends with its group at the
latest, and parts of one that belong to nothing are left out.
"""

import struct
from datetime import UTC, datetime, timedelta, timezone

from device_agent.ipp.errors import IppDecodeError
from device_agent.ipp.message import (
    Attribute,
    Data,
    Group,
    GroupTag,
    LocalText,
    Message,
    Range,
    Resolution,
    Tag,
    Value,
)

MAX_MESSAGE = 1024 * 1024
"""Octets of a response. The largest seen was 60 kB (all attributes of an office printer); the rest is margin."""
MAX_VALUES = 20_000
"""Values in one message, those inside collections included."""
MAX_DEPTH = 8
"""Collections within collections. The deepest registered one has three levels."""

_MAX_FIELD = 32_767
"""Octets of a name or value: the lengths are SIGNED-SHORT (RFC 8010 3.2)."""
_HEADER = struct.Struct(">BBHI")
_INTEGER = struct.Struct(">i")
_RANGE = struct.Struct(">ii")
_RESOLUTION = struct.Struct(">iib")
_DATE = struct.Struct(">HBBBBBBcBB")
_OUT_OF_BAND = range(0x10, 0x20)
_TEXTS = range(0x40, 0x60)
_FIRST_VALUE_TAG = 0x10
_INTEGERS = frozenset({Tag.INTEGER, Tag.ENUM})
_WITH_LANGUAGE = frozenset({Tag.TEXT_WITH_LANGUAGE, Tag.NAME_WITH_LANGUAGE})


def encode(message: Message) -> bytes:
    """The octets of a message; a document follows them directly. Raises ValueError for what IPP cannot carry."""
    out = bytearray(_HEADER.pack(*message.version, message.code, message.request_id))
    try:
        for group in message.groups:
            out.append(group.tag)
            for item in group.attributes:
                _put_attribute(out, item)
    except struct.error as problem:
        raise ValueError(f"not an IPP value: {problem}") from None
    out.append(GroupTag.END)
    return bytes(out)


def _put_attribute(out: bytearray, item: Attribute) -> None:
    if not item.name or not item.values:
        raise ValueError("an attribute needs a name and at least one value")
    name = item.name.encode()
    for value in item.values:
        _put_value(out, name, value)
        name = b""  # further values of a set have no name (RFC 8010 3.1.5)


def _put_value(out: bytearray, name: bytes, value: Value) -> None:
    if value.tag != Tag.BEGIN_COLLECTION:
        _put_field(out, value.tag, name, _octets(value))
        return
    if not isinstance(value.data, tuple):
        raise ValueError("a collection consists of attributes")  # noqa: TRY004 - like all that cannot be encoded
    _put_field(out, Tag.BEGIN_COLLECTION, name, b"")
    for member in value.data:
        if not member.name or not member.values:
            raise ValueError("a member needs a name and at least one value")
        _put_field(out, Tag.MEMBER_NAME, b"", member.name.encode())
        for each in member.values:
            _put_value(out, b"", each)
    _put_field(out, Tag.END_COLLECTION, b"", b"")


def _put_field(out: bytearray, tag: int, name: bytes, octets: bytes) -> None:
    if len(name) > _MAX_FIELD or len(octets) > _MAX_FIELD:
        raise ValueError(f"a name or value has more than {_MAX_FIELD} octets")
    out.append(tag)
    out += len(name).to_bytes(2)
    out += name
    out += len(octets).to_bytes(2)
    out += octets


def _octets(value: Value) -> bytes:
    match value.data:
        case None:
            return b""
        case bytes():
            return value.data
        case str():
            return value.data.encode()
        case bool():
            return b"\x01" if value.data else b"\x00"
        case int():
            return _INTEGER.pack(value.data)
        case Range(lower, upper):
            return _RANGE.pack(lower, upper)
        case Resolution(cross_feed, feed, units):
            return _RESOLUTION.pack(cross_feed, feed, units)
        case LocalText(language, text):
            first, second = language.encode(), text.encode()
            return struct.pack(">H", len(first)) + first + struct.pack(">H", len(second)) + second
        case datetime():
            return _date_octets(value.data)
        case _:
            raise ValueError("only a collection consists of attributes")


def _date_octets(moment: datetime) -> bytes:
    """DateAndTime of RFC 2579: decimal fields, deciseconds, then the distance from UTC."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a dateTime needs its time zone")
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    tenth = moment.microsecond // 100_000
    fields = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, tenth)
    return _DATE.pack(*fields, b"-" if minutes < 0 else b"+", hours, rest)


def decode(octets: bytes, *, whole: bool = False) -> tuple[Message, bytes]:
    """A message and what follows it. Raises IppDecodeError.

    `whole`: what brought the octets vouches for their number, so that a message without end tag was not cut off.
    """
    if len(octets) > MAX_MESSAGE:
        raise IppDecodeError(f"the message has {len(octets)} octets, more than {MAX_MESSAGE}")
    return _Decoder(octets, whole=whole).message()


class _Decoder:
    """Reads one message from front to back."""

    def __init__(self, octets: bytes, *, whole: bool) -> None:
        self._octets = octets
        self._whole = whole
        self._at = 0
        self._values_left = MAX_VALUES

    def message(self) -> tuple[Message, bytes]:
        major, minor, code, request_id = _HEADER.unpack(self._take(_HEADER.size))
        groups: list[Group] = []
        while (tag := self._octet()) != GroupTag.END:
            if not 0 < tag < _FIRST_VALUE_TAG:
                raise IppDecodeError(f"a value tag 0x{tag:02x} stands where a group begins")
            groups.append(Group(tag, self._attributes()))
        rest = self._octets[self._at :]
        return Message(code=code, request_id=request_id, groups=tuple(groups), version=(major, minor)), rest

    def _attributes(self) -> tuple[Attribute, ...]:
        found: list[tuple[str, list[Value]]] = []
        while self._peek() >= _FIRST_VALUE_TAG:
            tag = self._octet()
            name = self._field().decode("utf-8", "replace")
            if name:
                found.append((name, []))
            elif not found:
                raise IppDecodeError("a further value comes before any attribute")
            found[-1][1].append(self._value(tag, depth=0))
        return tuple(Attribute(name, tuple(values)) for name, values in found)

    def _value(self, tag: int, depth: int) -> Value:
        self._values_left -= 1
        if self._values_left < 0:
            raise IppDecodeError(f"the message has more than {MAX_VALUES} values")
        octets = self._field()
        if tag == Tag.BEGIN_COLLECTION:
            return Value(tag, self._members(depth + 1))
        if tag in (Tag.END_COLLECTION, Tag.MEMBER_NAME):
            raise IppDecodeError("a part of a collection stands outside of one")
        return Value(tag, _data(tag, octets))

    def _members(self, depth: int) -> tuple[Attribute, ...]:
        """What follows begCollection, up to its endCollection (RFC 8010 3.1.6)."""
        if depth > MAX_DEPTH:
            raise IppDecodeError(f"collections are nested deeper than {MAX_DEPTH}")
        found: list[tuple[str, list[Value]]] = []
        while self._peek() >= _FIRST_VALUE_TAG:
            before = self._at
            tag = self._octet()
            if self._field():  # the next attribute: the collection's end was left out
                self._at = before
                break
            if tag == Tag.END_COLLECTION:
                self._field()
                break
            if tag == Tag.MEMBER_NAME:
                name = self._field().decode("utf-8", "replace")
                found.append((name, []))
            else:
                value = self._value(tag, depth)
                if found:
                    found[-1][1].append(value)
        return tuple(Attribute(name, tuple(values)) for name, values in found if name and values)

    def _field(self) -> bytes:
        length = int.from_bytes(self._take(2))
        if length > _MAX_FIELD:
            raise IppDecodeError("a length is negative")
        return self._take(length)

    def _peek(self) -> int:
        if self._at >= len(self._octets):
            if self._whole:
                return GroupTag.END
            raise IppDecodeError("the message ends in the middle")
        return self._octets[self._at]

    def _octet(self) -> int:
        octet = self._peek()
        self._at += 1
        return octet

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._octets):
            raise IppDecodeError("the message ends in the middle")
        taken = self._octets[self._at : end]
        self._at = end
        return taken


def _data(tag: int, octets: bytes) -> Data:
    try:
        if tag in _OUT_OF_BAND:
            return None  # RFC 8010 3.8 wants a length of 0; what else stands there means nothing
        if tag in _INTEGERS:
            return int(_INTEGER.unpack(octets)[0])
        if tag == Tag.BOOLEAN:
            return bool(struct.unpack(">B", octets)[0])
        if tag == Tag.RANGE:
            return Range(*_RANGE.unpack(octets))
        if tag == Tag.RESOLUTION:
            return Resolution(*_RESOLUTION.unpack(octets))
        if tag == Tag.DATE_TIME:
            return _date(octets)
        if tag in _WITH_LANGUAGE:
            return _local_text(octets)
    except struct.error:
        return octets
    return octets.decode("utf-8", "replace") if tag in _TEXTS else octets


def _local_text(octets: bytes) -> LocalText | bytes:
    (length,) = struct.unpack_from(">H", octets)
    language, rest = octets[2 : 2 + length], octets[2 + length :]
    (length,) = struct.unpack_from(">H", rest)
    text = rest[2:]
    if len(text) != length:
        return octets
    return LocalText(language.decode("utf-8", "replace"), text.decode("utf-8", "replace"))


def _date(octets: bytes) -> datetime | bytes:
    """The moment, or the octets when it is none: printers without a clock send zeros."""
    year, month, day, hour, minute, second, tenth, sign, hours, minutes = _DATE.unpack(octets)
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if sign == b"-" else 1)
    try:
        # A leap second (60) is legal there and not here.
        moment = datetime(year, month, day, hour, minute, min(second, 59), tenth * 100_000, timezone(offset))
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return octets
    return moment
