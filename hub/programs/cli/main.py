"""The commands of `floorhub`. Each is a thin layer over the API or over the parts that it starts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.keys import cannot_write
from hub.programs.cli import (
    actions,
    batches,
    clients,
    dead_letters,
    groups,
    host,
    output,
    printing,
    schedules,
    sending,
    timeline,
)
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.output import Json, explained
from hub.programs.cli.simulate import simulate
from schemas import export

app = typer.Typer(
    help="The hub from which print shops, warehouses and stores command their machines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
schema = typer.Typer(help="The wire contract.", no_args_is_help=True)
app.add_typer(clients.app, name="client")
app.add_typer(groups.app, name="group")
app.add_typer(batches.app, name="batch")
app.add_typer(schedules.app, name="schedule")
app.add_typer(actions.app, name="actions")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(dead_letters.command, name="command")
app.add_typer(host.broker, name="broker")
app.add_typer(host.keys, name="keys")
app.add_typer(schema, name="schema")


host.add_first(app)


@app.command()
def send(
    client_id: Annotated[str, typer.Argument(help="The client to command.")],
    action: Annotated[str, typer.Argument(help="print, status, or a site's own action.")],
    payload: Annotated[str, typer.Option(help="The payload as JSON.")] = "{}",
    file: Annotated[Path | None, typer.Option(help="A document to upload and name in the payload.")] = None,
    content_type: sending.ContentType = None,
    priority: sending.Priority = 5,
    reference: sending.Reference = None,
    when_offline: sending.WhenOffline = None,
    wait: sending.Wait = 30,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Send one command and show its timeline. Exits 0 if it completed (or was stored, with --wait 0), else 1."""
    with explained(as_json=as_json), Api.from_environment() as api:
        content = sending.payload(api, payload, file, content_type)
        body: dict[str, Any] = {"client_id": client_id, "action": action, "payload": content, "priority": priority}
        if reference is not None:
            body["reference"] = reference
        if when_offline is not None:
            body["when_offline"] = when_offline.value
        sending.carry_out(api, body, wait=wait, key=key, as_json=as_json)


app.command("print")(printing.print_file)


@app.command()
def show(
    command_id: Annotated[str, typer.Argument(help="The command's id.")],
    as_json: Json = False,
) -> None:
    """Show a command and its timeline, with the time of each step."""
    with explained(as_json=as_json), Api.from_environment() as api:
        sending.show(api, api.get(f"/api/commands/{in_path(command_id)}"), as_json=as_json)


@app.command()
def explain(
    command_id: Annotated[str, typer.Argument(help="The command's id.")],
    as_json: Json = False,
) -> None:
    """Say in one sentence why a command has not run yet, and what to do; then its timeline, step by step."""
    with explained(as_json=as_json), Api.from_environment() as api:
        found = api.get(f"/api/commands/{in_path(command_id)}/explain")
        if as_json:
            output.print_json(found)
        else:
            output.say(output.with_local_times(f"{found['cause']}: {found['detail']}"))
            timeline.show_steps(found["timeline"], found["details"].get("status", ""), korean=output.korean())


# The help lists them in this order: the everyday ones above come first.
host.add_last(app)
app.command()(simulate)


@schema.command("export")
def export_schema(
    folder: Annotated[Path, typer.Argument(help="Where to write the files.")],
    as_json: Json = False,
) -> None:
    """Write the JSON Schema of every message, and asyncapi.json."""
    with explained(as_json=as_json):
        try:
            written = export.write(folder)
        except OSError as problem:
            raise cannot_write(folder, problem) from None
    if as_json:
        output.print_json([str(file) for file in written])
    else:
        for file in written:
            output.say(str(file))
