"""What an action answered, for people: the `data` of its result, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

from hub.programs.cli import output
from hub.programs.cli.output import either

MOST_LINES = 60
_TOLD_ELSEWHERE = {"print"}
"""Actions whose end says in words what their data have for programs."""
_INDENT = "  "


def show(command: Mapping[str, Any]) -> None:
    """The data that a command ended with, if there are any."""
    data = (command.get("result") or {}).get("data")
    if command["status"] != "completed" or command["action"] in _TOLD_ELSEWHERE or data in (None, {}, [], ""):
        return
    lines = list(_lines(data, _INDENT))
    output.say(*lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        left = len(lines) - MOST_LINES
        output.tell(
            either(
                f"... and {output.number_of(left, 'more line', 'more lines')}: -o yaml shows all.",
                f"... {left}줄이 더 있습니다. -o yaml이면 모두 표시합니다.",
            )
        )


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in sorted(value.items(), key=lambda item: isinstance(item[1], dict | list)):
            yield from _entry(f"{indent}{name}:", one, indent)
    elif isinstance(value, list):
        for one in value:
            yield from _entry(f"{indent}-", one, indent)
    else:
        yield f"{indent}{_plain(value)}"


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    """A field or an item: on one line where it fits."""
    if isinstance(value, list) and all(not isinstance(one, dict | list) for one in value):
        yield f"{head} {', '.join(map(_plain, value)) or '-'}"
    elif isinstance(value, dict | list) and value:
        below = list(_lines(value, indent + _INDENT))
        if head.endswith("-") and isinstance(value, dict):
            first, *below = below
            yield f"{head} {first.lstrip()}"
        else:
            yield head
        yield from below
    else:
        yield f"{head} {_plain(value)}"


def _plain(value: Any) -> str:
    if value is None or value in ({}, []):
        return "-"
    if isinstance(value, bool):
        return either("yes", "예") if value else either("no", "아니요")
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.1f}"
    return str(value)
