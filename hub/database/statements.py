"""The named SQL statements of the hub, read once. The `.sql` files of each subject are their only home."""

import re
from functools import cache
from importlib import resources

_HEADING = re.compile(r"^-- name: (?P<name>[a-z_]+)$", re.MULTILINE)


@cache
def statements(place: str) -> dict[str, str]:
    """The statements of a file by name: each begins with a line `-- name: <name>`.

    `place` is a subject, such as `features/batches` (its `statements.sql`), or one file of a subject with several, such
    as `core/commands/submit` (its `statements/submit.sql`).
    """
    stratum, subject, *file = place.split("/")
    folder = resources.files("hub").joinpath(stratum, subject)
    found = folder.joinpath("statements", f"{file[0]}.sql") if file else folder.joinpath("statements.sql")
    text = found.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {heading["name"]: text[heading.end() : end].strip() for heading, end in zip(headings, ends, strict=True)}


def statement(place: str, name: str) -> bytes:
    """One statement, as psycopg takes it. Raises KeyError for a name that is not there."""
    return statements(place)[name].encode()
