"""What of a job a printer can do, by what it lists."""

from typing import Any

import pytest

from device_agent.actions.printing import options
from device_agent.actions.printing import request as print_request
from device_agent.ipp.message import Attribute, Group, Range, Tag, attribute

ABLE = (
    attribute("copies-supported", Tag.RANGE, Range(1, 99)),
    attribute("sides-supported", Tag.KEYWORD, "one-sided", "two-sided-long-edge"),
    attribute("media-supported", Tag.KEYWORD, "iso_a4_210x297mm", "Vendor_Label"),
    attribute("orientation-requested-supported", Tag.ENUM, 3, 4),
    attribute("print-color-mode-supported", Tag.KEYWORD, "monochrome"),
)
OLD = (attribute("printer-state", Tag.ENUM, 3),)
SILENT: tuple[Attribute, ...] = ()


def possible(about: tuple[Attribute, ...], **asked: Any) -> options.Options:
    document = {"path": "/api/documents/1", "sha256": "0" * 64, "size": 1}
    request = print_request.parse({"printer": "office", "document": document, **asked})
    return options.possible(request, Group(4, about))


def sent(found: options.Options) -> dict[str, Any]:
    return {item.name: item.values[0].data for item in found.attributes}


@pytest.mark.parametrize(
    ("asked", "name", "value"),
    [
        ({}, "copies", 1),
        ({"copies": 99}, "copies", 99),
        ({"sides": "two-sided-long-edge"}, "sides", "two-sided-long-edge"),
        ({"duplex": True}, "sides", "two-sided-long-edge"),
        ({"media": "a4"}, "media", "iso_a4_210x297mm"),
        ({"media": "vendor_label"}, "media", "Vendor_Label"),
        ({"orientation": "landscape"}, "orientation-requested", 4),
        ({"color": "monochrome"}, "print-color-mode", "monochrome"),
    ],
)
def test_what_a_printer_lists_is_asked_of_it(asked: dict[str, Any], name: str, value: object) -> None:
    found = possible(ABLE, **asked)
    assert sent(found)[name] == value
    assert found.impossible == {}


@pytest.mark.parametrize(
    ("about", "asked", "fields"),
    [
        (ABLE, {"copies": 100}, ["copies"]),
        (ABLE, {"sides": "two-sided-short-edge"}, ["sides"]),
        (ABLE, {"media": "a3"}, ["media"]),
        (ABLE, {"orientation": "reverse-portrait"}, ["orientation"]),
        (ABLE, {"color": "color"}, ["color"]),
        (OLD, {"copies": 2}, ["copies"]),
        (OLD, {"duplex": "long"}, ["sides"]),
        (OLD, {"media": "a4", "orientation": "landscape", "color": "color"}, ["color", "media", "orientation"]),
        ((attribute("copies-supported", Tag.RANGE, Range(1, 1)),), {"copies": 3}, ["copies"]),
        ((attribute("copies-supported", Tag.NO_VALUE, None),), {"copies": 3}, ["copies"]),
    ],
)
def test_what_it_does_not_list_is_named_and_not_asked_of_it(
    about: tuple[Attribute, ...], asked: dict[str, Any], fields: list[str]
) -> None:
    found = possible(about, **asked)
    assert list(found.impossible) == fields
    names = {name for name in sent(found) if name not in ("copies", "media")}
    assert not options.fields(names) & set(fields)


@pytest.mark.parametrize("asked", [{}, {"copies": 1}, {"sides": "one-sided"}, {"color": "auto"}])
def test_what_every_printer_does_is_no_matter(asked: dict[str, Any]) -> None:
    found = possible(OLD, **asked)
    assert (found.attributes, found.impossible, found.copies) == ((), {}, 1)


def test_copies_are_as_many_as_the_printer_makes() -> None:
    assert (possible(ABLE, copies=150).copies, sent(possible(ABLE, copies=150))["copies"]) == (99, 99)
    assert (possible(OLD, copies=150).copies, sent(possible(OLD, copies=150))) == (1, {})
    one = (attribute("copies-supported", Tag.INTEGER, 5),)
    assert possible(one, copies=3).impossible == {}


def test_a_printer_that_says_nothing_about_itself_is_asked_for_everything() -> None:
    found = possible(SILENT, copies=2, sides="two-sided-long-edge")
    assert (sent(found), found.impossible) == ({"copies": 2, "sides": "two-sided-long-edge"}, {})
    assert list(possible(SILENT, copies=2, fidelity="exact").impossible) == ["printer"]


def test_a_medium_goes_to_a_printer_that_takes_any_size() -> None:
    about = (attribute("media-supported", Tag.KEYWORD, "iso_a4_210x297mm", "custom_max_216x356mm"),)
    found = possible(about, media="custom_100x150mm_100x150mm")
    assert (sent(found), found.impossible) == ({"media": "custom_100x150mm_100x150mm"}, {})


@pytest.mark.parametrize(
    ("content_type", "formats", "told"),
    [
        ("application/pdf", ["application/pdf"], "application/pdf"),
        ("application/vnd.hp-pcl", ["application/vnd.hp-PCL"], "application/vnd.hp-PCL"),
        ("application/pclm", ["application/PCLm"], "application/PCLm"),
        ("application/octet-stream", ["application/pdf", "application/octet-stream"], "application/octet-stream"),
        ("application/octet-stream", ["application/pdf"], "application/octet-stream"),
        ("application/octet-stream", [], "application/octet-stream"),
        ("application/x-hwp", [], "application/x-hwp"),
        ("application/vnd.zebra-zpl", ["application/pdf", "application/octet-stream"], "application/octet-stream"),
        ("application/vnd.zebra-zpl", ["application/pdf"], "application/vnd.zebra-zpl"),
        ("application/x-hwp", ["application/pdf", "application/octet-stream"], None),
        ("application/pdf", ["image/urf", "application/octet-stream"], None),
        ("image/png", ["application/pdf"], None),
    ],
)
def test_what_a_printer_is_told_about_a_document(content_type: str, formats: list[str], told: str | None) -> None:
    assert options.spelled_format(content_type, formats) == told
