"""`floorhub client list`, `show`, `history` and `limits`: what the hub knows of clients."""

from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.app import App
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.words import PRESENCE, PRINTERS, client_status, presence, reason, why_present, word

ClientId = Annotated[str, typer.Argument(help="The client's id.", autocompletion=completion.clients)]


def add_to(app: App) -> None:
    """Those that change nothing."""
    app.command("list")(list_clients)
    app.command()(show)
    app.command()(history)
    app.command()(limits)


@lists.with_view()
def list_clients(
    zone: Annotated[str | None, typer.Option("--zone", help="Only in this zone.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="Only in this group.", autocompletion=completion.groups)
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only with this tag.")] = None,
    is_present: Annotated[
        str | None, typer.Option("--presence", help="Only those that are online, offline or unknown.")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only those that are active, disabled or retired.")
    ] = None,
    *,
    view: View,
) -> None:
    """List clients with their presence."""
    wanted = {"zone": zone, "group": group, "tag": tag, "presence": is_present, "status": status}
    with explained(as_json=view.as_json), Api.from_environment() as api:
        items, more = api.pages("/api/clients", wanted, most=view.most_to_sort)
        lists.require_known(api, items, group=group)
    if any(wanted.values()):
        empty = either("No client fits.", "조건에 맞는 클라이언트가 없습니다.")
    else:
        empty = either(
            "There is no client yet: floorhub client add ID", "클라이언트가 아직 없습니다: floorhub client add ID"
        )
    columns = (
        Column("id", "id", field("id")),
        Column("kind", "종류", field("kind")),
        Column("status", "상태", client_status),
        Column("presence", "접속", presence),
        lists.with_zone("since", "시작", "presence_since"),
        Column("zone", "구역", field("zone")),
        Column("agent", "에이전트", _agent),
    )
    lists.show(items, columns, view, empty=empty, more=more)


def show(client_id: ClientId, as_json: Json = False) -> None:
    """Show a client: where it is, what it can do, its printers."""
    with explained(as_json=as_json), Api.from_environment() as api:
        client = api.get(f"/api/clients/{in_path(client_id)}")
    if as_json:
        output.print_json(client)
        return
    state = client["state"] or {}
    since = output.local(client["presence_since"], named=True)
    told = f"{presence(client)}{either(f' since {since}', f', {since}부터') if since else ''}"
    rows = [
        ("id", client["id"]),
        (either("name", "이름"), client["name"]),
        (either("kind", "종류"), client["kind"]),
        (either("status", "상태"), client_status(client)),
        (either("presence", "접속"), told),
        (either("zone", "구역"), client["zone"] or "-"),
        (either("groups", "그룹"), ", ".join(client["groups"]) or "-"),
        (either("tags", "태그"), ", ".join(client["tags"]) or "-"),
        (either("agent", "에이전트"), _agent(client) or "-"),
        (
            either("actions", "동작"),
            ", ".join(map(str, state.get("capabilities") or [])) or either("not reported yet", "아직 보고되지 않음"),
        ),
        (either("printers", "프린터"), ", ".join(map(_printer, state.get("printers") or [])) or "-"),
    ]
    output.say(*output.aligned(rows))


@lists.with_view(limit=lists.MANY)
def history(
    client_id: ClientId,
    *,
    view: View,
) -> None:
    """List when a client went online and offline, newest first."""
    columns = (
        lists.with_zone("at", "시각", "at"),
        Column("presence", "접속", lambda item: word(PRESENCE, item["presence"])),
        Column("reason", "이유", lambda item: why_present(item["reason"])),
    )
    empty = either("This client has never connected.", "이 클라이언트는 접속한 적이 없습니다.")
    lists.show_from(f"/api/clients/{in_path(client_id)}/history", columns, view, empty=empty, whole=False)


def limits(client_id: ClientId, as_json: Json = False) -> None:
    """Show the limits of a client, and how much is left."""
    with explained(as_json=as_json), Api.from_environment() as api:
        found = api.get(f"/api/clients/{in_path(client_id)}/permissions")
    if as_json:
        output.print_json(found)
        return
    allowed = found["allowed_actions"]
    every, none = either("all", "모두"), either("none", "없음")
    output.say(f"{either('actions', '동작')}: {every if allowed is None else ', '.join(allowed) or none}")
    for name, label in (("minute", either("minute", "분")), ("day", either("day", "일"))):
        left = found[name]
        reset = output.local(left["reset"], named=True)
        output.say(
            either(
                f"{label}: {left['remaining']} of {left['limit']} left, reset at {reset}",
                f"{label}: {left['limit']}개 중 {left['remaining']}개 남음, {reset}에 초기화",
            )
        )


def _agent(client: dict[str, Any]) -> str:
    return " ".join(filter(None, (client["agent_name"], client["agent_version"])))


def _printer(printer: dict[str, Any]) -> str:
    told = printer.get("reasons") or []
    listed = [one.get("reason") if isinstance(one, dict) else one for one in told] if isinstance(told, list) else [told]
    reasons = ", ".join(reason(one) for one in listed if one is not None)
    state = word(PRINTERS, str(printer.get("state") or "unknown"))
    return f"{printer.get('name')} ({state}{f': {reasons}' if reasons else ''})"
