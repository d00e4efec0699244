"""`floorhub client`: register, list and retire clients."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec.structs import replace

from hub.errors import SetupError
from hub.keys import cannot_write, write_secret_file
from hub.programs.cli import output, targets
from hub.programs.cli.api import Api, in_path, running
from hub.programs.cli.new_files import reserved
from hub.programs.cli.output import Json, explained
from hub.programs.embedded.data_folder import default_root
from schemas.addresses import read_address

app = typer.Typer(help="Register, list and retire clients.", no_args_is_help=True)


@app.command()
def add(
    client_id: Annotated[str, typer.Argument(help="a-z, 0-9 and '-'; chosen once, never used again.")],
    name: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[str, typer.Option(help="printer_pc, pda, kiosk or other.")] = "other",
    zone: Annotated[str | None, typer.Option()] = None,
    tag: Annotated[list[str] | None, typer.Option(help="May be given several times.")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="An action it may be sent; default: all.")] = None,
    rate_limit: Annotated[int | None, typer.Option(min=0, help="Commands a minute; default 60.")] = None,
    per_day: Annotated[int | None, typer.Option(min=0, help="Commands a day (UTC); default 1,000.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Write the agent's configuration, with its secret, to this file (0600).")
    ] = None,
    mqtt_url: Annotated[
        str, typer.Option(envvar="FLOORHUB_MQTT_URL", help="For --config: the broker as the client reaches it.")
    ] = "",
    hub_url: Annotated[str | None, typer.Option(help="For --config: the hub as the client reaches it.")] = None,
    as_json: Json = False,
) -> None:
    """Register a client. Its secret is shown this once, or written with --config."""
    optional = {
        "name": name,
        "zone": zone,
        "allowed_actions": allow,
        "rate_limit": rate_limit,
        "max_commands_per_day": per_day,
    }
    body: dict[str, Any] = {"id": client_id, "kind": kind, "tags": tag or []}
    body |= {field: value for field, value in optional.items() if value is not None}
    with (
        explained(as_json=as_json),
        Api.from_environment() as api,
        reserved(config) if config is not None else nullcontext(),
    ):
        client = api.post("/api/clients", body)
        if config is not None:
            beside = running(default_root(), "mqtt_url") if api.url == running(default_root()) else None
            try:
                write_agent_config(
                    config,
                    client_id=client_id,
                    hub_url=hub_url or api.url,
                    mqtt_url=mqtt_url or beside or f"mqtt://{replace(read_address(api.url), port=1883).authority()}",
                    secret=client["secret"],
                    root_key=client["root_key"],
                )
            except OSError as problem:
                _tell_secret(client, cannot_write(config, problem), as_json=as_json)
                raise typer.Exit(1) from None
            del client["secret"]
        if as_json:
            output.print_json(client)
            return
        output.say(f"Client {client_id} is registered.")
        if config is not None:
            output.say(f"Its configuration: {config}")
            output.say(f"Start its agent:   floorhub-agent run --config {config}")
        else:
            output.say(f"Its secret, shown this once: {client['secret']}")
            output.say(f"The hub's root key to pin:   {client['root_key']}")


def _tell_secret(client: dict[str, Any], problem: SetupError, *, as_json: bool) -> None:
    """What a person needs to go on when a client is registered, and its configuration could not be written."""
    if as_json:
        output.print_json(client)
    if output.korean():
        output.tell(problem.korean, f"클라이언트 {client['id']}은(는) 등록되었습니다. 설정 파일을 직접 만드십시오.")
    else:
        output.tell(str(problem), f"Client {client['id']} is registered. Write its configuration yourself.")
    if not as_json:
        output.say(f"Its secret, shown this once: {client['secret']}")
        output.say(f"The hub's root key to pin:   {client['root_key']}")


@app.command("list")
def list_clients(
    zone: Annotated[str | None, typer.Option()] = None,
    group: Annotated[str | None, typer.Option()] = None,
    tag: Annotated[str | None, typer.Option()] = None,
    presence: Annotated[str | None, typer.Option(help="online, offline or unknown.")] = None,
    as_json: Json = False,
) -> None:
    """List clients with their presence."""
    with explained(as_json=as_json), Api.from_environment() as api:
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = api.get("/api/clients", zone=zone, group=group, tag=tag, presence=presence, cursor=cursor, limit=200)
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    if as_json:
        output.print_json(items)
        return
    if not items:
        if any((zone, group, tag, presence)):
            output.say("No client fits.")
        else:
            output.say("There is no client yet: floorhub client add ID")
        return
    rows = [
        (
            item["id"],
            item["kind"],
            f"{item['status']}, fenced" if item["fenced"] else item["status"],
            f"{item['presence']} ({item['presence_reason']})",
            output.local(item["presence_since"]),
            item["zone"] or "",
            _agent(item),
        )
        for item in items
    ]
    output.print_table(("id", "kind", "status", "presence", f"since ({output.zone()})", "zone", "agent"), rows)


@app.command()
def show(client_id: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Show a client: where it is, what it can do, and its printers."""
    with explained(as_json=as_json), Api.from_environment() as api:
        client = api.get(f"/api/clients/{in_path(client_id)}")
    if as_json:
        output.print_json(client)
        return
    state = client["state"] or {}
    since = f" since {output.local(client['presence_since'], named=True)}" if client["presence_since"] else ""
    rows = {
        "id": client["id"],
        "name": client["name"],
        "kind": client["kind"],
        "status": f"{client['status']}, fenced" if client["fenced"] else client["status"],
        "presence": f"{client['presence']} ({client['presence_reason']}){since}",
        "zone": client["zone"] or "-",
        "tags": ", ".join(client["tags"]) or "-",
        "agent": _agent(client) or "-",
        "actions": ", ".join(map(str, state.get("capabilities") or [])) or "not told yet",
        "printers": ", ".join(map(_printer, state.get("printers") or [])) or "-",
    }
    output.say(*(f"{name + ':':<10}{value}" for name, value in rows.items()))


