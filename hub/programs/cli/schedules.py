"""`floorhub schedule`: send to clients again and again."""

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.programs.cli import completion, lists, output, sending, targets
from hub.programs.cli.api import Api
from hub.programs.cli.app import App
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained

app = App(help="Schedules: send to clients by a cron expression.")
Which = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its id or name.", autocompletion=completion.schedules)]
TimeZone = typer.Option("--time-zone", metavar="ZONE", help="An IANA name, such as Asia/Seoul.")
Misfire = typer.Option("--misfire", help="If no hub was running at that time: skip, or once.")
Grace = Annotated[
    str | None,
    typer.Option("--grace", "--grace-s", metavar="DURATION", help="How late `once` may still fire: 90, 15m, 2h."),
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name for people; must be unique.")],
    cron: Annotated[str, typer.Argument(help='Five fields, such as "0 7 * * 1-5".')],
    action: Annotated[
        str, typer.Argument(help="print, status, or a site's own action.", autocompletion=completion.actions)
    ],
    time_zone: Annotated[str, TimeZone] = "UTC",
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
    misfire: Annotated[str, Misfire] = "once",
    grace: Grace = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Do not enable it yet.")] = False,
    as_json: Json = False,
) -> None:
    """Create a schedule."""
    target = targets.target(client, group, zone, tag, any_tag, everybody)
    expires_in_s, grace_s = lists.seconds("--expires-in", expires_in), _whole("--grace", grace)
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
@lists.with_view(limit=lists.MANY)
def list_schedules(
    enabled: Annotated[
        bool | None, typer.Option("--enabled/--disabled", help="Only those that are enabled, or disabled.")
    ] = None,
    *,
    view: View,
) -> None:
    """List schedules, newest first."""
    asked = None if enabled is None else str(enabled).lower()
    zone = output.zone()
    columns = (
        Column("id", "id", field("id")),
        Column("name", "이름", field("name")),
        Column("cron", "cron", field("cron")),
        Column("time zone", "시간대", field("time_zone")),
        Column(f"next ({zone})", f"다음 ({zone})", _next),
        lists.with_zone("last", "마지막", "last_at"),
        Column("last error", "마지막 오류", field("last_error")),
    )
    empty = either(
        "There is no schedule yet: floorhub schedule add NAME CRON ACTION",
        "예약이 아직 없습니다: floorhub schedule add NAME CRON ACTION",
    )
    if enabled is not None:
        empty = either("No schedule fits.", "조건에 맞는 예약이 없습니다.")
    lists.show_from("/api/schedules", columns, view, empty=empty, query={"enabled": asked}, whole=False)


@app.command("next")
def list_next(
    which: Which,
    count: Annotated[int, typer.Option("--count", "--limit", min=1, max=50, help="How many times.")] = 5,
    as_json: Json = False,
) -> None:
    """List the next times of a schedule."""
    with explained(as_json=as_json), Api.from_environment() as api:
        times = api.get(f"/api/schedules/{_id(api, which)}/next", count=count)["items"]
    if as_json:
        output.print_json(times)
    else:
        output.say(*(output.local(one, named=True) for one in times))


@app.command()
def show(which: Which, as_json: Json = False) -> None:
    """Show a schedule and its next times."""
    with explained(as_json=as_json), Api.from_environment() as api:
        _show(api, api.get(f"/api/schedules/{_id(api, which)}"), as_json)


@app.command("set")
def set_fields(
    which: Which,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    cron: Annotated[str | None, typer.Option(help="A new cron expression; past times do not fire late.")] = None,
    time_zone: Annotated[str | None, TimeZone] = None,
    misfire: Annotated[str | None, Misfire] = None,
    grace: Grace = None,
    as_json: Json = False,
) -> None:
    """Change a schedule; omitted values stay.

    Setting --cron or --time-zone, even to the same value, makes you the owner: from then on it sends with your
    permissions.
    """
    grace_s = _whole("--grace", grace)
    said = {"name": name, "cron": cron, "time_zone": time_zone, "misfire": misfire, "grace_s": grace_s}
    body = {field: value for field, value in said.items() if value is not None}
    if not body:
        output.misused(
            "Say what to change: --name, --cron, --time-zone, --misfire or --grace.",
            "바꿀 것을 지정하십시오: --name, --cron, --time-zone, --misfire, --grace.",
        )
    _change(which, body, as_json)


@app.command()
def enable(which: Which, as_json: Json = False) -> None:
    """Enable a schedule from its next time on."""
    _change(which, {"enabled": True}, as_json)


@app.command()
def disable(which: Which, as_json: Json = False) -> None:
    """Disable a schedule; commands it has sent continue."""
    _change(which, {"enabled": False}, as_json)


@app.command()
def remove(which: Which, as_json: Json = False) -> None:
    """Remove a schedule; commands it has sent continue."""
    with explained(as_json=as_json), Api.from_environment() as api:
        schedule = api.delete(f"/api/schedules/{_id(api, which)}")
    if as_json:
        output.print_json(schedule)
    else:
        name = schedule["name"]
        output.say(either(f"Schedule {name} is removed.", f"예약 {name}을(를) 삭제했습니다."))


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
            output.fail(
                either(
                    f"There is no schedule {which}: see `floorhub schedule list`.",
                    f"예약 {which}이(가) 없습니다. `floorhub schedule list`로 확인하십시오.",
                ),
                ExitCode.NOT_FOUND,
            )
        if len(found) > 1:
            output.fail(
                either(
                    f"{len(found)} schedules of different owners are called {which}: name yours by its id, see "
                    "`floorhub schedule list`.",
                    f"이름이 {which}인 예약이 소유자별로 {len(found)}개 있습니다. `floorhub schedule list`에서 id를 "
                    "확인해 지정하십시오.",
                ),
                ExitCode.REFUSED,
            )
        return str(found[0]["id"])


def _show(api: Api, schedule: dict[str, Any], as_json: bool) -> None:
    times = api.get(f"/api/schedules/{schedule['id']}/next", count=5)["items"]
    if as_json:
        output.print_json({**schedule, "next": times})
        return
    state = "" if schedule["enabled"] else either(" (disabled)", " (사용 중지)")
    output.say(
        f"{either('Schedule', '예약')} {schedule['name']}{state}: {schedule['cron']}, {schedule['time_zone']}",
        f"  id: {schedule['id']}",
        f"  {either('sends', '보내는 내용')}: {json.dumps(schedule['request'], ensure_ascii=False)}",
    )
    if schedule["last_at"]:
        failed, batch = schedule["last_error"], schedule["last_batch_id"]
        came = either(f"failed: {failed}", f"실패: {failed}") if failed else either(f"batch {batch}", f"배치 {batch}")
        output.say(f"  {either('last', '마지막')}: {output.local(schedule['last_at'], named=True)}, {came}")
    listed = ", ".join(output.local(one, named=True) for one in times) or either("never", "없음")
    output.say(f"  {either('next', '다음')}: {listed}")


def _next(schedule: dict[str, Any]) -> str:
    return output.local(schedule["next_at"]) if schedule["enabled"] else either("disabled", "사용 중지")


def _whole(option: str, text: str | None) -> int | None:
    """A duration in whole seconds, as the API takes this one."""
    found = lists.seconds(option, text)
    return None if found is None else round(found)
