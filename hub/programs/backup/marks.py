"""The mark of a restore that is under way, in the database that it fills.

It keeps hubs out until the keys are in place, too, and tells the next restore what one that was killed has moved. It
comes and goes with its database: a rename of that one is the moment at which it counts.
"""

import msgspec

from hub.programs.backup import server


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A restore. `dump`: the SHA-256 of what it loads. The names are those of before."""

    dump: str
    kept_database: str | None
    """None: there was no database of before, and none was made."""
    folder: str
    kept_folder: str


def put(url: str, mark: Mark) -> None:
    """Mark a database. Raises SetupError and psycopg.Error."""
    with server.connected(url) as connection, connection.transaction():
        server.run(connection, "make_mark")
        server.run(connection, "set_mark", **msgspec.structs.asdict(mark))


def find(url: str) -> Mark | None:
    """The mark of a database. Raises SetupError and psycopg.Error."""
    with server.connected(url) as connection:
        if not server.rows(connection, "marked")[0]["marked"]:
            return None
        found = server.rows(connection, "mark")
    return msgspec.convert(found[0], Mark) if found else None


def remove(url: str) -> None:
    """From now on hubs may work with the database. Raises SetupError and psycopg.Error."""
    with server.connected(url) as connection:
        server.run(connection, "remove_mark")
