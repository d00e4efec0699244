"""`floorhub grant`: which clients an integration or a user may see or command."""

from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output, principals
from hub.programs.cli.api import Api, ApiError, in_path
from hub.programs.cli.app import App
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.principals import Who

app = App(help="Grants: which clients an integration or a user may see or command.")


@app.command()
def add(
    who: Who,
    action: principals.ForActions = None,
    read_only: principals.OnlyRead = False,
    client: principals.OfClients = None,
    group: principals.OfGroups = None,
    zone: principals.OfZones = None,
    tag: principals.OfTags = None,
    everybody: principals.Everybody = False,
    as_json: Json = False,
) -> None:
    """Grant clients to an integration or a user.

    Each --client, --group and --zone is a grant of its own.
    """
    targets = principals.named_targets(client, group, zone, tag, everybody=everybody)
    if not targets:
        output.misused(
            "Say which clients: --client, --group, --zone, --tag or --all.",
            "대상을 지정하십시오: --client, --group, --zone, --tag, --all.",
        )
    limits = ({"actions": action} if action else {}) | principals.access_of(only_read=read_only)
    with explained(as_json=as_json), Api.from_environment() as api:
        owner = principals.find(api, who)
        path = f"/api/principals/{in_path(owner['id'])}/grants"
        made = [api.post(path, {"target": target, **limits}) for target in targets]
        empty = [] if as_json else [target for target in targets if _is_empty(api, target)]
    if as_json:
        output.print_json(made)
        return
    for grant in made:
        _say(grant)
    for target in empty:
        which = principals.in_words(target)
        output.tell(
            either(
                f"No client is in {which} now: the grant counts as soon as there is one.",
                f"{which}에 지금은 클라이언트가 없습니다. 생기면 바로 적용됩니다.",
            )
        )
    if owner["reach"] == "all":
        change = f"floorhub {owner['kind']} change --reach granted"
        output.tell(
            either(
                f"{owner['name']} reaches all clients anyway: `{change}` limits it to its grants.",
                f"{owner['name']}은(는) 이미 모든 클라이언트에 접근합니다. `{change}`로 접근 허용만 쓰게 할 수 "
                "있습니다.",
            )
        )


def _is_empty(api: Api, target: dict[str, Any]) -> bool:
    """Whether a zone or a group has no client: its name may be mistyped. False if the key may not look."""
    ((kind, name),) = target.items()
    if kind not in ("zone", "group"):
        return False
    try:
        return not api.get("/api/clients", **{kind: name}, limit=1)["items"]
    except ApiError:
        return False


@app.command("list")
@lists.with_view()
def list_grants(
    of: Annotated[
        str | None,
        typer.Option(
            "--of",
            metavar="NAME",
            help="Only of this integration or user, by name or id.",
            autocompletion=completion.integrations,
        ),
    ] = None,
    client: Annotated[
        str | None,
        typer.Option(help="Only those that mean this client.", autocompletion=completion.clients),
    ] = None,
    *,
    view: View,
) -> None:
    """List grants."""
    with explained(as_json=view.as_json), Api.from_environment() as api:
        principal = None if of is None else principals.find(api, of)["id"]
        items, more = api.pages("/api/grants", {"principal": principal, "client": client}, most=view.most_to_sort)
        lists.require_known(api, items, client=client)
    columns = (
        Column("id", "id", field("id")),
        Column("to", "대상자", field("principal")),
        Column("clients", "클라이언트", lambda grant: principals.in_words(grant["target"])),
        Column("actions", "동작", lambda grant: principals.listed(grant["actions"])),
        Column("access", "허용", field("access")),
    )
    empty = either(
        "There is no grant yet: floorhub grant add NAME --zone ZONE",
        "접근 허용이 아직 없습니다: floorhub grant add NAME --zone ZONE",
    )
    if of is not None or client is not None:
        empty = either("No grant fits.", "조건에 맞는 접근 허용이 없습니다.")
    lists.show(items, columns, view, empty=empty, more=more)


@app.command()
def remove(
    grant_id: Annotated[str, typer.Argument(metavar="GRANT", help="Id of a grant.", autocompletion=completion.grants)],
    as_json: Json = False,
) -> None:
    """Take a grant back, which takes effect at once."""
    with explained(as_json=as_json), Api.from_environment() as api:
        grant = api.delete(f"/api/grants/{in_path(grant_id)}")
    if as_json:
        output.print_json(grant)
        return
    where = principals.in_words(grant["target"])
    output.say(
        either(
            f"{grant['principal']} has no longer this grant: {where}.",
            f"{grant['principal']}: {where} 접근 허용을 취소했습니다.",
        )
    )


def _say(grant: dict[str, Any]) -> None:
    where, actions = principals.in_words(grant["target"]), principals.listed(grant["actions"])
    name = grant["principal"]
    if grant["access"] == "read":
        output.say(
            either(f"{name} may see {where}; actions: {actions}.", f"{name} 조회 가능: {where}, 동작: {actions}.")
        )
    else:
        output.say(
            either(f"{name} may command {where}; actions: {actions}.", f"{name} 명령 가능: {where}, 동작: {actions}.")
        )
