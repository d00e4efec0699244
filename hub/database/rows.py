"""Rows with types: what a statement returns becomes structs, and no dictionary leaves a store."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from psycopg import AsyncClientCursor, AsyncCursor
from psycopg.rows import BaseRowFactory, RowMaker

from hub.database.engine import Connection

Row = TypeVar("Row")


def fields_of(kind: type) -> tuple[str, ...]:
    """The names of the fields of a struct or a dataclass; nothing for any other type."""
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


def rows_of(kind: type[Row]) -> BaseRowFactory[Row]:
    """A row factory. A struct or a dataclass takes the columns by their names (it may leave some out), anything else
    the only column. Raises msgspec.ValidationError for a row that is not of this kind."""

    def factory(cursor: Any) -> RowMaker[Row]:
        names = [column.name for column in cursor.description or ()]

        def struct(values: Sequence[Any]) -> Row:
            return msgspec.convert(dict(zip(names, values, strict=True)), kind)

        def value(values: Sequence[Any]) -> Row:
            return msgspec.convert(values[0], kind)

        return struct if fields_of(kind) else value

    return factory


async def cursor_of(
    connection: Connection, kind: type[Row], query: bytes, parameters: Mapping[str, Any], *, fresh_plan: bool = False
) -> AsyncCursor[Row]:
    """The cursor of a statement that was executed.

    With `fresh_plan` the values stand in the text, so that Postgres plans for them: for lists with optional filters.
    """
    factory = rows_of(kind)
    cursor: AsyncCursor[Row] = (
        AsyncClientCursor(connection, row_factory=factory) if fresh_plan else connection.cursor(row_factory=factory)
    )
    return await cursor.execute(query, parameters)
