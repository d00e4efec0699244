"""Statements that run for every command. Their parameters are numbered once, not looked for at each call."""

import re
from typing import Any

from psycopg import AsyncRawCursor
from psycopg.rows import DictRow

from hub.database.engine import Connection
from hub.database.statements import statement

_PARAMETER = re.compile(rb"%\(([a-z_]+)\)s")


class HotStatement:
    """One named statement, ready to be executed."""

    def __init__(self, place: str, name: str) -> None:
        self._names: list[str] = []
        self._query = _PARAMETER.sub(self._number, statement(place, name))

    def _number(self, match: re.Match[bytes]) -> bytes:
        name = match[1].decode()
        if name not in self._names:
            self._names.append(name)
        return b"$%d" % (self._names.index(name) + 1)

    async def execute(
        self, connection: Connection, /, *, prepare: bool | None = None, **values: Any
    ) -> AsyncRawCursor[DictRow]:
        """Execute with every parameter by its name; the cursor has the rows. `prepare` as psycopg takes it."""
        cursor = AsyncRawCursor(connection)
        await cursor.execute(self._query, [values[name] for name in self._names], prepare=prepare)
        return cursor
