"""The commands of `floorhub`. Each is a thin layer over the API or over the parts that it starts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.errors import HubError
from hub.programs.cli import (
    actions,
    batches,
    broker,
    clients,
    dead_letters,
    groups,
    output,
    printing,
    schedules,
    sending,
)
from hub.programs.cli import timeline as way
from hub.programs.cli.api import Api
from hub.programs.cli.cleanup import cleanup
from hub.programs.cli.conformance import conformance
from hub.programs.cli.output import Json, console, explained
from hub.programs.cli.simulate import simulate
from hub.programs.embedded.errors import EmbeddedError
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
app.add_typer(broker.app, name="broker")
app.add_typer(schema, name="schema")


@app.command()
def up(
    once: Annotated[bool, typer.Option("--once", help="Print one page, stop, and exit 0 if it came out.")] = False,
) -> None:
    """Start everything on this machine (Postgres, broker, hub, an agent, a virtual printer) and print a page."""
    from hub.programs.cli.up import run_up

    with explained():
        raise typer.Exit(run_up(once=once))


@app.command()
def serve() -> None:
    """Run the hub with the settings of the environment (FLOORHUB_*)."""
    import uvloop
    from pydantic import ValidationError

    from hub import runtime
    from hub.app import Hub
    from hub.config import Settings
    from hub.database import migrate as migrations
    from hub.telemetry import log as observability
    from hub.telemetry.log import Event, Log

    with explained():
        try:
            settings = Settings()
        except ValidationError as problem:
            for item in problem.errors():
                name = "FLOORHUB_" + "_".join(str(part) for part in item["loc"]).upper()
                output.errors.print(f"{name}: {item['msg']}", markup=False)
            raise typer.Exit(2) from None
        observability.configure(settings.log_level)
        migrations.require_current(settings.database_url.get_secret_value())

        async def main() -> None:
            await runtime.serve(Hub(settings))

        try:
            uvloop.run(main())
        except (HubError, EmbeddedError):
            raise
        except Exception:  # noqa: BLE001 - the last word before the process ends, one line as all others
            Log().exception(Event.HUB_FAILED)
            raise typer.Exit(1) from None


@app.command()
def migrate(
    database_url: Annotated[
        str, typer.Option(envvar="FLOORHUB_DATABASE_URL", help="The database to bring up to date.")
    ],
) -> None:
    """Bring the database's tables up to date. Safe to call again, and from several machines at once."""
    from hub.database import migrate as migrations

    with explained():
        done = migrations.migrate(database_url)
        console.print(f"Applied: {', '.join(done)}" if done else "The database is up to date.")


@app.command()
def send(
    client_id: Annotated[str, typer.Argument(help="The client to command.")],
    action: Annotated[str, typer.Argument(help="print, status, or a site's own action.")],
    payload: Annotated[str, typer.Option(help="The payload as JSON.")] = "{}",
    file: Annotated[Path | None, typer.Option(help="A document to upload and name in the payload.")] = None,
    content_type: Annotated[str, typer.Option(help="The type of --file.")] = "application/pdf",
    priority: sending.Priority = 5,
    reference: sending.Reference = None,
    wait: sending.Wait = 30,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Send one command and show its way. Exits 0 if it completed (or was stored, with --wait 0), else 1."""
    import json

    with explained(as_json=as_json), Api.from_environment() as api:
        try:
            content: dict[str, Any] = json.loads(payload)
        except ValueError as problem:
            output.fail(f"--payload is not JSON: {problem}", 2)
        if file is not None:
            content["document"] = sending.upload(api, file, content_type)
        body: dict[str, Any] = {"client_id": client_id, "action": action, "payload": content, "priority": priority}
        if reference is not None:
            body["reference"] = reference
        sending.carry_out(api, body, wait=wait, key=key, as_json=as_json)


app.command("print")(printing.print_file)


@app.command()
def show(
    command_id: Annotated[str, typer.Argument(help="The command's id.")],
    as_json: Json = False,
) -> None:
    """Show a command and its way, with the time of each hop."""
    with explained(as_json=as_json), Api.from_environment() as api:
        sending.show(api, api.get(f"/api/commands/{command_id}"), as_json=as_json)


@app.command()
def explain(
    command_id: Annotated[str, typer.Argument(help="The command's id.")],
    as_json: Json = False,
) -> None:
    """Say in one sentence why a command stands where it stands, and what to do; then its way, hop by hop."""
    with explained(as_json=as_json), Api.from_environment() as api:
        found = api.get(f"/api/commands/{command_id}/explain")
        if as_json:
            output.print_json(found)
        else:
            console.print(f"{found['cause']}: {found['detail']}", markup=False)
            way.show_hops(console, found["way"], found["details"].get("status", ""), korean=output.korean())


# The help lists them in this order: the everyday ones above come first.
app.command()(cleanup)
app.command()(simulate)
app.command()(conformance)


@schema.command("export")
def export_schema(
    folder: Annotated[Path, typer.Argument(help="Where to write the files.")],
    as_json: Json = False,
) -> None:
    """Write the JSON Schema of every message, and asyncapi.json."""
    written = export.write(folder)
    if as_json:
        output.print_json([str(file) for file in written])
    else:
        for file in written:
            console.print(str(file), markup=False)
