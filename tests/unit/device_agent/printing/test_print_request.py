"""What a `print` payload may say."""

from typing import Any

import pytest

from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.action import PrintDriver
from device_agent.core.gate import PayloadError

DOCUMENT = {"path": "/api/documents/1", "sha256": "0" * 64, "size": 1}


def request(**more: Any) -> dict[str, Any]:
    return {"printer": "office", "document": DOCUMENT, **more}


@pytest.mark.parametrize(
    ("said", "sides"),
    [
        ({}, None),
        ({"sides": "two-sided-short-edge"}, "two-sided-short-edge"),
        ({"duplex": True}, "two-sided-long-edge"),
        ({"duplex": False}, "one-sided"),
        ({"duplex": "long"}, "two-sided-long-edge"),
        ({"duplex": "short"}, "two-sided-short-edge"),
        ({"duplex": True, "sides": "two-sided-long-edge"}, "two-sided-long-edge"),
    ],
)
def test_sides_and_duplex(said: dict[str, Any], sides: str | None) -> None:
    assert print_request.parse(request(**said)).two_sided == sides


@pytest.mark.parametrize(
    ("stored", "said", "content_type"),
    [
        ({"content_type": "image/png"}, {}, "image/png"),
        ({"content_type": "image/png"}, {"content_type": "text/plain"}, "text/plain"),
        ({"content_type": "application/octet-stream"}, {}, "application/octet-stream"),
        ({"content_type": "Text/Plain; charset=x"}, {"content_type": "Image/PNG; q=1"}, "image/png"),
        ({"content_type": "Text/Plain; charset=x"}, {}, "text/plain"),
        ({"content_type": "what is this"}, {}, "application/octet-stream"),
        ({"content_type": 7}, {}, "application/octet-stream"),
        ({}, {}, "application/octet-stream"),
    ],
)
def test_a_document_is_printed_as_the_type_it_was_stored_with(
    stored: dict[str, Any], said: dict[str, Any], content_type: str
) -> None:
    payload = {"printer": "office", "document": {**DOCUMENT, **stored}, **said}
    assert print_request.parse(payload).content_type == content_type


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"copies": 0}, "copies"),
        ({"copies": 1000}, "copies"),
        ({"copies": "2"}, "copies"),
        ({"copies": True}, "copies"),
        ({"sides": "both"}, "sides"),
        ({"duplex": "tumble"}, "duplex"),
        ({"duplex": True, "sides": "one-sided"}, "duplex"),
        ({"printer": ""}, "printer"),
        ({"document": "x.pdf"}, "document"),
        ({"document": {"path": "/x"}}, "document"),
        ({"content_type": "pdf"}, "content_type"),
        ({"content_type": "application/pdf\n"}, "content_type"),
        ({"media": "a4; rm"}, "media"),
        ({"orientation": "sideways"}, "orientation"),
        ({"color": "blue"}, "color"),
        ({"title": 7}, "title"),
    ],
)
def test_a_wrong_field_is_named(said: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError, match=field) as problem:
        print_request.parse(request(**said))
    assert problem.value.code == "payload_invalid"


def test_unknown_fields_are_ignored() -> None:
    assert print_request.parse(request(staple=True)).copies == 1


def test_a_title_loses_its_control_characters() -> None:
    assert print_request.parse(request(title=" a\0b\r\n\tü \x1b[2J ")).clean_title == "a b ü [2J"


def test_an_unknown_printer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PayloadError, match="it has: none") as problem:
        PrintDriver({}).check("print", request())
    assert problem.value.code == "printer_unknown"
