"""The commands of `floorhub`. Each is a thin layer over the API or over the parts that it starts."""

from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.keys import cannot_write
from hub.programs.cli import (
    access,
    actions,
    agent_logs,
    audit,
    batches,
    clients,
    commands,
    completion,
    dead_letters,
    enrolments,
    grants,
    groups,
    host,
    integrations,
    output,
    pairings,
    printers,
    printing,
    schedules,
    users,
)
from hub.programs.cli.app import App, Change
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.simulate import simulate
from schemas import export

app = App(
    help="The hub from which print shops, warehouses and stores command their machines.",
    epilog=(
        "Exit codes: 0 done; 1 failed; 2 wrong command line or set-up; 3 not ended yet; 4 hub unreachable; 5 refused; "
        "6 not permitted; 7 not found."
    ),
    add_completion=True,
)
schema = App(help="Export the wire contract: JSON Schema and AsyncAPI.")


def _version(asked: bool) -> None:
    if asked:
        output.say(f"floorhub {metadata.version('floorhub')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What stands before every command."""


host.add_first(app)

# Everyday shortcuts; `floorhub command` has them, too.
app.command()(commands.send)
app.command("print")(printing.print_file)
app.command()(commands.show)
app.command()(commands.explain)
app.command()(commands.cancel)
app.command()(agent_logs.logs)
app.command()(pairings.pair)

host.add_last(app)
app.command(cls=Change)(simulate)
app.command("completion")(completion.show_script)

app.add_typer(commands.app, name="command")
app.add_typer(clients.app, name="client")
app.add_typer(pairings.app, name="pairing")
app.add_typer(enrolments.app, name="enrolment")
app.add_typer(printers.app, name="printer")
app.add_typer(groups.app, name="group")
app.add_typer(batches.app, name="batch")
app.add_typer(schedules.app, name="schedule")
app.add_typer(actions.app, name="action")
app.add_typer(dead_letters.app, name="dead-letter")
app.add_typer(integrations.app, name="integration")
app.add_typer(grants.app, name="grant")
app.add_typer(access.app, name="access")
app.add_typer(audit.app, name="audit")
app.add_typer(audit.security, name="security")
app.add_typer(host.broker, name="broker")
app.add_typer(host.keys, name="key")
host.add_to_users(users.app)
app.add_typer(users.app, name="user")
app.add_typer(schema, name="schema")

OLD_SPELLINGS = {"actions": actions.app, "dead-letters": dead_letters.app, "keys": host.keys}
"""Words of before; they work, and no help lists them."""
for _word, _app in OLD_SPELLINGS.items():
    app.add_typer(_app, name=_word, hidden=True)


@app.command("help")
def help_(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="COMMAND", help="Such as: client list.")] = None,
) -> None:
    """Show the help of a command."""
    above: Any = context.find_root()
    for word in words or []:
        command = getattr(above.command, "commands", {}).get(word)
        if command is None:
            output.fail(
                either(
                    f"There is no command `{' '.join(words or [])}`.", f"`{' '.join(words or [])}` 명령이 없습니다."
                ),
                ExitCode.USAGE,
            )
        above = typer.Context(command, info_name=word, parent=above)
    output.say(*above.command.get_help(above).split("\n"))


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
