"""The named SQL statements of the hub, read once. The `.sql` files of each subject are their only home."""

import re
from functools import cache
from importlib import resources
from types import NoneType
from typing import Any, Generic, overload

from psycopg import AsyncCursor

from hub.database.engine import Connection
from hub.database.rows import Row, cursor_of

_HEADING = re.compile(r"^-- (?P<kind>name|fragment): (?P<name>[a-z_]+)$", re.MULTILINE)
_FRAGMENT = re.compile(r"\{([a-z_]+)\}")


@cache
def statements(place: str) -> dict[str, str]:
    """The statements of a file by name.

    `place` is a subject, such as `features/batches` (its `statements.sql`), or one file of a subject with several, such
    as `core/commands/submit` (its `statements/submit.sql`).
    """
    stratum, subject, *file = place.split("/")
    folder = resources.files("hub").joinpath(stratum, subject)
    found = folder.joinpath("statements", f"{file[0]}.sql") if file else folder.joinpath("statements.sql")
    return parse(found.read_text(encoding="utf-8"))


def parse(text: str) -> dict[str, str]:
    """The statements of a text by name: each begins with a line `-- name: <name>`.

    What several of them share, such as a list of columns, begins with a line `-- fragment: <name>` and stands where
    they, or other fragments, say `{<name>}`. Raises KeyError for a fragment that is not there.
    """
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    parts: dict[str, dict[str, str]] = {"name": {}, "fragment": {}}
    for heading, end in zip(headings, ends, strict=True):
        parts[heading["kind"]][heading["name"]] = text[heading.end() : end].strip()

    def filled(sql: str) -> str:
        return _FRAGMENT.sub(lambda use: filled(parts["fragment"][use[1]]), sql)

    return {name: filled(sql) for name, sql in parts["name"].items()}


def statement(place: str, name: str) -> bytes:
    """One statement, as psycopg takes it. Raises KeyError for a name that is not there."""
    return statements(place)[name].encode()


class Statement(Generic[Row]):
    """One named statement and the kind of its rows, see `rows_of`."""

    @overload
    def __init__(self: "Statement[None]", place: str, name: str) -> None: ...

    @overload
    def __init__(self, place: str, name: str, kind: type[Row], *, fresh_plan: bool = False) -> None: ...

    def __init__(self, place: str, name: str, kind: type[Any] = NoneType, *, fresh_plan: bool = False) -> None:
        """Without `kind` it has no rows. `fresh_plan` as `cursor_of` has it."""
        self._query = statement(place, name)
        self._kind: type[Row] = kind
        self._fresh_plan = fresh_plan

    async def execute(self, connection: Connection, /, **values: Any) -> int:
        """How many rows it wrote."""
        return (await connection.execute(self._query, values)).rowcount

    async def fetch_one(self, connection: Connection, /, **values: Any) -> Row | None:
        """The first row."""
        return await (await self._cursor(connection, values)).fetchone()

    async def fetch_all(self, connection: Connection, /, **values: Any) -> list[Row]:
        """All rows."""
        return await (await self._cursor(connection, values)).fetchall()

    async def _cursor(self, connection: Connection, values: dict[str, Any]) -> AsyncCursor[Row]:
        return await cursor_of(connection, self._kind, self._query, values, fresh_plan=self._fresh_plan)
