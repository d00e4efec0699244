"""Hub and agent judge each print payload alike: an agent takes what the hub accepts, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.registry import Drivers
from device_agent.core.gate import PayloadError
from hub.core.commands.service.submission import CommandRequest, check
from hub.errors import RejectedError

DOCUMENT_ID = "0192f0c1-0000-7000-8000-000000000001"
SENT = {"id": DOCUMENT_ID, "path": f"/api/documents/{DOCUMENT_ID}", "sha256": "0" * 64, "size": 1}
LONGEST_PRINTER = "p" * 63


@pytest.fixture
def drivers(tmp_path: Path) -> Drivers:
    uri = f"folder:{tmp_path}"
    printers = [PrinterConfig(name=name, uri=uri, default=name == "office") for name in ("office", LONGEST_PRINTER)]
    return Drivers(printers, {}, version="1", folder=tmp_path)


def refused_by_hub(payload: dict[str, Any]) -> str | None:
    """The field that the hub refuses."""
    try:
        check(CommandRequest(client_id="pc", action="print", payload=payload))
    except RejectedError as problem:
        (field,) = problem.fields
        return field.field.removeprefix("payload").removeprefix(".")
    return None


def refused_by_agent(drivers: Drivers, payload: dict[str, Any]) -> str | None:
    """The field that the agent refuses."""
    driver = drivers.driver_for("print")
    assert driver is not None
    try:
        driver.check("print", payload)
    except PayloadError as problem:
        return problem.message.partition(":")[0] if problem.code == "payload_invalid" else problem.code
    return None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"title": ""},
        {"title": None},
        {"title": "주" * 200},
        {"printer": LONGEST_PRINTER},
        {"copies": 1},
        {"copies": 999},
        {"copies": 2.0},
        {"duplex": True},
        {"duplex": False},
        {"duplex": None},
        {"duplex": True, "sides": "two-sided-long-edge"},
        {"duplex": "short", "sides": "two-sided-short-edge"},
        {"duplex": None, "sides": "one-sided"},
        {"sides": None},
        {"media": None},
        {"media": "iso_a4_210x297mm"},
        {"media": "m" * 255},
        {"orientation": None},
        {"orientation": "reverse-landscape"},
        {"color": None},
        {"color": "auto"},
        {"content_type": None},
        {"content_type": "application/vnd.zebra-zpl"},
        {"content_type": "a/" + "b" * 253},
        {"content_type": "Application/PDF; charset=binary"},
        {"content_type": "application/x_pdf"},
        {"fidelity": "exact"},
        {"fidelity": "closest"},
        {"printer": None},
        {"pages": "1-3,5,8-"},
        {"pages": None},
        {"collate": True},
        {"media_source": "by-pass-tray"},
        {"quality": "draft"},
        {"scaling": "auto-fit"},
        {"scaling": "none", "fit_to_page": False},
        {"number_up": 100},
    ],
    ids=str,
)
def test_both_accept(fields: dict[str, Any], drivers: Drivers) -> None:
    payload = {"printer": "office", **fields}
    assert refused_by_hub({**payload, "document": DOCUMENT_ID}) is None
    assert refused_by_agent(drivers, {**payload, "document": SENT}) is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": "주" * 201}, "title"),
        ({"title": "주" * 500}, "title"),
        ({"title": 7}, "title"),
        ({"printer": ""}, "printer"),
        ({"pages": "3-1"}, "pages"),
        ({"pages": "1-3,2"}, "pages"),
        ({"pages": [1, 3]}, "pages"),
        ({"collate": 1}, "collate"),
        ({"media_source": ""}, "media_source"),
        ({"quality": 5}, "quality"),
        ({"scaling": "fill", "fit_to_page": True}, "fit_to_page"),
        ({"number_up": 2.5}, "number_up"),
        ({"printer": "p" * 64}, "printer"),
        ({"printer": "p" * 200}, "printer"),
        ({"copies": 0}, "copies"),
        ({"copies": 1000}, "copies"),
        ({"copies": True}, "copies"),
        ({"copies": 2.5}, "copies"),
        ({"copies": "2"}, "copies"),
        ({"copies": None}, "copies"),
        ({"duplex": 1}, "duplex"),
        ({"duplex": ""}, "duplex"),
        ({"duplex": "tumble"}, "duplex"),
        ({"duplex": False, "sides": "two-sided-long-edge"}, "duplex"),
        ({"duplex": "long", "sides": "two-sided-short-edge"}, "duplex"),
        ({"sides": ""}, "sides"),
        ({"media": ""}, "media"),
        ({"media": "a4; rm"}, "media"),
        ({"media": "-a4"}, "media"),
        ({"media": "a4\n"}, "media"),
        ({"media": "용지"}, "media"),
        ({"media": "m" * 256}, "media"),
        ({"orientation": ""}, "orientation"),
        ({"color": ""}, "color"),
        ({"content_type": ""}, "content_type"),
        ({"content_type": "pdf"}, "content_type"),
        ({"content_type": "Application/PDF charset=x"}, "content_type"),
        ({"content_type": "application/pdf; x=주"}, "content_type"),
        ({"fidelity": "good"}, "fidelity"),
        ({"fidelity": None}, "fidelity"),
        ({"content_type": "application/pdf\n"}, "content_type"),
        ({"content_type": "a/" + "b" * 254}, "content_type"),
        ({"document": None}, "document"),
        ({"document": 7}, "document"),
        ({"document": {}}, "document"),
    ],
    ids=str,
)
def test_both_refuse_and_name_the_field(fields: dict[str, Any], field: str, drivers: Drivers) -> None:
    payload = {"printer": "office", **fields}
    assert refused_by_hub({"document": DOCUMENT_ID, **payload}) == field
    assert refused_by_agent(drivers, {"document": SENT, **payload}) == field


def test_they_differ_in_what_a_newer_side_may_add_and_in_how_a_document_is_named(drivers: Drivers) -> None:
    asked, sent = {"printer": "office", "document": DOCUMENT_ID}, {"printer": "office", "document": SENT}
    assert refused_by_hub({**asked, "staple": True}) == "staple"
    assert refused_by_agent(drivers, {**sent, "staple": True}) is None
    assert refused_by_agent(drivers, {**sent, "document": {**SENT, "pages": 2}}) is None
    assert refused_by_agent(drivers, asked) == "document"
    assert refused_by_hub(sent) is None
