"""`floorhub dead-letters`: what waits for a person, and what to do about it; `floorhub command decide`."""

from typing import Annotated, Any

import typer

from hub.programs.cli import output
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.output import Json, explained

app = typer.Typer(help="Commands that ended without success and wait for a person: list, replay, dismiss.")
command = typer.Typer(help="Decide what became of a command whose end is unknown.", no_args_is_help=True)
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of commands.")]
AllOf = Annotated[
    str | None,
    typer.Option(
        "--all-of",
        metavar="FILTER",
        help="All that fit instead of ids: client=, action=, reason=, reference=, before=, after=, joined by commas; "
        "or everything.",
    ),
]
Note = Annotated[str | None, typer.Option(help="What you saw or did, for the log.")]
SHOWN = 50
"""Rows for people; --json and --limit give more."""
_NAMES = {
    "client": "client_id",
    "action": "action",
    "reason": "reason",
    "reference": "reference",
    "before": "created_before",
    "after": "created_after",
}


@app.callback(invoke_without_command=True)
def list_dead_letters(
    context: typer.Context,
    client: Annotated[str | None, typer.Option(help="Only of this client.")] = None,
    action: Annotated[str | None, typer.Option(help="Only of this action.")] = None,
    reason: Annotated[str | None, typer.Option(help="With this reason, such as printer_stopped.")] = None,
    reference: Annotated[str | None, typer.Option(help="Only with this order number of yours.")] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Only how many, by client, action and reason.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Rows to show.")] = SHOWN,
    as_json: Json = False,
) -> None:
    """List what waits for a person, newest first."""
    if context.invoked_subcommand is not None:
        return
    wanted = {"client_id": client, "action": action, "reason": reason, "reference": reference}
    with explained(as_json=as_json), Api.from_environment() as api:
        if summary:
            _show_summary(api.get("/api/dead-letters/summary", **wanted), as_json=as_json)
        else:
            _show(api.get("/api/dead-letters", limit=limit, **wanted), as_json=as_json)


@app.command()
def replay(
    ids: Ids = None,
    all_of: AllOf = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also unknown ones, whose effect may have happened: it may happen twice.")
    ] = False,
    expires_in: Annotated[
        float | None, typer.Option(help="Seconds until they expire; default: as long as before.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Have them run once more, each as one new command. Exits 0 if every one of them does."""
    body: dict[str, Any] = {"force": force}
    if expires_in is not None:
        body["expires_in_s"] = expires_in
    _close("replay", "replayed", ids, all_of, body, as_json=as_json)


@app.command()
def dismiss(ids: Ids = None, all_of: AllOf = None, note: Note = None, as_json: Json = False) -> None:
    """Let them rest; what waits behind them by its order key goes. Exits 0 if every one of them does."""
    _close("dismiss", "dismissed", ids, all_of, {} if note is None else {"note": note}, as_json=as_json)


@command.command()
def decide(
    command_id: Annotated[str, typer.Argument(help="The id of an unknown command.")],
    outcome: Annotated[str, typer.Argument(help="completed, failed or cancelled.")],
    note: Note = None,
    as_json: Json = False,
) -> None:
    """Say what became of an unknown command, once you have looked at the device. That is final."""
    body = {"outcome": outcome} if note is None else {"outcome": outcome, "note": note}
    with explained(as_json=as_json), Api.from_environment() as api:
        decided = api.post(f"/api/commands/{in_path(command_id)}/decide", body)
    if as_json:
        output.print_json(decided)
    else:
        output.say(f"{decided['id']}: {decided['status']}")


def filter_of(text: str) -> dict[str, str]:
    """A filter as the API takes it. Ends the program with 2 when it is none."""
    if text == "everything":
        return {}
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if name not in _NAMES or not equals or not value:
            output.fail(f"--all-of {text}: give {'=, '.join(_NAMES)}=, joined by commas, or everything.", 2)
        found[_NAMES[name]] = value
    return found


def _close(
    what: str, done: str, ids: list[str] | None, all_of: str | None, body: dict[str, Any], *, as_json: bool
) -> None:
    """Ask for it, as often as a filter needs; show what became of each. Exits with 1 when something was refused."""
    if bool(ids) == (all_of is not None):
        output.fail("Say which: ids, or --all-of FILTER.", 2)
    asked = {**body, "ids": ids} if all_of is None else {**body, "filter": filter_of(all_of)}
    answers: list[dict[str, Any]] = []
    with explained(as_json=as_json), Api.from_environment() as api:
        while not answers or answers[-1]["next_cursor"]:
            more = {"cursor": answers[-1]["next_cursor"]} if answers else {}
            answers.append(api.post(f"/api/dead-letters/{what}", {**asked, **more}))
    counts = {name: sum(answer[name] for answer in answers) for name in (done, "repeated", "refused")}
    items = [item for answer in answers for item in answer["items"]]
    if as_json:
        output.print_json({**counts, "items": items})
    else:
        _show_outcomes(counts, items, done)
    if counts["refused"]:
        raise typer.Exit(1)


def _show_outcomes(counts: dict[str, int], items: list[dict[str, Any]], done: str) -> None:
    before = f", {counts['repeated']} before" if counts["repeated"] else ""
    refused = f", {counts['refused']} refused" if counts["refused"] else ""
    output.say(f"{counts[done]} {done}{before}{refused}")
    for item in items[:SHOWN]:
        if item["outcome"] == "refused":
            output.say(f"  {item['id']}: {item['detail']} [{item['code']}]")
        elif item.get("command_id"):
            output.say(f"  {item['id']} -> {item['command_id']}")
    if len(items) > SHOWN:
        output.say("  ... and more: --json shows all")


def _show(page: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(page["items"])
        return
    if not page["items"]:
        output.say("Nothing waits for a person.")
        return
    rows = []
    for item in page["items"]:
        ended = output.local(item["finished_at"])
        blocks = "yes" if item["blocks"] else ""
        what = (item["client_id"], item["action"], item["status"], item["reason"])
        rows.append((ended, *what, blocks, item["reference"] or "", item["id"]))
    output.print_table(
        (f"ended ({output.zone()})", "client", "action", "status", "reason", "blocks", "reference", "command"), rows
    )
    if page["next_cursor"]:
        output.say("... and more: --limit 200, or --summary")


def _show_summary(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    since = f", the first since {output.local(found['oldest'], named=True)}" if found["oldest"] else ""
    output.say(f"{found['total']} {'waits' if found['total'] == 1 else 'wait'} for a person{since}")
    for kind in ("reason", "client", "action"):
        for entry in found[kind]["largest"][:SHOWN]:
            output.say(f"  {kind} {entry['name']}: {entry['number']}")
