"""`floorhub batch`: command many clients at once, and see what becomes of it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.programs.cli import command_options, completion, lists, output, sending, targets
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.app import App
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.submission import BATCH, Submission
from hub.programs.cli.words import BATCHES, STATUSES, word
from schemas import json_keys, terminal
from schemas.text import TextError, read

app = App(help="Batches: command many clients at once.")
BatchId = Annotated[str, typer.Argument(help="The batch's id.", autocompletion=completion.batches)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show who would get it and who would not; send nothing.")]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for the end; 0: do not wait.")
]
SHOWN = 20
"""Rows of commands below a batch."""
MOST = 1_000
"""Commands in a page of the API."""
_ORDER = ("completed", "running", "queued", "pending", "failed", "unknown", "expired", "cancelled", "rejected")


@app.command()
def send(
    action: Annotated[
        str, typer.Argument(help="print, status, or a site's own action.", autocompletion=completion.actions)
    ],
    client: targets.Clients = None,
    group: targets.Group = None,
    zone: targets.Zone = None,
    tag: targets.Tags = None,
    any_tag: targets.AnyTags = None,
    everybody: targets.Everybody = False,
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
    command_tag: command_options.CommandTags = None,
    timeout: command_options.Timeout = None,
    max_failures: Annotated[
        int | None, typer.Option(min=0, help="The batch stops if more commands than this fail.")
    ] = None,
    max_failures_percent: Annotated[
        float | None, typer.Option(min=0, max=100, help="The same limit in percent of all commands.")
    ] = None,
    per_minute: Annotated[float | None, typer.Option(help="Rollout: start at most this many clients a minute.")] = None,
    percent_per_minute: Annotated[float | None, typer.Option(help="The same in percent of all clients.")] = None,
    dry_run: DryRun = False,
    wait: Wait = 0,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Send one command to many clients.

    Exits with 0 if it was stored; with --wait, if all of it completed in time.
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
        tags=command_tag,
        timeout=timeout,
    )
    target = targets.target(client, group, zone, tag, any_tag, everybody)
    with explained(as_json=as_json), Api.from_environment() as api:
        content = sending.payload(api, payload, file, content_type)
        body: dict[str, Any] = {
            "target": target,
            "command": {"action": action, "payload": content, **fields},
            "dry_run": dry_run,
        }
        limits = {"max_failures": max_failures, "max_failures_percent": max_failures_percent}
        body |= {name: value for name, value in limits.items() if value is not None}
        rollout = {"per_minute": per_minute, "percent_per_minute": percent_per_minute}
        rollout = {name: value for name, value in rollout.items() if value is not None}
        if rollout:
            body["rollout"] = rollout
        _carry_out(api, body, wait=wait, key=key, as_json=as_json)


@app.command("send-list")
def send_list(
    file: Annotated[Path, typer.Argument(help="A JSON list of commands, each with its client_id and action.")],
    dry_run: DryRun = False,
    wait: Wait = 0,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Send a list of different commands at once.

    Exits like `batch send`.
    """
    try:
        commands, repeated = json_keys.loads(read(file))
    except TextError as problem:
        output.fail(f"{file}: {terminal.told(problem)}.", ExitCode.USAGE)
    except OSError as problem:
        output.misused(
            f"{file} cannot be read: {problem.strerror}", f"{file}을(를) 읽을 수 없습니다: {problem.strerror}"
        )
    except json_keys.NotFiniteError as problem:
        sending.finite(str(file), problem)
    except (ValueError, RecursionError) as problem:
        output.misused(f"{file} is not JSON: {problem}", f"{file}이(가) JSON이 아닙니다: {problem}")
    sending.once(str(file), repeated)
    with explained(as_json=as_json), Api.from_environment() as api:
        _carry_out(api, {"commands": commands, "dry_run": dry_run}, wait=wait, key=key, as_json=as_json)


def _carry_out(api: Api, body: dict[str, Any], *, wait: float, key: str | None, as_json: bool) -> None:
    """Post a batch, wait for its end, show it. With `wait`: exits with 3 if it has not ended in time, with 1 if a part
    did not complete."""
    submission = Submission(api, BATCH, key)
    with submission.told(as_json=as_json):
        answer = submission.post(body, stores=not body["dry_run"])
        if body["dry_run"]:
            _show_preview(answer, as_json=as_json)
            return
        answer = submission.until(lambda now: now["finished_at"] is not None, answer, wait=wait, limit=1)
        _show(api.get(f"/api/batches/{answer['id']}", limit=SHOWN), as_json=as_json)
    if wait and answer["finished_at"] is None:
        raise typer.Exit(ExitCode.NOT_ENDED)
    if wait and answer["counts"]["completed"] < answer["total"]:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def show(
    batch_id: BatchId,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", help="Only commands in this status.", autocompletion=completion.statuses),
    ] = None,
    blocked_by: Annotated[
        str | None, typer.Option("--blocked-by", help="Only commands whose client is offline, or unresponsive.")
    ] = None,
    limit: lists.Limit = SHOWN,
    trouble: Annotated[str | None, typer.Option("--trouble", hidden=True)] = None,
    as_json: Json = False,
) -> None:
    """Show the progress of a batch, and its commands."""
    if trouble is not None:
        output.renamed("--trouble", "--blocked-by offline|unresponsive")
    path = f"/api/batches/{in_path(batch_id)}"
    wanted = {"status": status or None, "blocked_by": blocked_by}
    with explained(as_json=as_json), Api.from_environment() as api:
        batch = api.get(path, **wanted, limit=min(limit or MOST, MOST))
        while batch["next_cursor"] and (left := (limit or 10**9) - len(batch["items"])) > 0:
            further = api.get(path, **wanted, limit=min(left, MOST), cursor=batch["next_cursor"])
            batch |= {"items": batch["items"] + further["items"], "next_cursor": further["next_cursor"]}
    _show(batch, as_json=as_json)


