"""What all commands share: output for people or programs, and errors as one sentence."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from hub.errors import HubError, SetupError
from hub.programs.cli.api import ApiError
from hub.programs.embedded.errors import EmbeddedError

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

_WIDE = 1_000

Json = Annotated[bool, typer.Option("--json", help="JSON for programs instead of text for people.")]


def korean() -> bool:
    """Whether the person at the keyboard reads Korean, by LANG."""
    return os.environ.get("LANG", "").lower().startswith("ko")


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(table: Table) -> None:
    """A table with whole cells, however narrow the terminal is: ids are there to be copied."""
    wide = Console(highlight=False, width=_WIDE)
    for line in wide.render_lines(table, pad=False):
        console.print("".join(segment.text for segment in line).rstrip(), markup=False)


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Say what is wrong and end with a code."""
    errors.print(sentence, markup=False)
    raise typer.Exit(code)


def renamed(old: str, new: str) -> NoReturn:
    """Say what an old word of the command line is called now, and end with 2."""
    if korean():
        fail(f"`{old}`은(는) 이제 `{new}`입니다.", 2)
    fail(f"`{old}` is `{new}` now.", 2)


@contextmanager
def explained(*, as_json: bool = False) -> Iterator[None]:
    """Turn expected errors into a sentence (or their problem as JSON) and exit code 1; 2 for a wrong set-up."""
    try:
        yield
    except ApiError as problem:
        if as_json:
            print_json(problem.problem)
            raise typer.Exit(1) from None
        fail(str(problem))
    except SetupError as problem:
        fail(problem.sentence, 2)
    except EmbeddedError as problem:
        fail(f"{problem.sentence} {problem.remedy}".strip(), 2)
    except HubError as problem:
        fail(f"{problem.code}: {dict(problem.params)}")
