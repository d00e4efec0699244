"""IPP messages as data: tags, values, attributes, groups (RFC 8010 section 3).

A value keeps its tag, because one attribute may mix them (an integer and a rangeOfInteger, keyword and name).
"""

import enum
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct


class GroupTag(enum.IntEnum):
    """Delimiter tags (RFC 8010 3.5.1). Groups of later specifications are kept as plain numbers."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED = 0x05


class Tag(enum.IntEnum):
    """Value tags (RFC 8010 3.5.2). Tags that are not listed are kept as plain numbers with their raw octets."""

    UNSUPPORTED = 0x10
    UNKNOWN = 0x12
    NO_VALUE = 0x13
    NOT_SETTABLE = 0x15
    DELETE_ATTRIBUTE = 0x16
    ADMIN_DEFINE = 0x17
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    OCTET_STRING = 0x30
    DATE_TIME = 0x31
    RESOLUTION = 0x32
    RANGE = 0x33
    BEGIN_COLLECTION = 0x34
    TEXT_WITH_LANGUAGE = 0x35
    NAME_WITH_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49
    MEMBER_NAME = 0x4A


class Range(Struct, frozen=True):
    """rangeOfInteger, both ends included."""

    lower: int
    upper: int


class Resolution(Struct, frozen=True):
    """resolution; `units` is 3 for dots per inch, 4 for dots per centimetre."""

    cross_feed: int
    feed: int
    units: int


class LocalText(Struct, frozen=True):
    """textWithLanguage or nameWithLanguage."""

    language: str
    text: str


Data = int | bool | str | bytes | datetime | Range | Resolution | LocalText | tuple["Attribute", ...] | None
"""None for out-of-band values, a tuple of member attributes for a collection, octets for what has no better form."""


class Value(Struct, frozen=True):
    """One value and its tag."""

    tag: int
    data: Data

    @property
    def text(self) -> str | None:
        """The characters of a text-like value, with or without language; None for all others."""
        if isinstance(self.data, LocalText):
            return self.data.text
        return self.data if isinstance(self.data, str) else None


class Attribute(Struct, frozen=True):
    """An attribute with one or several values (1setOf)."""

    name: str
    values: tuple[Value, ...]


class Group(Struct, frozen=True):
    """An attribute group. Reading a missing attribute, or one of another type, gives nothing rather than an error:
    printers leave out and mistype what they like."""

    tag: int
    attributes: tuple[Attribute, ...] = ()

    def values(self, name: str) -> tuple[Value, ...]:
        """All values of the first attribute of that name."""
        return next((attribute.values for attribute in self.attributes if attribute.name == name), ())

    def texts(self, name: str) -> list[str]:
        """The text-like values."""
        return [value.text for value in self.values(name) if value.text is not None]

    def text(self, name: str) -> str:
        """The first text-like value, or an empty string."""
        return next(iter(self.texts(name)), "")

    def integers(self, name: str) -> list[int]:
        """The integers and enums."""
        return [value.data for value in self.values(name) if type(value.data) is int]

    def integer(self, name: str) -> int | None:
        """The first integer or enum."""
        return next(iter(self.integers(name)), None)

    def boolean(self, name: str) -> bool | None:
        """The first boolean."""
        return next((value.data for value in self.values(name) if isinstance(value.data, bool)), None)

    def octets(self, name: str) -> list[bytes]:
        """The octetStrings."""
        return [value.data for value in self.values(name) if isinstance(value.data, bytes)]


class Message(Struct, frozen=True, kw_only=True):
    """A request or a response without its document. `code` is the operation or the status code."""

    code: int
    request_id: int
    groups: tuple[Group, ...] = ()
    version: tuple[int, int] = (2, 0)

    def of(self, tag: int) -> Iterator[Group]:
        """The groups with that tag, in order."""
        return (group for group in self.groups if group.tag == tag)

    def first(self, tag: int) -> Group:
        """The first group with that tag, or an empty one."""
        return next(self.of(tag), Group(tag))


def attribute(name: str, tag: int, *data: Data) -> Attribute:
    """An attribute whose values all have the same tag."""
    return Attribute(name, tuple(Value(tag, item) for item in data))
