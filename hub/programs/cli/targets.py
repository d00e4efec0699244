"""Which clients a command of `floorhub` is for, and what commands have in common, by options that several share."""

from typing import Annotated, Any

import typer

from hub.programs.cli import completion, output

Clients = Annotated[
    list[str] | None,
    typer.Option("--client", help="A client's id; may be given several times.", autocompletion=completion.clients),
]
Group = Annotated[str | None, typer.Option("--group", help="The clients of a group.", autocompletion=completion.groups)]
Zone = Annotated[str | None, typer.Option("--zone", help="The clients of a zone.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", help="Clients with this tag; several times: with all of them.")
]
AnyTags = Annotated[
    list[str] | None, typer.Option("--any-tag", help="Clients with this tag; several times: with one of them.")
]
Everybody = Annotated[bool, typer.Option("--all", help="Every client.")]
ExpiresIn = Annotated[
    str | None,
    typer.Option(
        "--expires-in",
        "--expires-in-s",
        metavar="DURATION",
        help="How long the effect may wait to begin: 90, 15m, 2h, 1w.",
    ),
]


def target(
    clients: list[str] | None,
    group: str | None,
    zone: str | None,
    tags: list[str] | None,
    any_tags: list[str] | None,
    everybody: bool,
) -> dict[str, Any]:
    """The target as the API takes it, which judges it. Ends the program with 2 when none is given."""
    said: dict[str, Any] = {}
    if clients:
        said["clients"] = clients
    if group is not None:
        said["group"] = group
    if zone is not None:
        said["zone"] = zone
    if tags or any_tags:
        said["tags"] = {"all": tags or [], "any": any_tags or []}
    if everybody:
        said["all"] = True
    if not said:
        output.misused(
            "Say for whom: --client, --group, --zone, --tag, --any-tag or --all.",
            "대상을 지정하십시오: --client, --group, --zone, --tag, --any-tag, --all.",
        )
    return said
