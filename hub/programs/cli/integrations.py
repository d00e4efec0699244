"""`floorhub integration`: other systems that use the hub with keys of their own."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output, principals
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.app import App
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.principals import Integration

app = App(help="Integrations: other systems, such as a WMS, with keys of their own.")


class Role(StrEnum):
    """What an integration may do at most."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Reach(StrEnum):
    """Which clients it reaches."""

    GRANTED = "granted"
    ALL = "all"


RoleOption = Annotated[Role | None, typer.Option("--role", help="What it may do at most: admin, operator or viewer.")]
ReachOption = Annotated[
    Reach | None, typer.Option("--reach", help="granted: the clients of its grants; all: every client.")
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name; must be unique.")],
    template: Annotated[
        str | None,
        typer.Option(
            help="order-system, wms or monitoring: role, permissions and actions that fit.",
            autocompletion=completion.templates,
        ),
    ] = None,
    role: RoleOption = None,
    reach: ReachOption = None,
    client: principals.OfClients = None,
    group: principals.OfGroups = None,
    zone: principals.OfZones = None,
    tag: principals.OfTags = None,
    everybody: principals.Everybody = False,
    action: principals.ForActions = None,
    read_only: principals.OnlyRead = False,
    permission: principals.Permitted = None,
    address: principals.From = None,
    expires: principals.Expires = None,
    key_name: principals.KeyName = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="Create no key yet.")] = False,
    as_json: Json = False,
) -> None:
    """Create an integration with its grants and its first key.

    The key is shown only once. --client, --group, --zone, --tag and --all say what it is granted, with --action and
    --read-only.
    """
    targets = principals.named_targets(client, group, zone, tag, everybody=everybody)
    if not targets and (action or read_only):
        output.misused(
            "--action and --read-only need clients: --client, --group, --zone, --tag or --all.",
            "--action과 --read-only에는 대상이 필요합니다: --client, --group, --zone, --tag, --all.",
        )
    given: dict[str, Any] = {"template": template, "role": role, "reach": reach}
    if targets:
        limits = ({"actions": action} if action else {}) | principals.access_of(only_read=read_only)
        given["grants"] = [{"target": target, **limits} for target in targets]
    if not no_key:
        key = {"name": key_name, "permissions": permission, "addresses": address}
        key["expires_at"] = lists.later("--expires", expires)
        given["key"] = {field: value for field, value in key.items() if value is not None}
    with explained(as_json=as_json), Api.from_environment() as api:
        made = api.post(
            "/api/integrations", {"name": name} | {f: value for f, value in given.items() if value is not None}
        )
    if as_json:
        output.print_json(made)
        return
    integration = made["integration"]
    output.say(
        either(
            f"Integration {name} is created, with the role {integration['role']}.",
            f"연동 시스템 {name}을(를) 역할 {integration['role']}(으)로 만들었습니다.",
        )
    )
    output.say(*(_grant(grant) for grant in made["grants"]))
    if not made["grants"] and integration["reach"] == "granted":
        output.tell(
            either(
                f"It reaches no client yet: floorhub grant add {name} --zone ZONE",
                f"아직 접근할 수 있는 클라이언트가 없습니다: floorhub grant add {name} --zone ZONE",
            )
        )
    if made["key"] is not None:
        principals.say_key(made["key"])


def _grant(grant: dict[str, Any]) -> str:
    where, actions = principals.in_words(grant["target"]), principals.listed(grant["actions"])
    if grant["access"] == "read":
        return either(f"It may see {where}; actions: {actions}.", f"조회 가능: {where}, 동작: {actions}.")
    return either(f"It may command {where}; actions: {actions}.", f"명령 가능: {where}, 동작: {actions}.")


@app.command("list")
@lists.with_view()
def list_integrations(*, view: View) -> None:
    """List integrations."""
    columns = (
        Column("name", "이름", field("name")),
        Column("role", "역할", field("role")),
        Column("reach", "범위", field("reach")),
        Column("status", "상태", field("status")),
        Column("keys", "키", field("keys"), right=True),
        Column("grants", "접근 허용", field("grants"), right=True),
        lists.with_zone("last used", "마지막 사용", "last_used_at"),
        Column("id", "id", field("id")),
    )
    empty = either(
        "There is no integration yet: floorhub integration add NAME",
        "연동 시스템이 아직 없습니다: floorhub integration add NAME",
    )
    lists.show_from("/api/integrations", columns, view, empty=empty)


@app.command()
def show(name: Integration, as_json: Json = False) -> None:
    """Show an integration with its grants and keys."""
    with explained(as_json=as_json), Api.from_environment() as api:
        found = principals.find_integration(api, name)
        grants, _ = api.pages(f"/api/integrations/{in_path(found['id'])}/grants")
        keys, _ = api.pages(f"/api/integrations/{in_path(found['id'])}/keys")
    if as_json:
        output.print_json({**found, "grants": grants, "keys": keys})
        return
    output.say(
        *output.aligned(
            [
                (either("name", "이름"), found["name"]),
                ("id", found["id"]),
                (either("role", "역할"), found["role"]),
                (either("reach", "범위"), found["reach"]),
                (either("status", "상태"), found["status"]),
                *((either("grant", "접근 허용"), f"{_grant(grant)} ({grant['id']})") for grant in grants),
                *((either("key", "키"), f"{key['prefix']} {key['name']} ({key['status']})") for key in keys),
            ]
        )
    )


@app.command()
def change(
    name: Integration,
    new_name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    role: RoleOption = None,
    reach: ReachOption = None,
    as_json: Json = False,
) -> None:
    """Change an integration. What you leave out stays."""
    changes = {key: value for key, value in (("name", new_name), ("role", role), ("reach", reach)) if value is not None}
    if not changes:
        output.misused(
            "Say what to change: --name, --role or --reach.", "바꿀 것을 지정하십시오: --name, --role, --reach."
        )
    _change(name, changes, ("is changed", "변경했습니다"), as_json=as_json)


@app.command()
def disable(name: Integration, as_json: Json = False) -> None:
    """Refuse all keys of an integration from now on."""
    _change(name, {"status": "disabled"}, ("is disabled", "사용 중지했습니다"), as_json=as_json)


@app.command()
def enable(name: Integration, as_json: Json = False) -> None:
    """Accept the keys of a disabled integration again."""
    _change(name, {"status": "active"}, ("is enabled", "사용을 재개했습니다"), as_json=as_json)


@app.command()
def remove(name: Integration, as_json: Json = False) -> None:
    """Remove an integration for good, with its keys and grants."""
    with explained(as_json=as_json), Api.from_environment() as api:
        found = api.delete(f"/api/integrations/{in_path(principals.find_integration(api, name)['id'])}")
    _said(found, ("is removed", "삭제했습니다"), as_json=as_json)


def _change(name: str, changes: dict[str, Any], words: tuple[str, str], *, as_json: bool) -> None:
    with explained(as_json=as_json), Api.from_environment() as api:
        found = principals.find_integration(api, name)
        changed = api.patch(f"/api/integrations/{in_path(found['id'])}", changes)
    _said(changed, words, as_json=as_json)


def _said(found: dict[str, Any], words: tuple[str, str], *, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    name = found["name"]
    output.say(either(f"Integration {name} {words[0]}.", f"연동 시스템 {name}: {words[1]}."))