@app.command("list")
@lists.with_view(limit=lists.MANY)
def list_batches(
    status: Annotated[
        list[str] | None,
        typer.Option("--status", help="running, paused, cancelled or finished; may be given several times."),
    ] = None,
    *,
    view: View,
) -> None:
    """List batches, newest first."""
    with explained(as_json=view.as_json), Api.from_environment() as api:
        items, more = api.pages("/api/batches", {"status": status or None}, most=view.most)
    columns = (
        Column("id", "id", field("id")),
        lists.with_zone("created", "생성", "created_at"),
        Column("status", "상태", lambda item: word(BATCHES, item["status"])),
        Column("action", "동작", lambda item: item["action"] or either("(a list)", "(목록)")),
        Column("commands", "명령", field("total"), right=True),
        Column("rejected", "거부됨", field("rejected"), right=True),
    )
    lists.show(items, columns, view, empty=either("No batch fits.", "조건에 맞는 배치가 없습니다."), more=more)


@app.command()
def pause(batch_id: BatchId, as_json: Json = False) -> None:
    """Pause a batch until it is resumed."""
    _change(batch_id, "pause", as_json=as_json)


@app.command()
def resume(batch_id: BatchId, as_json: Json = False) -> None:
    """Resume a paused batch."""
    _change(batch_id, "resume", as_json=as_json)


@app.command()
def cancel(batch_id: BatchId, as_json: Json = False) -> None:
    """Cancel the unfinished commands of a batch.

    If a client has its command already, the client is asked to stop.
    """
    _change(batch_id, "cancel", as_json=as_json)


def _change(batch_id: str, what: str, *, as_json: bool) -> None:
    with explained(as_json=as_json), Api.from_environment() as api:
        _show(api.post(f"/api/batches/{in_path(batch_id)}/{what}"), as_json=as_json)


def _show(batch: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(batch)
        return
    stopped = either(" (too many failed)", " (실패가 너무 많음)") if batch["stop_reason"] == "max_failures" else ""
    output.say(f"{either('Batch', '배치')} {batch['id']}: {word(BATCHES, batch['status'])}{stopped}")
    counts, total = batch["counts"], batch["total"]
    parts = [either(f"{counts[one]} {one}", f"{word(STATUSES, one)} {counts[one]}") for one in _ORDER if counts[one]]
    output.say(f"  {either(output.number_of(total, 'command'), f'명령 {total}개')}: {', '.join(parts)}")
    for code, number in batch["rejections"].items():
        output.say(f"  {either('rejected', '거부됨')}, {code}: {number}")
    _say_blocked(batch, either("of the unfinished ones", "끝나지 않은 명령 중"))
    items = batch.get("items", [])
    if not items:
        return
    columns = (
        Column("client", "클라이언트", field("client_id")),
        Column("status", "상태", lambda item: word(STATUSES, item["status"])),
        Column("why", "이유", lambda item: item["code"] or item["blocked_by"]),
        Column("command", "명령", field("command_id")),
    )
    lists.show(items, columns, View(as_json=False), empty="")
    if batch.get("next_cursor"):
        more = f"floorhub batch show {batch['id']} --limit 0"
        output.tell(either(f"... and more: {more}", f"... 더 있습니다: {more}"))


def _show_preview(preview: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(preview)
        return
    accepted, total = preview["accepted"], preview["total"]
    output.say(
        either(
            f"Nothing was sent. {accepted} of {output.number_of(total, 'command')} would be accepted.",
            f"아무것도 보내지 않았습니다. 명령 {total}개 중 {accepted}개가 수락됩니다.",
        )
    )
    _say_blocked(preview, either("of these", "이 중"))
    for item in preview["items"]:
        if item["code"]:
            output.say(f"  {either('not', '제외')} {item['client_id']}: {item['code']}")


def _say_blocked(counts: dict[str, Any], whose: str) -> None:
    """How many clients are not there, if any."""
    offline, unresponsive = counts["offline"], counts["unresponsive"]
    if offline or unresponsive:
        output.say(
            either(
                f"  {whose}, {offline} offline and {unresponsive} unresponsive",
                f"  {whose} 오프라인 {offline}대, 응답 없음 {unresponsive}대",
            )
        )
