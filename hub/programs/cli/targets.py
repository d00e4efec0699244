"""Which clients a command of `floorhub` is for, by options that several commands share."""

from typing import Annotated, Any

import typer

from hub.programs.cli import output

Clients = Annotated[list[str] | None, typer.Option("--client", help="A client's id; may be given several times.")]
Group = Annotated[str | None, typer.Option(help="The clients of a group.")]
Zone = Annotated[str | None, typer.Option(help="The clients of a zone.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Clients that have all tags given so.")]
AnyTags = Annotated[list[str] | None, typer.Option("--any-tag", help="Clients that have one of the tags given so.")]
Everybody = Annotated[bool, typer.Option("--all", help="Every client.")]


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
        output.fail("Say for whom: --client, --group, --zone, --tag, --any-tag or --all.", 2)
    return said
