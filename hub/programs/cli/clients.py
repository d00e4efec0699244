"""`floorhub client`: register, change and retire clients."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.errors import SetupError
from hub.keys import cannot_write
from hub.programs.cli import client_views, completion, imports, output, targets
from hub.programs.cli.agent_configs import Places, write_agent_config
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.app import App
from hub.programs.cli.client_views import ClientId
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.new_files import reserved
from hub.programs.cli.output import Json, either, explained

app = App(help="Clients: register, list, show, change, retire.")
client_views.add_to(app)


@app.command()
def add(
    client_id: Annotated[str, typer.Argument(help="a-z, 0-9 and '-'; chosen once, never used again.")],
    name: Annotated[str | None, typer.Option(help="Its name for people; default: its id.")] = None,
    kind: Annotated[str, typer.Option(help="printer_pc, pda, kiosk, screen or other.")] = "other",
    zone: Annotated[str | None, typer.Option(help="Its zone, such as hall-2.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be given several times.")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="An allowed action; default: all.")] = None,
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
    """Register a client.

    Its secret is shown only once, or written with --config.
    """
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
        places = None if config is None else Places.of(api, hub_url, mqtt_url)
        client = api.post("/api/clients", body)
        if config is not None and places is not None:
            try:
                write_agent_config(
                    config,
                    client_id=client_id,
                    hub_url=places.hub_url,
                    mqtt_url=places.mqtt_url,
                    authority=places.authority,
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
        output.say(either(f"Client {client_id} is registered.", f"클라이언트 {client_id}을(를) 등록했습니다."))
        if places is not None:
            output.tell(*places.warnings())
            output.say(either(f"Its configuration: {config}", f"설정 파일: {config}"))
            run = f"floorhub-agent run --config {config}"
            output.say(either(f"Start its agent:   {run}", f"에이전트 시작: {run}"))
        else:
            _say_secret(client)


def _tell_secret(client: dict[str, Any], problem: SetupError, *, as_json: bool) -> None:
    """What a person needs to go on when a client is registered, and its configuration could not be written."""
    if as_json:
        output.print_json(client)
    if output.korean():
        output.tell(problem.korean, f"클라이언트 {client['id']}은(는) 등록되었습니다. 설정 파일을 직접 작성하십시오.")
    else:
        output.tell(str(problem), f"Client {client['id']} is registered. Write its configuration yourself.")
    if not as_json:
        _say_secret(client)


def _say_secret(client: dict[str, Any]) -> None:
    output.say(
        either(
            f"Its secret, shown only once: {client['secret']}", f"비밀 값(지금 한 번만 표시됩니다): {client['secret']}"
        ),
        either(f"The hub's root key to pin:   {client['root_key']}", f"허브의 루트 키: {client['root_key']}"),
    )


imports.add_to(app)


@app.command("set")
def set_fields(
    client_id: ClientId,
    name: Annotated[str | None, typer.Option(help="Its name for people.")] = None,
    zone: Annotated[str | None, typer.Option(help="Its zone; '' for none.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Its tags; they replace the existing ones. '' for none.")
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE to store with it; NAME= removes one. May be given several times."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a client's name, zone, tags and metadata; omitted values stay."""
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
            output.misused(
                "Say what to change: --name, --zone, --tag or --metadata.",
                "바꿀 것을 지정하십시오: --name, --zone, --tag, --metadata.",
            )
        client = api.patch(f"/api/clients/{in_path(client_id)}", changes)
    if as_json:
        output.print_json(client)
    else:
        zone_, tags = client["zone"] or "-", ", ".join(client["tags"]) or "-"
        output.say(
            either(
                f"Client {client_id}: zone {zone_}, tags {tags}.",
                f"클라이언트 {client_id}: 구역 {zone_}, 태그 {tags}.",
            )
        )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        output.misused(f"--metadata {text}: write NAME=VALUE.", f"--metadata {text}: 이름=값 형식으로 쓰십시오.")
    return key, value


