"""How rows of the trail are written into files. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

FIELDS = (
    "id",
    "at",
    "principal_id",
    "principal",
    "action",
    "resource",
    "resource_id",
    "address",
    "detail",
    "erased",
    "resource_name",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def json_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """One JSON object a line."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def csv_lines(rows: Sequence[Mapping[str, Any]], *, heading: bool) -> bytes:
    """Lines of a CSV file (RFC 4180), with the names of the fields first if asked. A spreadsheet takes none of the
    cells for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if heading:
        writer.writerow(FIELDS)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in FIELDS])
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool | int):
        return str(value).lower()  # our own number: a minus would be one, no formula
    else:
        text = msgspec.json.encode(value).decode().strip('"') if not isinstance(value, dict) else _json(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _json(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
