"""Statements built with SQLModel, executed on our own connection, in our own transaction: no second pool, no session.

For what is not on the hot path. Compiling is what costs, so a statement of the same form is compiled once, whatever its
values are: a list with optional filters has as many forms as its filters have combinations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import ARRAY, ColumnElement, DateTime, any_, func, inspect, literal
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.orm import Mapped
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import SQLModel

from hub.database.engine import Connection
from hub.database.rows import Row, cursor_of, fields_of

Value = TypeVar("Value")

NOW = func.floorhub_now(type_=DateTime(timezone=True))
"""The hub's clock, in a statement."""

_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class _Compiled:
    compiler: SQLCompiler
    text: bytes
    processors: Mapping[str, Callable[[Any], Any]]
    """What makes a value ready for psycopg, by the parameter's name; JSON needs it."""


_compiled: dict[Any, _Compiled] = {}


def compiled(statement: ClauseElement, values: Mapping[str, Any] | None = None) -> tuple[bytes, dict[str, Any]]:
    """A statement as psycopg takes it: text and parameters. `values` are those of its `bindparam`s, by their names: a
    statement that is built once, with these, costs next to nothing.

    Raises ValueError for one whose text depends on its values, as that of `IN`: use `among`.
    """
    key = statement._generate_cache_key()  # SQLAlchemy's own example of a cache, dogpile_caching, goes by it
    assert key is not None  # noqa: S101 - whatever SQLModel builds has one
    known = _compiled.get(key.key)
    if known is None:
        compiler = statement.compile(dialect=_DIALECT, cache_key=key)
        assert isinstance(compiler, SQLCompiler)  # noqa: S101 - else it is no statement but DDL
        if compiler.post_compile_params or compiler.literal_execute_params:
            raise ValueError(f"the text of this statement depends on its values: {compiler}")
        found = {
            name: bound.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
            for bound, name in compiler.bind_names.items()
        }
        processors = {name: processor for name, processor in found.items() if processor is not None}
        known = _compiled[key.key] = _Compiled(compiler, compiler.string.encode(), processors)
    parameters = dict(known.compiler.construct_params(values, extracted_parameters=key.bindparams))
    for name, process in known.processors.items():
        parameters[name] = process(parameters[name])
    return known.text, parameters


def columns(kind: type, *tables: type[SQLModel]) -> list[ColumnElement[Any]]:
    """The columns that a kind of rows takes, by its fields' names, each from the first table that has it. What none of
    them has is for the statement to add, under its label."""
    places = [inspect(table).local_table.columns for table in tables]
    found = ((place[name] for place in places if name in place) for name in fields_of(kind))
    return [column for first in found if (column := next(first, None)) is not None]


def among(column: Mapped[Value], values: Sequence[Value]) -> ColumnElement[bool]:
    """That a column has one of these values. The statement's text is the same for any number of them."""
    return column == any_(array(column, values))


def array(column: Mapped[Value], values: Sequence[Value]) -> ColumnElement[Sequence[Value]]:
    """Values of a column's type, as one parameter."""
    return literal(list(values), ARRAY(cast("ColumnElement[Value]", column).type))


async def execute(connection: Connection, statement: ClauseElement, /, **values: Any) -> int:
    """How many rows a statement wrote."""
    text, parameters = compiled(statement, values)
    return (await connection.execute(text, parameters)).rowcount


async def fetch_one(connection: Connection, statement: ClauseElement, kind: type[Row], /, **values: Any) -> Row | None:
    """The first row, see `rows_of`."""
    return await (await cursor_of(connection, kind, *compiled(statement, values))).fetchone()


async def fetch_all(
    connection: Connection, statement: ClauseElement, kind: type[Row], /, *, fresh_plan: bool = False, **values: Any
) -> list[Row]:
    """All rows; `fresh_plan` as `cursor_of` has it."""
    text, parameters = compiled(statement, values)
    return await (await cursor_of(connection, kind, text, parameters, fresh_plan=fresh_plan)).fetchall()
