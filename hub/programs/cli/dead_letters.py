"""`floorhub dead-letter`: commands that ended without success, and what to do about them."""

from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output
from hub.programs.cli.api import Api
from hub.programs.cli.app import App
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.words import STATUSES, word

app = App(help="Dead letters: commands that ended without success.", no_args_is_help=False)
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="COMMAND", help="Ids of commands.", autocompletion=completion.dead_letters),
]
AllOf = Annotated[
    str | None,
    typer.Option(
        "--all-of",
        metavar="FILTER",
        help="Instead of ids, all that match: client=, action=, reason=, reference=, before=, after=, joined by "
        "commas; or everything.",
    ),
]
Note = Annotated[str | None, typer.Option("--note", help="What you saw or did, for the log.")]
Client = Annotated[str | None, typer.Option("--client", help="Only of this client.", autocompletion=completion.clients)]
Action = Annotated[str | None, typer.Option("--action", help="Only of this action.", autocompletion=completion.actions)]
Reason = Annotated[str | None, typer.Option("--reason", help="Only with this reason, such as printer_stopped.")]
Reference = Annotated[str | None, typer.Option("--reference", help="Only with this order number.")]
SHOWN = 50
"""Outcomes that are shown one by one; --json gives all."""
_NAMES = {
    "client": "client_id",
    "action": "action",
    "reason": "reason",
    "reference": "reference",
    "before": "created_before",
    "after": "created_after",
}


@app.callback(invoke_without_command=True)
@app.command("list")
@lists.with_view(limit=lists.MANY)
def list_dead_letters(
    context: typer.Context,
    client: Client = None,
    action: Action = None,
    reason: Reason = None,
    reference: Reference = None,
    since: lists.Since = None,
    until: lists.Until = None,
    summary: Annotated[bool, typer.Option("--summary", help="Only how many, by client, action and reason.")] = False,
    *,
    view: View,
) -> None:
    """List open dead letters, newest first.

    `floorhub dead-letter` alone does the same.
    """
    if context.invoked_subcommand is not None:
        return
    wanted = {"client_id": client, "action": action, "reason": reason, "reference": reference}
    wanted |= lists.since_until(since, until)
    with explained(as_json=view.as_json), Api.from_environment() as api:
        if summary:
            _show_summary(api.get("/api/dead-letters/summary", **wanted), as_json=view.as_json)
            return
        items, more = api.pages("/api/dead-letters", wanted, most=view.most)
        lists.require_known(api, items, client=client)
    columns = (
        lists.with_zone("ended", "종료", "finished_at"),
        Column("client", "클라이언트", field("client_id")),
        Column("action", "동작", field("action")),
        Column("status", "상태", lambda item: word(STATUSES, item["status"])),
        Column("reason", "이유", field("reason")),
        Column("blocks", "차단", lambda item: either("yes", "예") if item["blocks"] else ""),
        Column("reference", "참조 번호", field("reference")),
        Column("command", "명령", field("id")),
    )
    empty = either("There are no open dead letters.", "처리할 데드 레터가 없습니다.")
    lists.show(items, columns, view, empty=empty, more=more)


@app.command()
def replay(
    ids: Ids = None,
    all_of: AllOf = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also unknown commands; their effect may then happen twice.")
    ] = False,
    expires_in: Annotated[
        str | None,
        typer.Option(
            "--expires-in",
            "--expires-in-s",
            metavar="DURATION",
            help="How long they stay valid: 90, 15m, 2h; default: as long as before.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay dead letters, each as one new command.

    Exits with 0 if none is refused.
    """
    body: dict[str, Any] = {"force": force}
    expires_in_s = lists.seconds("--expires-in", expires_in)
    if expires_in_s is not None:
        body["expires_in_s"] = expires_in_s
    _close("replay", "replayed", ids, all_of, body, as_json=as_json)


@app.command()
def dismiss(ids: Ids = None, all_of: AllOf = None, note: Note = None, as_json: Json = False) -> None:
    """Close dead letters that nobody needs any more.

    Commands that wait behind them by their order key can run. Exits with 0 if none is refused.
    """
    _close("dismiss", "dismissed", ids, all_of, {} if note is None else {"note": note}, as_json=as_json)


def filter_of(text: str) -> dict[str, str]:
    """A filter as the API takes it. Ends the program with 2 when it is none."""
    if text == "everything":
        return {}
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if name not in _NAMES or not equals or not value:
            names = "=, ".join(_NAMES)
            output.misused(
                f"--all-of {text}: give {names}=, joined by commas, or everything.",
                f"--all-of {text}: {names}=을(를) 쉼표로 이어 쓰거나 everything을 쓰십시오.",
            )
        found[_NAMES[name]] = value
    return found


def _close(
    what: str, done: str, ids: list[str] | None, all_of: str | None, body: dict[str, Any], *, as_json: bool
) -> None:
    """Ask for it, as often as a filter needs; show what became of each. Exits with 1 when something was refused."""
    if bool(ids) == (all_of is not None):
        output.misused("Say which: ids, or --all-of FILTER.", "대상을 지정하십시오: id 또는 --all-of 조건.")
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
        raise typer.Exit(ExitCode.FAILED)


def _show_outcomes(counts: dict[str, int], items: list[dict[str, Any]], done: str) -> None:
    in_korean = {"replayed": "다시 실행", "dismissed": "종결"}[done]
    before, refused = counts["repeated"], counts["refused"]
    parts = [either(f"{counts[done]} {done}", f"{in_korean} {counts[done]}개")]
    if before:
        parts.append(either(f"{before} before", f"이전에 처리됨 {before}개"))
    if refused:
        parts.append(either(f"{refused} refused", f"거부됨 {refused}개"))
    output.say(", ".join(parts))
    for item in items[:SHOWN]:
        if item["outcome"] == "refused":
            output.say(f"  {item['id']}: {item['detail']} [{item['code']}]")
        elif item.get("command_id"):
            output.say(f"  {item['id']} -> {item['command_id']}")
    if len(items) > SHOWN:
        output.tell(either("... and more: --json shows all.", "... 더 있습니다. --json이면 모두 표시합니다."))


def _show_summary(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    total, oldest = found["total"], output.local(found["oldest"], named=True)
    since = either(f", the oldest of {oldest}", f", 가장 오래된 것은 {oldest}") if oldest else ""
    output.say(either(f"{output.number_of(total, 'open dead letter')}{since}", f"처리할 데드 레터 {total}개{since}"))
    names = {"reason": "이유", "client": "클라이언트", "action": "동작"}
    for kind, korean_ in names.items():
        for entry in found[kind]["largest"][:SHOWN]:
            output.say(f"  {either(kind, korean_)} {entry['name']}: {entry['number']}")
