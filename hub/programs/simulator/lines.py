"""Where a field stands in a TOML text: the parser does not say."""

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\- ]+?)\s*\]")
_FIELD = re.compile(r"\s*([\w.\-]+)\s*=")
_STEP = re.compile(r"\.([\w\-]+)|\[(\d+)\]")


def path_of(text: str) -> Path:
    """The path in a validator's sentence, such as `$.rule[1].drop`."""
    return tuple(name or int(index) for name, index in _STEP.findall(text.partition("`$")[2]))


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, of a field, or of the nearest thing around it that has a line of its own."""
    lines = _lines(text)
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _lines(text: str) -> dict[Path, int]:
    found: dict[Path, int] = {}
    tables: dict[Path, int] = {}
    around: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            around = _within(tuple(header[2].replace(" ", "").split(".")), tables)
            if header[1] == "[[":
                tables[around] = tables.get(around, -1) + 1
                around = (*around, tables[around])
            found.setdefault(around, number)
        elif field := _FIELD.match(line):
            found.setdefault((*around, *field[1].split(".")), number)
    return found


def _within(names: tuple[str, ...], tables: dict[Path, int]) -> Path:
    """A header's path: behind the name of an array of tables stands the number of its last one."""
    path: Path = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if path in tables and position < len(names) - 1:
            path = (*path, tables[path])
    return path
