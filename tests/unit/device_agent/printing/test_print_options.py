"""What of a job a printer can do, by what it lists."""

from typing import Any

import pytest

from device_agent.actions.printing import options
from device_agent.actions.printing import request as print_request
from device_agent.ipp.message import Attribute, Group, Range, Tag, attribute

COLLATED, UNCOLLATED = "separate-documents-collated-copies", "separate-documents-uncollated-copies"
ABLE = (
    attribute("copies-supported", Tag.RANGE, Range(1, 99)),
    attribute("sides-supported", Tag.KEYWORD, "one-sided", "two-sided-long-edge"),
    attribute("media-supported", Tag.KEYWORD, "iso_a4_210x297mm", "Vendor_Label"),
    attribute("orientation-requested-supported", Tag.ENUM, 3, 4),
    attribute("print-color-mode-supported", Tag.KEYWORD, "monochrome"),
    attribute("print-quality-supported", Tag.ENUM, 4, 5),
    attribute("print-scaling-supported", Tag.KEYWORD, "auto", "fit", "none"),
    attribute("number-up-supported", Tag.RANGE, Range(1, 4)),
    attribute("page-ranges-supported", Tag.BOOLEAN, True),
    attribute("multiple-document-handling-supported", Tag.KEYWORD, COLLATED),
    attribute("media-col-supported", Tag.KEYWORD, "media-size", "media-source"),
    attribute("media-source-supported", Tag.KEYWORD, "auto", "Tray-1"),
)
CUPS = (
    *(item for item in ABLE if item.name != "number-up-supported"),
    attribute("number-up-supported", Tag.INTEGER, 1, 2, 4),
    attribute("printer-type", Tag.ENUM, 4),
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
        ({"quality": "high"}, "print-quality", 5),
        ({"scaling": "fit"}, "print-scaling", "fit"),
        ({"fit_to_page": True}, "print-scaling", "fit"),
        ({"fit_to_page": False}, "print-scaling", "none"),
        ({"number_up": 4}, "number-up", 4),
        ({"pages": "2"}, "page-ranges", Range(2, 2)),
        ({"pages": "-5"}, "page-ranges", Range(1, 5)),
        ({"pages": "8-"}, "page-ranges", Range(8, 2**31 - 1)),
        ({"collate": True, "copies": 2}, "multiple-document-handling", COLLATED),
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
        (ABLE, {"quality": "draft"}, ["quality"]),
        (ABLE, {"scaling": "fill"}, ["scaling"]),
        (ABLE, {"number_up": 6}, ["number_up"]),
        (ABLE, {"collate": False, "copies": 2}, ["collate"]),
        (ABLE, {"media_source": "tray-2"}, ["media_source"]),
        (OLD, {"pages": "1-3", "quality": "high", "fit_to_page": True}, ["pages", "quality", "scaling"]),
        (OLD, {"media_source": "tray-1", "number_up": 2}, ["media_source", "number_up"]),
        ((attribute("page-ranges-supported", Tag.BOOLEAN, False),), {"pages": "2"}, ["pages"]),
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


@pytest.mark.parametrize(
    "asked",
    [
        *({}, {"copies": 1}, {"sides": "one-sided"}, {"color": "auto"}, {"collate": False}, {"collate": True}),
        *({"quality": "normal"}, {"scaling": "auto"}, {"number_up": 1}, {"media_source": "auto"}),
    ],
)
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


def members(found: options.Options, name: str) -> dict[str, Any]:
    """The members of a collection, those of a collection in it with a dot."""
    spelled = {}
    for item in sent(found)[name]:
        data = item.values[0].data
        inner = {f".{each.name}": each.values[0].data for each in data} if isinstance(data, tuple) else {"": data}
        spelled |= {f"{item.name}{name}": value for name, value in inner.items()}
    return spelled


@pytest.mark.parametrize(
    ("media", "size"),
    [
        (None, {}),
        ("a4", {"media-size.x-dimension": 21000, "media-size.y-dimension": 29700}),
        ("na_letter_8.5x11in", {"media-size.x-dimension": 21590, "media-size.y-dimension": 27940}),
    ],
)
def test_a_tray_is_asked_for_together_with_the_size_and_never_beside_the_name(
    media: str | None, size: dict[str, int]
) -> None:
    lists = (*ABLE, attribute("media-supported", Tag.KEYWORD, "na_letter_8.5x11in"))
    found = possible(lists, media=media, media_source="tray-1")
    assert members(found, "media-col") == {**size, "media-source": "Tray-1"}
    assert "media" not in sent(found)


def test_a_medium_without_a_size_goes_with_a_tray_where_the_printer_takes_names() -> None:
    named = (attribute("media-col-supported", Tag.KEYWORD, "media-size-name", "media-source"), *ABLE)
    found = possible(named, media="vendor_label", media_source="tray-1")
    assert members(found, "media-col") == {"media-size-name": "Vendor_Label", "media-source": "Tray-1"}
    found = possible(ABLE, media="vendor_label", media_source="tray-1")
    assert (sent(found)["media"], list(found.impossible)) == ("Vendor_Label", ["media_source"])


def test_a_printer_that_knows_trays_and_no_collections_is_not_asked_for_one() -> None:
    about = (attribute("media-col-supported", Tag.KEYWORD, "media-size"), *ABLE)
    found = possible(about, media_source="tray-1")
    assert (sent(found).get("media-col"), list(found.impossible)) == (None, ["media_source"])


def test_old_printers_collate_by_an_older_attribute() -> None:
    about = (*OLD, attribute("copies-supported", Tag.RANGE, Range(1, 9)))
    about = (*about, attribute("sheet-collate-supported", Tag.KEYWORD, "collated", "uncollated"))
    assert sent(possible(about, copies=2, collate=False))["sheet-collate"] == "uncollated"


def ranges(found: options.Options) -> list[tuple[int, int]]:
    (item,) = (item for item in found.attributes if item.name == "page-ranges")
    return [(value.data.lower, value.data.upper) for value in item.values if isinstance(value.data, Range)]


@pytest.mark.parametrize(
    ("about", "pages", "number_up", "told", "impossible"),
    [
        (ABLE, "3-6", 2, [(3, 6)], []),
        (CUPS, "3-6", 1, [(3, 6)], []),
        (CUPS, "3-6", 2, [(2, 3)], []),
        (CUPS, "1-4, 9-", 4, [(1, 1), (3, 2**31 - 1)], []),
        (CUPS, "2-3", 2, [(2, 3)], ["number_up"]),
        (CUPS, "1-3", 2, [(1, 3)], ["number_up"]),
        (CUPS, "4-", 2, [(4, 2**31 - 1)], ["number_up"]),
        (CUPS, "1-3", 3, [(1, 3)], ["number_up"]),
    ],
)
def test_cups_counts_the_sides_that_number_up_makes_and_others_count_the_document_s_pages(
    about: tuple[Attribute, ...], pages: str, number_up: int, told: list[tuple[int, int]], impossible: list[str]
) -> None:
    found = possible(about, pages=pages, number_up=number_up)
    assert (ranges(found), list(found.impossible)) == (told, impossible)
    assert ("number-up" in sent(found)) == (not impossible)


def test_a_printer_that_says_nothing_about_itself_is_asked_for_pages_tray_and_order_as_well() -> None:
    found = possible(SILENT, copies=2, collate=True, pages="2-3", media="a4", media_source="tray-1")
    assert ranges(found) == [(2, 3)]
    assert sent(found)["multiple-document-handling"] == COLLATED
    assert members(found, "media-col")["media-source"] == "tray-1"


def test_a_printer_s_names_are_told_as_the_payload_s() -> None:
    names = ["page-ranges", "number-up", "print-scaling", "print-quality", "multiple-document-handling", "media-col"]
    assert options.fields(names) == {"pages", "number_up", "scaling", "quality", "collate", "media_source"}
    assert options.fields(["media-col"], {"media_source": "tray-1", "media": "a4"}) == {"media_source", "media"}
    assert options.fields(["sides"], {"media": "a4"}) == {"sides"}


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
