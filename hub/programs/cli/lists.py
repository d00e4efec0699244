"""Lists: their options, and one table for all of them. `--limit 0` shows everything; JSON and YAML have every field."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import typer

from hub.programs.cli import durations, output
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.output import either

Value = TypeVar("Value")

MANY = 50
"""Rows that a list without an end shows."""

Limit = Annotated[int, typer.Option("--limit", min=0, metavar="ROWS", help="Rows to show; 0: all.")]
Sort = Annotated[
    str | None,
    typer.Option("--sort", "--sort-by", metavar="FIELD", help="Sort the rows by a field of -o json; -FIELD: reversed."),
]
NoHeaders = Annotated[bool, typer.Option("--no-headers", help="Leave the line of headings out.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Created since: 2h, 3d, today, 2026-11-29 or 2026-11-29T08:00."),
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Created until; written like --since.")]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading in English and Korean, what it shows of an item, and whether it is a number."""

    english: str
    korean: str
    cell: Callable[[dict[str, Any]], Any]
    right: bool = False

    @property
    def heading(self) -> str:
        """In the language of the person at the keyboard."""
        return either(self.english, self.korean)


@dataclass(frozen=True, slots=True)
class View:
    """How a person wants to see a list."""

    as_json: bool
    limit: int = 0
    sort: str | None = None
    no_headers: bool = False

    @property
    def most(self) -> int | None:
        """How many items to ask the hub for; None: all."""
        return self.limit or None

    @property
    def most_to_sort(self) -> int | None:
        """The same for a list that is sorted as a whole before it is cut."""
        return None if self.sort else self.most


def with_view(limit: int = 0) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of a list; its function takes what they say as `view`. `limit`: how many rows it
    shows at first; 0: all."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(*, limit: int, sort: str | None, no_headers: bool, as_json: bool, **given: Any) -> None:
            command(view=View(as_json, limit, sort, no_headers), **given)

        options = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, default, annotation in (
                ("limit", limit, Limit),
                ("sort", None, Sort),
                ("no_headers", False, NoHeaders),
                ("as_json", False, output.Json),
            )
        ]
        signature = inspect.signature(command)
        own = [each for each in signature.parameters.values() if each.name != "view"]
        vars(run)["__signature__"] = signature.replace(parameters=[*own, *options])
        run.__annotations__ = {each.name: each.annotation for each in (*own, *options)}
        return run

    return decorate


def field(name: str) -> Callable[[dict[str, Any]], Any]:
    """A cell that shows a field as it is."""
    return lambda item: item[name]


def time_of(name: str) -> Callable[[dict[str, Any]], str]:
    """A cell that shows a moment as the clock on the wall."""
    return lambda item: output.local(item[name])


def with_zone(english: str, korean: str, name: str) -> Column:
    """A column of moments; its heading names the zone."""
    zone = output.zone()
    return Column(f"{english} ({zone})", f"{korean} ({zone})", time_of(name))


def show(
    items: Sequence[dict[str, Any]],
    columns: Sequence[Column],
    view: View,
    *,
    empty: str,
    more: bool = False,
) -> None:
    """Show items as the person wants to see them. `empty` is said to people when there are none; `more`: the hub has
    more of them than were asked for."""
    rows = _sorted(list(items), view.sort)
    if view.limit and len(rows) > view.limit:
        rows, more = rows[: view.limit], True
    if view.as_json:
        output.print_json(rows)
        return
    if not rows:
        (output.tell if view.no_headers else output.say)(empty)
        return
    table = [["" if (cell := column.cell(row)) is None else str(cell) for column in columns] for row in rows]
    right = {column.heading for column in columns if column.right}
    output.print_table([column.heading for column in columns], table, right=right, headed=not view.no_headers)
    if more:
        output.tell(either("... and more: --limit 0 shows all.", "... 더 있습니다. --limit 0이면 모두 표시합니다."))


def show_from(
    path: str,
    columns: Sequence[Column],
    view: View,
    *,
    empty: str,
    query: Mapping[str, str | None] = MappingProxyType({}),
    whole: bool = True,
) -> None:
    """Get the list at a path of the hub's API and show it. `whole`: it is sorted as a whole before it is cut; else only
    the newest rows are sorted, since there may be millions."""
    with output.explained(as_json=view.as_json), Api.from_environment() as api:
        items, more = api.pages(path, dict(query), most=view.most_to_sort if whole else view.most)
    show(items, columns, view, empty=empty, more=more)


def since_until(since: str | None, until: str | None) -> dict[str, str]:
    """The moments of `--since` and `--until` as the API takes them. Ends the program with 2 when one is none."""
    given = {"created_after": earlier("--since", since), "created_before": earlier("--until", until)}
    return {name: moment for name, moment in given.items() if moment is not None}


def earlier(option: str, text: str | None) -> str | None:
    """The past moment of an option. Ends the program with 2 when it is none."""
    return _read(
        option,
        text,
        durations.moment,
        "시간이 아닙니다. 2h, 3d, today, yesterday, 2026-11-29, 2026-11-29T08:00처럼 쓰십시오.",
    )


def later(option: str, text: str | None) -> str | None:
    """The moment to come of an option. Ends the program with 2 when it is none."""
    return _read(
        option,
        text,
        durations.later,
        "시간이 아닙니다. 15m, 2h, tomorrow, 2026-11-29, 2026-11-29T08:00처럼 쓰십시오.",
    )


def seconds(option: str, text: str | None) -> float | None:
    """The duration of an option. Ends the program with 2 when it is none."""
    return _read(
        option,
        text,
        durations.seconds,
        "기간이 아닙니다. 초 단위의 수나 90s, 15m, 2h, 1h30m, 3d, 1w처럼 쓰십시오.",
    )


def _read(option: str, text: str | None, read: Callable[[str], Value], korean: str) -> Value | None:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as problem:
        output.misused(f"{option}: {problem}.", f"{option} {text}: {korean}")


def _sorted(rows: list[dict[str, Any]], sort: str | None) -> list[dict[str, Any]]:
    if sort is None or not rows:
        return rows
    name = sort.removeprefix("-")
    if name not in rows[0]:
        plain = ", ".join(key for key, value in rows[0].items() if not isinstance(value, dict | list))
        output.misused(
            f"--sort {sort}: there is no such field; use one of {plain}.",
            f"--sort {sort}: 그런 필드가 없습니다. 다음 중 하나를 쓰십시오: {plain}.",
        )
    given = [row for row in rows if row[name] is not None]
    missing = [row for row in rows if row[name] is None]
    return sorted(given, key=lambda row: _key(row[name]), reverse=sort.startswith("-")) + missing


def _key(value: Any) -> tuple[int, float, str]:
    """Numbers by their size, everything else by its text."""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value).casefold()


def require_known(api: Api, items: Sequence[Any], *, client: str | None = None, group: str | None = None) -> None:
    """If nothing was found, make sure that the client or the group which was asked for exists. Raises ApiError."""
    if items:
        return
    if client:
        api.get(f"/api/clients/{in_path(client)}")
    if group:
        api.get(f"/api/groups/{in_path(group)}/members", limit=1)