def _agent(client: dict[str, Any]) -> str:
    """Name and version of a client's program; empty for one that never connected."""
    return " ".join(filter(None, (client["agent_name"], client["agent_version"])))


def _printer(printer: dict[str, Any]) -> str:
    told = printer.get("reasons") or []
    reasons = ", ".join(map(str, told)) if isinstance(told, list) else str(told)
    return f"{printer.get('name')} ({printer.get('state') or 'unknown'}{f': {reasons}' if reasons else ''})"


@app.command("set")
def set_fields(
    client_id: Annotated[str, typer.Argument()],
    name: Annotated[str | None, typer.Option()] = None,
    zone: Annotated[str | None, typer.Option(help="Its zone; '' for none.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Its tags, instead of all it has; '' for none.")] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE to keep with it; NAME= removes one. May be given several times."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a client's name, zone, tags and metadata; what is not given stays."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = name
    if zone is not None:
        changes["zone"] = zone or None
    if tag is not None:
        changes["tags"] = [one for one in tag if one]
    with explained(as_json=as_json), Api.from_environment() as api:
        if metadata is not None:
            kept = api.get(f"/api/clients/{in_path(client_id)}")["metadata"]
            given = dict(_pair(pair) for pair in metadata)
            changes["metadata"] = {key: value for key, value in {**kept, **given}.items() if value != ""}
        if not changes:
            output.fail("Say what to change: --name, --zone, --tag or --metadata.", 2)
        client = api.patch(f"/api/clients/{in_path(client_id)}", changes)
    if as_json:
        output.print_json(client)
    else:
        output.say(f"Client {client_id}: zone {client['zone'] or '-'}, tags {', '.join(client['tags']) or '-'}.")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        output.fail(f"--metadata {text}: write NAME=VALUE.", 2)
    return key, value


@app.command()
def limits(client_id: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Show what a client may be asked, and how much of it is left."""
    with explained(as_json=as_json), Api.from_environment() as api:
        found = api.get(f"/api/clients/{in_path(client_id)}/permissions")
    if as_json:
        output.print_json(found)
        return
    actions = "all" if found["allowed_actions"] is None else ", ".join(found["allowed_actions"]) or "none"
    output.say(f"actions: {actions}")
    for name in ("minute", "day"):
        left = found[name]
        output.say(
            f"{name}: {left['remaining']} of {left['limit']} left, reset at {output.local(left['reset'], named=True)}"
        )


@app.command("set-limits")
def set_limits(
    client: targets.Clients = None,
    group: targets.Group = None,
    zone: targets.Zone = None,
    tag: targets.Tags = None,
    any_tag: targets.AnyTags = None,
    everybody: targets.Everybody = False,
    rate_limit: Annotated[int | None, typer.Option(min=0, help="Commands a minute.")] = None,
    per_day: Annotated[int | None, typer.Option(min=0, help="Commands a day (UTC).")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="An action that they may be sent, and no other.")] = None,
    allow_all: Annotated[bool, typer.Option("--allow-all", help="Every action again.")] = False,
    as_json: Json = False,
) -> None:
    """Change what clients may be asked; what is not given stays."""
    given = {"rate_limit": rate_limit, "max_commands_per_day": per_day, "allowed_actions": allow}
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if allow_all:
        body["allowed_actions"] = None
    if not body:
        output.fail("Say what to change: --rate-limit, --per-day, --allow or --allow-all.", 2)
    body["target"] = targets.target(client, group, zone, tag, any_tag, everybody)
    with explained(as_json=as_json), Api.from_environment() as api:
        changed = api.patch("/api/permissions", body)
    if as_json:
        output.print_json(changed)
    else:
        output.say(f"Changed for {output.number_of(changed['changed'], 'client')}.")


@app.command()
def retire(
    client_id: Annotated[str, typer.Argument()],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Retire a client: it cannot connect any more, and its id is never used again."""
    if not yes and not output.confirmed(f"Retire {client_id} for good?"):
        raise typer.Exit(1)
    with explained(as_json=as_json), Api.from_environment() as api:
        client = api.delete(f"/api/clients/{in_path(client_id)}")
    if as_json:
        output.print_json(client)
    else:
        output.say(f"Client {client_id} is retired.")


@app.command()
def disable(client_id: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Disable a client: its connection ends, and it is sent nothing until it is enabled."""
    _switch(client_id, "disable", as_json=as_json)


@app.command()
def enable(client_id: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Enable a client again."""
    _switch(client_id, "enable", as_json=as_json)


def _switch(client_id: str, what: str, *, as_json: bool) -> None:
    with explained(as_json=as_json), Api.from_environment() as api:
        client = api.post(f"/api/clients/{in_path(client_id)}/{what}")
    if as_json:
        output.print_json(client)
    else:
        output.say(f"Client {client_id} is {what}d.")


@app.command()
def unfence(client_id: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Let dispatch to a client go on that two machines claimed to be, once each has its own identity."""
    with explained(as_json=as_json), Api.from_environment() as api:
        was_fenced = api.get(f"/api/clients/{in_path(client_id)}")["fenced"]
        client = api.post(f"/api/clients/{in_path(client_id)}/unfence")
    if as_json:
        output.print_json(client)
    else:
        output.say(f"Client {client_id} is {'unfenced' if was_fenced else 'not fenced: nothing was changed'}.")


@app.command(hidden=True)
def release(client_id: Annotated[str, typer.Argument()]) -> None:
    """The word before `unfence`."""
    output.renamed("floorhub client release", f"floorhub client unfence {client_id}")


@app.command("rotate-secret")
def rotate_secret(client_id: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Give a client a new secret, shown this once; the old one opens nothing any more."""
    with explained(as_json=as_json), Api.from_environment() as api:
        client = api.post(f"/api/clients/{in_path(client_id)}/secret")
    if as_json:
        output.print_json(client)
    else:
        output.say(f"The new secret of {client_id}, shown this once: {client['secret']}")
        output.say("Write it into the client's agent.toml and start its agent again.")


def write_agent_config(
    file: Path,
    *,
    client_id: str,
    hub_url: str,
    mqtt_url: str,
    secret: str,
    root_key: str,
    extra: str = "",
) -> None:
    """Write an agent's configuration, readable by its owner only."""
    folder = file.absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        f'client_id = "{client_id}"\n'
        f'hub_url = "{hub_url}"\n'
        f'mqtt_url = "{mqtt_url}"\n'
        f'secret = "{secret}"\n'
        f'root_key = "{root_key}"\n'
        f'data = "{client_id}-data"\n{extra}'
    )
    write_secret_file(file, text)
