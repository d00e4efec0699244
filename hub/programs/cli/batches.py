"""`floorhub batch`: command many clients at once, and see what becomes of it."""

import json
import time
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from hub.programs.cli import output, sending, targets
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.output import Json, explained
from schemas import terminal
from schemas.text import TextError, read

app = typer.Typer(help="Command many clients at once.", no_args_is_help=True)
BatchId = Annotated[str, typer.Argument(help="The batch's id.")]
SHOWN = 20
"""Rows for people; --json and --limit give more."""
LOOK_S = 0.3
_ORDER = ("completed", "running", "queued", "pending", "failed", "unknown", "expired", "cancelled", "rejected")


@app.command()
def send(
    action: Annotated[str, typer.Argument(help="print, status, or a site's own action.")],
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
    max_failures: Annotated[int | None, typer.Option(min=0, help="One failure more stops the batch.")] = None,
    max_failures_percent: Annotated[float | None, typer.Option(min=0, max=100, help="The same as a share.")] = None,
    per_minute: Annotated[float | None, typer.Option(help="Rollout: start at most this many clients a minute.")] = None,
    percent_per_minute: Annotated[float | None, typer.Option(help="The same as a share of all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who would get it and who not; send nothing.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the end; 0: do not wait.")] = 0,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Send one command to many clients. Exits 0 if it was stored; with --wait, if all of it completed in time."""
    target = targets.target(client, group, zone, tag, any_tag, everybody)
    with explained(as_json=as_json), Api.from_environment() as api:
        content = sending.payload(api, payload, file, content_type)
        command = {"action": action, "payload": content, "priority": priority, "reference": reference}
        command["when_offline"] = when_offline
        body: dict[str, Any] = {
            "target": target,
            "command": {name: value for name, value in command.items() if value is not None},
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which would be accepted; send nothing.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the end; 0: do not wait.")] = 0,
    key: sending.Key = None,
    as_json: Json = False,
) -> None:
    """Send a list of different commands at once. Exits like `send`."""
    try:
        commands = json.loads(read(file))
    except TextError as problem:
        output.fail(f"{file}: {terminal.told(problem)}.", 2)
    except OSError as problem:
        output.fail(f"{file} cannot be read: {problem.strerror}", 2)
    except (ValueError, RecursionError) as problem:
        output.fail(f"{file} is not JSON: {problem}", 2)
    with explained(as_json=as_json), Api.from_environment() as api:
        _carry_out(api, {"commands": commands, "dry_run": dry_run}, wait=wait, key=key, as_json=as_json)


def _carry_out(api: Api, body: dict[str, Any], *, wait: float, key: str | None, as_json: bool) -> None:
    """Post a batch, wait for its end, show it. Exits with 1 unless all of it completed in time (with `wait`)."""
    answer = api.post("/api/batches", body, headers={"Idempotency-Key": key or str(uuid4())})
    if body["dry_run"]:
        _show_preview(answer, as_json=as_json)
        return
    end = time.monotonic() + wait
    while answer["finished_at"] is None and time.monotonic() < end:
        time.sleep(LOOK_S)
        answer = api.get(f"/api/batches/{answer['id']}", limit=1)
    _show(api.get(f"/api/batches/{answer['id']}", limit=SHOWN), as_json=as_json)
    if wait and answer["counts"]["completed"] < answer["total"]:
        raise typer.Exit(1)


@app.command()
def show(
    batch_id: BatchId,
    status: Annotated[list[str] | None, typer.Option(help="Only commands in this status.")] = None,
    blocked_by: Annotated[
        str | None, typer.Option(help="Only commands whose client is offline, or unresponsive.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Rows to show.")] = SHOWN,
    trouble: Annotated[str | None, typer.Option(hidden=True)] = None,
    as_json: Json = False,
) -> None:
    """Show how far a batch is, and its commands."""
    if trouble is not None:
        output.renamed("--trouble", "--blocked-by offline|unresponsive")
    with explained(as_json=as_json), Api.from_environment() as api:
        batch = api.get(f"/api/batches/{in_path(batch_id)}", status=status, blocked_by=blocked_by, limit=limit)
    _show(batch, as_json=as_json)


@app.command("list")
def list_batches(
    status: Annotated[str | None, typer.Option(help="running, paused, cancelled or finished.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = SHOWN,
    as_json: Json = False,
) -> None:
    """List batches, newest first."""
    with explained(as_json=as_json), Api.from_environment() as api:
        items = api.get("/api/batches", status=status, limit=limit)["items"]
    if as_json:
        output.print_json(items)
        return
    rows = []
    for item in items:
        created = output.local(item["created_at"])
        columns = (item["action"] or "(a list)", str(item["total"]), str(item["rejected"]))
        rows.append((item["id"], created, item["status"], *columns))
    output.print_table(("id", f"created ({output.zone()})", "status", "action", "clients", "rejected"), rows)


@app.command()
def pause(batch_id: BatchId, as_json: Json = False) -> None:
    """Hand nothing more out of a batch until it is resumed."""
    _change(batch_id, "pause", as_json=as_json)


@app.command()
def resume(batch_id: BatchId, as_json: Json = False) -> None:
    """Let a paused batch go on."""
    _change(batch_id, "resume", as_json=as_json)


@app.command()
def cancel(batch_id: BatchId, as_json: Json = False) -> None:
    """Cancel what of a batch has not ended; agents are asked about what they have."""
    _change(batch_id, "cancel", as_json=as_json)


def _change(batch_id: str, what: str, *, as_json: bool) -> None:
    with explained(as_json=as_json), Api.from_environment() as api:
        _show(api.post(f"/api/batches/{in_path(batch_id)}/{what}"), as_json=as_json)


def _show(batch: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(batch)
        return
    why = {"max_failures": " (too many failed)"}.get(batch["stop_reason"] or "", "")
    output.say(f"Batch {batch['id']}: {batch['status']}{why}")
    parts = [f"{batch['counts'][status]} {status}" for status in _ORDER if batch["counts"][status]]
    output.say(f"  {output.number_of(batch['total'], 'command')}: {', '.join(parts)}")
    for code, number in batch["rejections"].items():
        output.say(f"  rejected, {code}: {number}")
    if batch["offline"] or batch["unresponsive"]:
        output.say(f"  of the unfinished ones, {batch['offline']} offline and {batch['unresponsive']} unresponsive")
    items = batch.get("items", [])
    if not items:
        return
    rows = [
        (item["client_id"], item["status"], item["code"] or item["blocked_by"] or "", item["command_id"])
        for item in items
    ]
    output.print_table(("client", "status", "why", "command"), rows)
    if batch.get("next_cursor"):
        output.say(f"... and more: floorhub batch show {batch['id']} --limit 1000")


def _show_preview(preview: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(preview)
        return
    output.say(
        f"Nothing was sent. {preview['accepted']} of {output.number_of(preview['total'], 'command')} would be accepted."
    )
    if preview["offline"] or preview["unresponsive"]:
        output.say(f"  of these, {preview['offline']} offline and {preview['unresponsive']} unresponsive")
    for item in preview["items"]:
        if item["code"]:
            output.say(f"  not {item['client_id']}: {item['code']}")