@app.command("set-limits")
def set_limits(
    clients: Annotated[
        list[str] | None, typer.Argument(metavar="CLIENT", help="Ids of clients.", autocompletion=completion.clients)
    ] = None,
    client: targets.Clients = None,
    group: targets.Group = None,
    zone: targets.Zone = None,
    tag: targets.Tags = None,
    any_tag: targets.AnyTags = None,
    everybody: targets.Everybody = False,
    rate_limit: Annotated[int | None, typer.Option(min=0, help="Commands a minute.")] = None,
    per_day: Annotated[int | None, typer.Option(min=0, help="Commands a day (UTC).")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="An allowed action; all others are refused.")] = None,
    allow_all: Annotated[bool, typer.Option("--allow-all", help="Allow every action again.")] = False,
    as_json: Json = False,
) -> None:
    """Change the limits of clients; omitted values stay."""
    given = {"rate_limit": rate_limit, "max_commands_per_day": per_day, "allowed_actions": allow}
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if allow_all:
        body["allowed_actions"] = None
    if not body:
        output.misused(
            "Say what to change: --rate-limit, --per-day, --allow or --allow-all.",
            "바꿀 것을 지정하십시오: --rate-limit, --per-day, --allow, --allow-all.",
        )
    body["target"] = targets.target([*(clients or []), *(client or [])], group, zone, tag, any_tag, everybody)
    with explained(as_json=as_json), Api.from_environment() as api:
        changed = api.patch("/api/permissions", body)
    if as_json:
        output.print_json(changed)
    else:
        number = changed["changed"]
        output.say(
            either(
                f"Changed for {output.number_of(number, 'client')}.", f"클라이언트 {number}대의 한도를 바꾸었습니다."
            )
        )


@app.command()
def retire(
    client_id: ClientId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Retire a client permanently.

    It can no longer connect, and its id is never used again. Its history stays.
    """
    question = either(f"Retire {client_id} for good?", f"{client_id}을(를) 폐기하시겠습니까? 되돌릴 수 없습니다.")
    if not yes and not output.confirmed(question):
        raise typer.Exit(ExitCode.FAILED)
    with explained(as_json=as_json), Api.from_environment() as api:
        client = api.delete(f"/api/clients/{in_path(client_id)}")
    if as_json:
        output.print_json(client)
    else:
        output.say(either(f"Client {client_id} is retired.", f"클라이언트 {client_id}을(를) 폐기했습니다."))


@app.command()
def disable(client_id: ClientId, as_json: Json = False) -> None:
    """Disable a client until it is enabled again.

    Its connection ends, and nothing is sent to it.
    """
    _switch(client_id, "disable", as_json=as_json)


@app.command()
def enable(client_id: ClientId, as_json: Json = False) -> None:
    """Enable a client again."""
    _switch(client_id, "enable", as_json=as_json)


def _switch(client_id: str, what: str, *, as_json: bool) -> None:
    with explained(as_json=as_json), Api.from_environment() as api:
        client = api.post(f"/api/clients/{in_path(client_id)}/{what}")
    if as_json:
        output.print_json(client)
    else:
        done = "사용 중지" if what == "disable" else "사용 재개"
        output.say(either(f"Client {client_id} is {what}d.", f"클라이언트 {client_id}: {done}했습니다."))


@app.command()
def unfence(client_id: ClientId, as_json: Json = False) -> None:
    """Resume dispatch to a client after two machines used its id.

    Give each machine its own identity first.
    """
    with explained(as_json=as_json), Api.from_environment() as api:
        was_fenced = api.get(f"/api/clients/{in_path(client_id)}")["fenced"]
        client = api.post(f"/api/clients/{in_path(client_id)}/unfence")
    if as_json:
        output.print_json(client)
    else:
        output.say(
            either(
                f"Client {client_id} is {'unfenced' if was_fenced else 'not fenced: nothing was changed'}.",
                f"클라이언트 {client_id}에 다시 명령을 전달합니다."
                if was_fenced
                else f"클라이언트 {client_id}은(는) 전달이 중단되지 않았습니다. 바뀐 것이 없습니다.",
            )
        )


@app.command(hidden=True)
def release(client_id: ClientId) -> None:
    """The word before `unfence`."""
    output.renamed("floorhub client release", f"floorhub client unfence {client_id}")


@app.command("rotate-secret")
def rotate_secret(client_id: ClientId, as_json: Json = False) -> None:
    """Give a client a new secret, shown only once.

    The old one is no longer valid.
    """
    with explained(as_json=as_json), Api.from_environment() as api:
        client = api.post(f"/api/clients/{in_path(client_id)}/secret")
    if as_json:
        output.print_json(client)
    else:
        secret = client["secret"]
        output.say(
            either(
                f"The new secret of {client_id}, shown only once: {secret}",
                f"{client_id}의 새 비밀 값(지금 한 번만 표시됩니다): {secret}",
            ),
            either(
                "Write it into the client's agent.toml and restart its agent.",
                "클라이언트의 agent.toml에 적고 에이전트를 다시 시작하십시오.",
            ),
        )
