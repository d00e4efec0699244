"""`floorhub group`: put clients together under a name."""

from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.app import App
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.words import PRESENCE, word

app = App(help="Groups: put clients together under a name.")
GroupId = Annotated[str, typer.Argument(help="The group's id: a-z, 0-9 and '-'.", autocompletion=completion.groups)]
Members = Annotated[
    list[str], typer.Argument(metavar="CLIENT", help="Ids of clients.", autocompletion=completion.clients)
]


@app.command()
def add(
    group_id: GroupId,
    clients: Annotated[
        list[str] | None,
        typer.Argument(metavar="CLIENT", help="Ids of its first clients.", autocompletion=completion.clients),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Its name for people; default: its id.")] = None,
    as_json: Json = False,
) -> None:
    """Create a group. A client may be in many groups."""
    body = {"id": group_id, "clients": clients or []} | ({} if name is None else {"name": name})
    with explained(as_json=as_json), Api.from_environment() as api:
        _said(api.post("/api/groups", body), as_json=as_json)


@app.command("list")
@lists.with_view()
def list_groups(*, view: View) -> None:
    """List groups."""
    columns = (
        Column("id", "id", field("id")),
        Column("name", "이름", field("name")),
        Column("clients", "클라이언트", field("members"), right=True),
    )
    empty = either(
        "There is no group yet: floorhub group add ID CLIENT ...",
        "그룹이 아직 없습니다: floorhub group add ID CLIENT ...",
    )
    lists.show_from("/api/groups", columns, view, empty=empty)


@app.command()
@lists.with_view()
def show(
    group_id: GroupId,
    *,
    view: View,
) -> None:
    """List the clients of a group with their presence."""
    columns = (
        Column("client", "클라이언트", field("client_id")),
        Column("presence", "접속", lambda item: word(PRESENCE, item["presence"])),
    )
    empty = either("This group has no clients.", "이 그룹에는 클라이언트가 없습니다.")
    lists.show_from(f"/api/groups/{in_path(group_id)}/members", columns, view, empty=empty)


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
        output.say(either(f"Group {group_id} is removed.", f"그룹 {group_id}을(를) 삭제했습니다."))


def _said(group: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(group)
        return
    number = group["members"]
    output.say(
        either(
            f"Group {group['id']} has {output.number_of(number, 'client')}.",
            f"그룹 {group['id']}에 클라이언트 {number}대가 있습니다.",
        )
    )
