"""`floorhub group`: put clients together under a name."""

from typing import Annotated, Any

import typer

from hub.programs.cli import output
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.output import Json, explained

app = typer.Typer(help="Put clients together under a name; a client may be in many groups.", no_args_is_help=True)
GroupId = Annotated[str, typer.Argument(help="a-z, 0-9 and '-'.")]
Members = Annotated[list[str], typer.Argument(help="Ids of clients.")]


@app.command()
def add(
    group_id: GroupId,
    clients: Annotated[list[str] | None, typer.Argument(help="Ids of its first clients.")] = None,
    name: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """Make a group."""
    body = {"id": group_id, "clients": clients or []} | ({} if name is None else {"name": name})
    with explained(as_json=as_json), Api.from_environment() as api:
        _said(api.post("/api/groups", body), as_json=as_json)


@app.command("list")
def list_groups(as_json: Json = False) -> None:
    """List groups."""
    with explained(as_json=as_json), Api.from_environment() as api:
        items = _all(api, "/api/groups")
    if as_json:
        output.print_json(items)
        return
    if not items:
        output.say("There is no group yet: floorhub group add ID CLIENT ...")
        return
    output.print_table(("id", "name", "clients"), [(item["id"], item["name"], str(item["members"])) for item in items])


@app.command()
def show(group_id: GroupId, as_json: Json = False) -> None:
    """Show the clients of a group with their presence."""
    with explained(as_json=as_json), Api.from_environment() as api:
        items = _all(api, f"/api/groups/{in_path(group_id)}/members")
    if as_json:
        output.print_json(items)
        return
    for item in items:
        output.say(f"{item['client_id']}  {item['presence']}")


@app.command()
def join(group_id: GroupId, clients: Members, as_json: Json = False) -> None:
    """Add clients to a group."""
    with explained(as_json=as_json), Api.from_environment() as api:
        _said(api.post(f"/api/groups/{in_path(group_id)}/members", {"add": clients}), as_json=as_json)


@app.command()
def leave(group_id: GroupId, clients: Members, as_json: Json = False) -> None:
    """Remove clients from a group."""
    with explained(as_json=as_json), Api.from_environment() as api:
        _said(api.post(f"/api/groups/{in_path(group_id)}/members", {"remove": clients}), as_json=as_json)


@app.command()
def remove(group_id: GroupId, as_json: Json = False) -> None:
    """Remove a group; its clients stay."""
    with explained(as_json=as_json), Api.from_environment() as api:
        group = api.delete(f"/api/groups/{in_path(group_id)}")
    if as_json:
        output.print_json(group)
    else:
        output.say(f"Group {group_id} is removed.")


def _said(group: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(group)
    else:
        output.say(f"Group {group['id']} has {output.number_of(group['members'], 'client')}.")


def _all(api: Api, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = api.get(path, cursor=cursor, limit=200)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items
