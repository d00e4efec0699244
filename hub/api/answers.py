"""Answers that go out as they are: validating what we wrote ourselves would cost more than storing it did.

A test holds what is sent against the declared shapes.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from fastapi import Response
from pydantic import BaseModel

from hub.api.pages import Page, to_cursor


def json_answer(value: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON value as it is."""
    return Response(msgspec.json.encode(value), media_type="application/json", status_code=status_code, headers=headers)


def row_answer(
    shape: type[BaseModel], row: Any, status_code: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A row in the form of a shape."""
    return json_answer(shown(shape, row), status_code, headers)


def page_answer(shape: type[BaseModel], page: Page[Any, Any]) -> Response:
    """A page of rows in the form of a shape."""
    return json_answer(paged(shape, page))


def paged(shape: type[BaseModel], page: Page[Any, Any]) -> dict[str, Any]:
    """The fields that every page has."""
    return {"items": shown_all(shape, page.rows), "next_cursor": to_cursor(page.following)}


def shown(shape: type[BaseModel], row: Any) -> dict[str, Any]:
    """The fields of a row that a shape has."""
    return {name: getattr(row, name) for name in _names(shape)}


@cache
def _names(shape: type[BaseModel]) -> tuple[str, ...]:
    """A shape's fields; asked for with each command, and looked up by the library with some effort."""
    return tuple(shape.model_fields)


def shown_all(shape: type[BaseModel], rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Each row in the form of a shape."""
    return [shown(shape, row) for row in rows]
