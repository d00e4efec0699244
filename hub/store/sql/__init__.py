"""The named SQL statements of the hub, read once. The `.sql` files beside this module are their only home."""

import re
from functools import cache
from importlib import resources

_HEADING = re.compile(r"^-- name: (?P<name>[a-z_]+)$", re.MULTILINE)


@cache
def statements(file: str) -> dict[str, str]:
    """The statements of `<file>.sql` by name: each begins with a line `-- name: <name>`."""
    text = resources.files(__package__).joinpath(f"{file}.sql").read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {heading["name"]: text[heading.end() : end].strip() for heading, end in zip(headings, ends, strict=True)}


def statement(file: str, name: str) -> bytes:
    """One statement, as psycopg takes it. Raises KeyError for a name that is not there."""
    return statements(file)[name].encode()
