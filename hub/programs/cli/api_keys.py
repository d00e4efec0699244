"""The commands of `floorhub key` about API keys of users and integrations: by the hub's API, unlike its other ones."""

from typing import Annotated, Any

import typer

from hub.programs.cli import lists, output, principals
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.principals import WhichKey, Who

Overlap = Annotated[
    str | None,
    typer.Option(
        "--overlap", metavar="DURATION", help="For an API key: how long the old one stays valid; default 24h, 0s: not."
    ),
]
WhichOf = Annotated[
    str | None, typer.Option("--of", metavar="NAME", help="Only of this integration or user, by name or id.")
]


def add(
    who: Who,
    name: principals.KeyName = None,
    permission: principals.Permitted = None,
    action: principals.ForActions = None,
    client: principals.OfClients = None,
    group: principals.OfGroups = None,
    zone: principals.OfZones = None,
    tag: principals.OfTags = None,
    address: principals.From = None,
    expires: principals.Expires = None,
    as_json: Json = False,
) -> None:
    """Create an API key of an integration or a user.

    It is shown only once. It may do what its owner may, within these options.
    """
    given: dict[str, Any] = {
        "name": name,
        "permissions": permission,
        "actions": action,
        "targets": principals.named_targets(client, group, zone, tag),
        "addresses": address,
        "expires_at": lists.later("--expires", expires),
    }
    with explained(as_json=as_json), Api.from_environment() as api:
        owner = principals.find(api, who)
        path = f"/api/{'users' if owner['kind'] == 'user' else 'integrations'}/{in_path(owner['id'])}/keys"
        key = api.post(path, {field: value for field, value in given.items() if value})
    if as_json:
        output.print_json(key)
        return
    output.say(either(f"Key {key['prefix']} of {owner['name']} is created.", f"{owner['name']}의 키를 만들었습니다."))
    principals.say_key(key)


@lists.with_view()
def list_keys(
    of: WhichOf = None,
    everything: Annotated[bool, typer.Option("--all", help="Also keys that expired or were revoked.")] = False,
    unused_since: Annotated[
        str | None,
        typer.Option("--unused-since", metavar="TIME", help="Only keys that were not used since: 90d or 2026-09-01."),
    ] = None,
    *,
    view: View,
) -> None:
    """List API keys."""
    since = lists.earlier("--unused-since", unused_since)
    with explained(as_json=view.as_json), Api.from_environment() as api:
        principal = None if of is None else principals.find(api, of)["id"]
        items, more = api.pages("/api/keys", {"principal": principal, "unused_since": since})
    if not everything:
        items = [key for key in items if key["status"] not in ("expired", "revoked")]
    columns = (
        Column("prefix", "prefix", field("prefix")),
        Column("of", "소유자", field("principal")),
        Column("name", "이름", field("name")),
        Column("permissions", "권한", lambda key: principals.listed(key["permissions"])),
        Column("actions", "동작", lambda key: principals.listed(key["actions"])),
        Column("clients", "클라이언트", _clients),
        Column("status", "상태", field("status")),
        lists.with_zone("expires", "만료", "expires_at"),
        lists.with_zone("last used", "마지막 사용", "last_used_at"),
        Column("id", "id", field("id")),
    )
    empty = either("No key fits.", "조건에 맞는 키가 없습니다.")
    lists.show(items, columns, view, empty=empty, more=more)


def _clients(key: dict[str, Any]) -> str:
    if key["targets"] is None:
        return either("all of its owner", "소유자의 모두")
    return "; ".join(principals.in_words(target) for target in key["targets"])


def rotate(which: str, overlap: str | None, *, as_json: bool) -> None:
    """Replace an API key by one with the same limits."""
    with explained(as_json=as_json), Api.from_environment() as api:
        body = {} if overlap is None else {"overlap": overlap}
        key_id = principals.find_key(api, which)
        key = api.post(f"/api/keys/{key_id}/rotate", body)
        old = api.get(f"/api/keys/{key_id}")
    if as_json:
        output.print_json(key)
        return
    until = output.local(old["expires_at"], named=True)
    output.say(
        either(
            f"Key {old['prefix']} of {old['principal']} is replaced; it ends at {until}.",
            f"{old['principal']}의 키 {old['prefix']}을(를) 교체했습니다. 이전 키는 {until}에 끝납니다.",
        )
    )
    principals.say_key(key)


def revoke(which: WhichKey, as_json: Json = False) -> None:
    """Revoke an API key: the hub refuses it at once."""
    with explained(as_json=as_json), Api.from_environment() as api:
        key = api.delete(f"/api/keys/{principals.find_key(api, which)}")
    if as_json:
        output.print_json(key)
        return
    output.say(
        either(
            f"Key {key['prefix']} of {key['principal']} is revoked.",
            f"{key['principal']}의 키 {key['prefix']}을(를) 폐기했습니다.",
        )
    )
