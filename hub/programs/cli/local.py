"""Options of the commands that act on the hub of this machine: which one it is."""

from pathlib import Path
from typing import Annotated

import typer

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
OwnerUrl = Annotated[
    str,
    typer.Option(
        "--owner-url",
        envvar="FLOORHUB_DATABASE_OWNER_URL",
        show_envvar=False,
        help="The same database, as the owner of the tables, if the hub connects as another role.",
    ),
]
