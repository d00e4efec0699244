"""`floorhub schedule`: send to clients again and again."""

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.programs.cli import output, sending, targets
from hub.programs.cli.api import Api
from hub.programs.cli.output import Json, explained

app = typer.Typer(help="Send to clients again and again, by a cron expression.", no_args_is_help=True)
Which = Annotated[str, typer.Argument(help="The schedule's id or name.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="For people; no two schedules have the same.")],
    cron: Annotated[str, typer.Argument(help='Five fields, such as "0 7 * * 1-5".')],
    action: Annotated[str, typer.Argument(help="print, status, or a site's own action.")],
    time_zone: Annotated[str, typer.Option(help="An IANA name, such as Asia/Seoul.")] = "UTC",
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
    expires_in_s: Annotated[float | None, typer.Option(help="Until when the effect may begin, each time.")] = None,
    misfire: Annotated[str, typer.Option(help="When no hub was there: skip, or once.")] = "once",
    grace_s: Annotated[int | None, typer.Option(help="How late `once` may make up for it.")] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Make it, and enable it later.")] = False,
    as_json: Json = False,
) -> None:
    """Make a schedule."""
    target = targets.target(client, group, zone, tag, any_tag, everybody)
    with explained(as_json=as_json), Api.from_environment() as api:
        content = sending.payload(api, payload, file, content_type)
        command = {"action": action, "payload": content, "priority": priority, "reference": reference}
        command |= {"expires_in_s": expires_in_s, "when_offline": when_offline}
        body = {
            "name": name,
            "cron": cron,
            "time_zone": time_zone,
            "request": {"target": target, "command": {key: one for key, one in command.items() if one is not None}},
            "misfire": misfire,
            "enabled": not disabled,
        }
        _show(api, api.post("/api/schedules", body | ({} if grace_s is None else {"grace_s": grace_s})), as_json)


@app.command("list")
def list_schedules(
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: Json = False,
) -> None:
    """List schedules, newest first."""
    with explained(as_json=as_json), Api.from_environment() as api:
        items = api.get("/api/schedules", limit=limit)["items"]
    if as_json:
        output.print_json(items)
        return
    zone = output.zone()
    rows = []
    for item in items:
        times = (output.local(item["next_at"]) if item["enabled"] else "disabled", output.local(item["last_at"]))
        rows.append((item["id"], item["name"], item["cron"], item["time_zone"], *times, item["last_error"] or ""))
    output.print_table(("id", "name", "cron", "time zone", f"next ({zone})", f"last ({zone})", "went wrong"), rows)


@app.command()
def show(which: Which, as_json: Json = False) -> None:
    """Show a schedule and its next times."""
    with explained(as_json=as_json), Api.from_environment() as api:
        _show(api, api.get(f"/api/schedules/{_id(api, which)}"), as_json)


@app.command("set")
def set_fields(
    which: Which,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    cron: Annotated[str | None, typer.Option(help="Another time; what passed until now is not made up for.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="An IANA name, such as Asia/Seoul.")] = None,
    misfire: Annotated[str | None, typer.Option(help="When no hub was there: skip, or once.")] = None,
    grace_s: Annotated[int | None, typer.Option(help="How late `once` may make up for it.")] = None,
    as_json: Json = False,
) -> None:
    """Change what is given. Who sets --cron or --time-zone, be it to the same, answers for what it sends from now."""
    said = {"name": name, "cron": cron, "time_zone": time_zone, "misfire": misfire, "grace_s": grace_s}
    body = {field: value for field, value in said.items() if value is not None}
    if not body:
        output.fail("Say what to change: --name, --cron, --time-zone, --misfire or --grace-s.", 2)
    _change(which, body, as_json)


@app.command()
def enable(which: Which, as_json: Json = False) -> None:
    """Let a schedule fire from its next time on."""
    _change(which, {"enabled": True}, as_json)


@app.command()
def disable(which: Which, as_json: Json = False) -> None:
    """Disable a schedule. Commands it has already sent continue."""
    _change(which, {"enabled": False}, as_json)


@app.command()
def remove(which: Which, as_json: Json = False) -> None:
    """Remove a schedule; what it has sent goes on."""
    with explained(as_json=as_json), Api.from_environment() as api:
        schedule = api.delete(f"/api/schedules/{_id(api, which)}")
    if as_json:
        output.print_json(schedule)
    else:
        output.say(f"Schedule {schedule['name']} is removed.")


def _change(which: str, body: dict[str, Any], as_json: bool) -> None:
    with explained(as_json=as_json), Api.from_environment() as api:
        _show(api, api.patch(f"/api/schedules/{_id(api, which)}", body), as_json)


def _id(api: Api, which: str) -> str:
    """The id of a schedule that is named by id or name. Ends the program when no schedule has the name."""
    try:
        return str(UUID(which))
    except ValueError:
        found = api.get("/api/schedules", name=which)["items"]
        if not found:
            output.fail(f"There is no schedule {which}: see `floorhub schedule list`.")
        return str(found[0]["id"])


def _show(api: Api, schedule: dict[str, Any], as_json: bool) -> None:
    times = api.get(f"/api/schedules/{schedule['id']}/next", count=5)["items"]
    if as_json:
        output.print_json({**schedule, "next": times})
        return
    state = "" if schedule["enabled"] else " (disabled)"
    output.say(f"Schedule {schedule['name']}{state}: {schedule['cron']}, {schedule['time_zone']}")
    output.say(f"  id: {schedule['id']}")
    output.say(f"  sends: {json.dumps(schedule['request'], ensure_ascii=False)}")
    if schedule["last_at"]:
        came = f"failed: {schedule['last_error']}" if schedule["last_error"] else f"batch {schedule['last_batch_id']}"
        output.say(f"  last: {output.local(schedule['last_at'], named=True)}, {came}")
    output.say(f"  next: {', '.join(output.local(one, named=True) for one in times) or 'never'}")
