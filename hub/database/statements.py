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
_INCLUDE = re.compile(r"^ *-- include: (?P<name>[a-z_]+)$", re.MULTILINE)


@cache
def statements(place: str) -> dict[str, str]:
    """The statements of a file by name: each begins with a line `-- name: <name>`.

    What several share stands once, below a line `-- fragment: <name>`; a line `-- include: <name>` is replaced by it.
    `place` is a subject, such as `features/batches` (its `statements.sql`), or one file of a subject with several, such
    as `core/commands/submit` (its `statements/submit.sql`).
    """
    stratum, subject, *file = place.split("/")
    folder = resources.files("hub").joinpath(stratum, subject)
    found = folder.joinpath("statements", f"{file[0]}.sql") if file else folder.joinpath("statements.sql")
    text = found.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    texts: dict[str, dict[str, str]] = {"name": {}, "fragment": {}}
    for heading, end in zip(headings, ends, strict=True):
        texts[heading["kind"]][heading["name"]] = text[heading.end() : end].strip("\n")
    fragments = texts["fragment"]
    return {
        name: _INCLUDE.sub(lambda include: fragments[include["name"]], body).strip()
        for name, body in texts["name"].items()
    }


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
