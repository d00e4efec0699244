"""`floorhub command`: list, show, explain, cancel and decide commands; some also without the word `command`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.programs.cli import command_options, completion, lists, names_known, output, sending, targets, timeline
from hub.programs.cli.api import Api, ApiError, in_path
from hub.programs.cli.app import App
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.words import STATUSES, word
from schemas.local_times import with_local_times

app = App(help="Commands: list, show, explain, cancel, decide.")
CommandId = Annotated[str, typer.Argument(help="The command's id.", autocompletion=completion.commands)]
ClientId = Annotated[str, typer.Argument(help="The client's id.", autocompletion=completion.clients)]
Action = Annotated[
    str, typer.Argument(help="print, status, or a site's own action.", autocompletion=completion.actions)
]


@app.command("list")
@lists.with_view(limit=lists.MANY)
def list_commands(
    client: Annotated[
        str | None, typer.Option("--client", help="Only of this client.", autocompletion=completion.clients)
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", help="Only in this status; may be given several times.", autocompletion=completion.statuses
        ),
    ] = None,
    action: Annotated[
        str | None, typer.Option("--action", help="Only of this action.", autocompletion=completion.actions)
    ] = None,
    reference: Annotated[str | None, typer.Option("--reference", help="Only with this order number.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only with this tag.")] = None,
    since: lists.Since = None,
    until: lists.Until = None,
    *,
    view: View,
) -> None:
    """List commands, newest first."""
    wanted: dict[str, Any] = {"client_id": client, "status": status or None, "action": action}
    wanted |= {"reference": reference, "tag": tag, **lists.since_until(since, until)}
    with explained(as_json=view.as_json), Api.from_environment() as api:
        items, more = api.pages("/api/commands", wanted, most=view.most)
        lists.require_known(api, items, client=client)
    columns = (
        lists.with_zone("created", "생성", "created_at"),
        Column("client", "클라이언트", field("client_id")),
        Column("action", "동작", field("action")),
        Column("status", "상태", lambda item: word(STATUSES, item["status"])),
        Column("reason", "이유", lambda item: (item["error"] or {}).get("code")),
        Column("reference", "참조 번호", field("reference")),
        Column("id", "id", field("id")),
    )
    lists.show(items, columns, view, empty=either("No command fits.", "조건에 맞는 명령이 없습니다."), more=more)


@app.command()
def show(command_id: CommandId, as_json: Json = False) -> None:
    """Show a command, its timeline and its result."""
    with explained(as_json=as_json), Api.from_environment() as api:
        sending.show(api, api.get(f"/api/commands/{in_path(command_id)}"), as_json=as_json)


@app.command()
def explain(command_id: CommandId, as_json: Json = False) -> None:
    """Say why a command has not run yet, and what to do.

    One sentence, and below it the timeline, step by step.
    """
    with explained(as_json=as_json), Api.from_environment() as api:
        found = api.get(f"/api/commands/{in_path(command_id)}/explain")
        if as_json:
            output.print_json(found)
        else:
            # The sentence about an ended command begins with that.
            told = found["detail"] if found["cause"] == "ended" else f"{found['cause']}: {found['detail']}"
            output.say(with_local_times(told))
            timeline.show_steps(found["timeline"], found["details"].get("status", ""), korean=output.korean())


@app.command()
def history(
    command_id: CommandId,
    sort: lists.Sort = None,
    no_headers: lists.NoHeaders = False,
    as_json: Json = False,
) -> None:
    """List every change of a command, oldest first."""
    with explained(as_json=as_json), Api.from_environment() as api:
        items = api.get(f"/api/commands/{in_path(command_id)}/logs")["items"]
    columns = (
        lists.with_zone("at", "시각", "at"),
        Column("event", "변경", lambda item: timeline.STEPS.get(item["event"], (item["event"],) * 2)[output.korean()]),
        Column("attempt", "시도", field("attempt"), right=True),
    )
    view = View(as_json, 0, sort, no_headers)
    lists.show(items, columns, view, empty=either("There is no change yet.", "변경이 아직 없습니다."))


@app.command()
def cancel(command_id: CommandId, as_json: Json = False) -> None:
    """Cancel a command.

    A pending command is cancelled at once. If its client has it already, the client is asked to stop; finished
    work counts.
    """
    with explained(as_json=as_json), Api.from_environment() as api:
        command = api.post(f"/api/commands/{in_path(command_id)}/cancel")
        told = "" if as_json or command["status"] == "cancelled" else _who_is_told(api, command["client_id"])
    if as_json:
        output.print_json(command)
    elif command["status"] == "cancelled":
        output.say(either(f"{command['id']} is cancelled.", f"{command['id']} 명령을 취소했습니다."))
    else:
        output.say(
            either(
                f"{command['id']}: {command['status']}. {told}: floorhub show {command['id']}",
                f"{command['id']}: {word(STATUSES, command['status'])}. {told} "
                f"결과 보기: floorhub show {command['id']}",
            )
        )


def _who_is_told(api: Api, client_id: str) -> str:
    """What a cancel asks of the client. A basic client may be one that knows only its key; nobody can tell that one."""
    try:
        level = api.get(f"/api/clients/{in_path(client_id)}")["level"]
    except ApiError:
        level = "full"
    if level == "basic":
        return either(
            "Its client is asked to stop, unless it knows only its key: then the command ends by its report, or after "
            "its time-out",
            "클라이언트에 중단을 요청했습니다. 키만 아는 클라이언트에는 요청할 수 없으며, 명령은 클라이언트의 보고나 "
            "제한 시간으로 끝납니다.",
        )
    return either("Its client is asked to stop", "클라이언트에 중단을 요청했습니다.")


@app.command()
def decide(
    command_id: Annotated[
        str, typer.Argument(help="The id of an unknown command.", autocompletion=completion.commands)
    ],
    outcome: Annotated[str, typer.Argument(help="completed, failed or cancelled.", autocompletion=completion.outcomes)],
    note: Annotated[str | None, typer.Option(help="What you saw or did, for the log.")] = None,
    as_json: Json = False,
) -> None:
    """Set how an unknown command ended, after you checked the device.

    That is final.
    """
    body = {"outcome": outcome} if note is None else {"outcome": outcome, "note": note}
    with explained(as_json=as_json), Api.from_environment() as api:
        decided = api.post(f"/api/commands/{in_path(command_id)}/decide", body)
    if as_json:
        output.print_json(decided)
    else:
        output.say(f"{decided['id']}: {word(STATUSES, decided['status'])}")


@app.command()
def send(
    client_id: ClientId,
    action: Action,
    payload: Annotated[str, typer.Option(help="The payload as JSON.")] = "{}",
    file: Annotated[Path | None, typer.Option(help="A document to upload and name in the payload.")] = None,
    content_type: sending.ContentType = None,
    priority: sending.Priority = 5,
    reference: sending.Reference = None,
    when_offline: sending.WhenOffline = None,
    expires_in: targets.ExpiresIn = None,
    order_key: command_options.OrderKey = None,
    not_before: command_options.NotBefore = None,
    max_retries: command_options.MaxRetries = None,
    on_interrupt: command_options.Interrupt = None,
    tag: command_options.Tags = None,
    timeout: command_options.Timeout = None,
    wait: sending.Wait = 30,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Send one command, and show its timeline and result.

    Exits with 0 if it completed, or was stored with --wait 0.
    """
    fields = command_options.fields(
        priority=priority,
        reference=reference,
        when_offline=when_offline,
        expires_in=expires_in,
        order_key=order_key,
        not_before=not_before,
        max_retries=max_retries,
        on_interrupt=on_interrupt,
        tags=tag,
        timeout=timeout,
    )
    with explained(as_json=as_json), Api.from_environment() as api:
        content = sending.payload(api, payload, file, content_type)
        names_known.warn(api, client_id, action, content)
        body: dict[str, Any] = {"client_id": client_id, "action": action, "payload": content, **fields}
        sending.carry_out(api, body, wait=wait, key=key, as_json=as_json)
