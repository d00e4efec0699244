"""How rows of the trail are written into files: nothing of them is a formula, and everything is read again."""

import csv
import io
from typing import Any

import msgspec
import pytest

from hub.features.audit_trail.rules import FIELDS, csv_lines, json_lines

TEXTS = [
    *(
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        '=cmd|" /C calc"!A0',
        '=HYPERLINK("http://evil.example")',
    ),
    *('a "quoted" word', "a, b", "two\r\nlines", "주문 12", "", "'", "<script>alert(1)</script>", "\x1b[2J"),
]


def row(**fields: Any) -> dict[str, Any]:
    return {**dict.fromkeys(FIELDS), "id": 7, "erased": False, **fields}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["principal", "action", "resource", "resource_id", "address"])
def test_a_spreadsheet_takes_no_text_for_a_formula_and_loses_none(name: str, text: str) -> None:
    written = csv_lines([row(**{name: text})], heading=True).decode()
    [read] = csv.DictReader(io.StringIO(written, newline=""))
    assert not read[name].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert read[name].removeprefix("'") == text.removeprefix("'")
    assert (read["id"], read["erased"]) == ("7", "false")
    assert set(read) == set(FIELDS), "no text makes another column"


def test_details_are_json_in_both_forms() -> None:
    detail = {"after": {"name": "=1+1"}, "before": None}
    [read] = csv.DictReader(io.StringIO(csv_lines([row(detail=detail)], heading=True).decode(), newline=""))
    assert msgspec.json.decode(read["detail"]) == detail
    [line] = json_lines([row(detail=detail, principal="a\nb")]).splitlines()
    assert msgspec.json.decode(line)["detail"] == detail
