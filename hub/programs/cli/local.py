"""Options of the commands that act on the hub of this machine: which one it is, and how the answer is written."""

import enum
from pathlib import Path
from typing import Annotated

import typer


class Format(enum.StrEnum):
    """How a command answers."""

    TEXT = "text"
    JSON = "json"


DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="FLOORHUB_DATABASE_URL", show_envvar=False, help="The hub's database; default: that of `make run`."
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(envvar=["FLOORHUB_DATA_DIR", "FLOORHUB_DATA"], show_envvar=False, help="The hub's data folder."),
]
Output = Annotated[Format, typer.Option("--output", "-o", help="Text for people or JSON for programs.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as -o json.")]


def chosen(form: Format, as_json: bool) -> Format:
    """What the two options say together."""
    return Format.JSON if as_json else form
