"""`floorhub audit` and `floorhub security`: who did what, whether the trail is whole, and what looks like an attack."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.errors import SetupError
from hub.keys import cannot_write
from hub.programs.cli import completion, lists, new_files, output
from hub.programs.cli.api import Api
from hub.programs.cli.app import App
from hub.programs.cli.audit_offline import verified
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.local import DataDir
from hub.programs.cli.output import Json, either, explained

app = App(help="The audit trail: who did what.")
security = App(help="Security events: what looks like an attack.")
PATIENCE_S = 90.0
EXPORT_S = 3_600.0
FORMATS = ("jsonl", "csv")
Principal = Annotated[str | None, typer.Option("--principal", help="Only of this user or integration: name or id.")]
Action = Annotated[str | None, typer.Option("--action", help="Only of this action, such as client.update.")]
Resource = Annotated[str | None, typer.Option("--resource", help="Only about this kind of thing, such as client.")]
ResourceId = Annotated[str | None, typer.Option("--resource-id", help="Only about the thing with this id.")]
Address = Annotated[str | None, typer.Option("--address", help="Only from this address.")]
Text = Annotated[str | None, typer.Option("--text", help="Only with this text anywhere.")]


@app.command("list")
@lists.with_view(limit=lists.MANY)
def list_rows(
    principal: Principal = None,
    action: Action = None,
    resource: Resource = None,
    resource_id: ResourceId = None,
    address: Address = None,
    text: Text = None,
    since: lists.Since = None,
    until: lists.Until = None,
    *,
    view: View,
) -> None:
    """List what was done, newest first."""
    wanted = _wanted(principal, action, resource, resource_id, address, text, since, until)
    columns = (
        Column("row", "행", field("id"), right=True),
        lists.with_zone("at", "시각", "at"),
        Column("who", "누가", _who),
        Column("action", "동작", field("action")),
        Column("what", "대상", _what),
        Column("from", "주소", lambda item: item["address"] or ""),
    )
    empty = either("Nothing was done that fits.", "조건에 맞는 기록이 없습니다.")
    lists.show_from("/api/audit", columns, view, empty=empty, query=wanted, whole=False)


@app.command()
def show(row: Annotated[int, typer.Argument(min=1, help="Number of the row.")], as_json: Json = False) -> None:
    """Show a row with its details, such as the values before and after."""
    with explained(as_json=as_json), Api.from_environment() as api:
        item = api.get(f"/api/audit/{row}")
    if as_json:
        output.print_json(item)
        return
    facts = [
        (either("row", "행"), str(item["id"])),
        (either("at", "시각"), output.local(item["at"], named=True)),
        (either("who", "누가"), _who(item)),
        (either("action", "동작"), item["action"]),
        (either("what", "대상"), _what(item)),
        (either("its id", "대상 id"), item["resource_id"] or "-"),
        (either("from", "주소"), item["address"] or "-"),
    ]
    output.say(*output.aligned(facts))
    if item["erased"]:
        output.say(either("Address and detail were erased.", "주소와 상세 내용이 지워졌습니다."))
    if item["detail"]:
        output.print_json(item["detail"])


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="A new file.")],
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="jsonl or csv.")] = "jsonl",
    principal: Principal = None,
    action: Action = None,
    resource: Resource = None,
    resource_id: ResourceId = None,
    address: Address = None,
    text: Text = None,
    since: lists.Since = None,
    until: lists.Until = None,
    as_json: Json = False,
) -> None:
    """Write the rows that match the filters to a file, oldest first."""
    if form not in FORMATS:
        output.misused(f"--format {form}: use jsonl or csv.", f"--format {form}: jsonl이나 csv를 쓰십시오.")
    wanted = _wanted(principal, action, resource, resource_id, address, text, since, until)
    with explained(as_json=as_json), new_files.reserved(file), Api.from_environment() as api:
        try:
            with file.open("wb") as stream:
                size = api.save("/api/audit/export", stream.write, wanted | {"format": form}, patience_s=EXPORT_S)
        except OSError as problem:
            raise cannot_write(file, problem) from None
    if as_json:
        output.print_json({"file": str(file), "format": form, "bytes": size})
    else:
        output.say(either(f"Wrote {file} ({size} bytes).", f"{file}에 썼습니다({size}바이트)."))


@app.command()
def verify(
    offline: Annotated[
        bool, typer.Option("--offline", help="Read the database of this host instead of asking the hub.")
    ] = False,
    public_key: Annotated[
        str | None,
        typer.Option("--public-key", metavar="KEY", help="Offline: the audit key's public half; default: of keys/."),
    ] = None,
    anchor: Annotated[
        Path | None,
        typer.Option("--anchor", metavar="FILE", help="Offline: also compare with the day's seals in this file."),
    ] = None,
    accept: Annotated[
        list[int] | None,
        typer.Option("--accept-restore", metavar="SEAL", help="The seal of a restore that you know of."),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url", envvar="FLOORHUB_DATABASE_URL", show_envvar=False, help="Offline: the hub's database."
        ),
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say whether anybody changed the audit trail.

    Names the first row that was edited, deleted, inserted or moved. Exits with 0 if the trail is intact, else with 1.
    """
    with explained(as_json=as_json):
        if offline or public_key is not None or anchor is not None:
            found = verified(database_url, data_dir, public_key, anchor, tuple(accept or ()))
        else:
            with Api.from_environment(patience_s=PATIENCE_S) as api:
                found = api.get_within(PATIENCE_S, "/api/audit/verify", {"accept": accept or None})
    if as_json:
        output.print_json(found)
    else:
        _tell(found)
    if not found["intact"]:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def erase(
    principal: Annotated[str, typer.Option("--principal", help="Name or id of the user or integration.")],
    yes: Annotated[bool, typer.Option("--yes", help="Really do it; otherwise only say what it means.")] = False,
    as_json: Json = False,
) -> None:
    """Erase a person's data from the trail.

    Address and detail of all rows by or about the person, and the name. The rows stay, and the trail stays verifiable.
    """
    with explained(as_json=as_json):
        if not yes:
            raise SetupError(
                f"What is erased cannot be had again: names, addresses and details in all rows of {principal}. Disable "
                "the user or integration first; then add --yes.",
                ko=f"지운 내용은 되돌릴 수 없습니다. {principal}의 모든 행에서 이름, 주소, 상세 내용이 지워집니다. "
                "먼저 사용자나 연동을 비활성화한 다음 --yes를 붙이십시오.",
            )
        with Api.from_environment() as api:
            done = api.post("/api/audit/erase", {"principal": principal})
    if as_json:
        output.print_json(done)
        return
    output.say(
        either(
            f"Erased the texts of {done['rows']} rows and of {done['security_events']} security events.",
            f"행 {done['rows']}개와 보안 이벤트 {done['security_events']}개의 내용을 지웠습니다.",
        )
    )


@security.command("list")
@lists.with_view(limit=lists.MANY)
def list_security_events(
    severity: Annotated[str | None, typer.Option("--severity", help="Only: info, warning or critical.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only of this kind, such as two_machines.")] = None,
    client: Annotated[
        str | None, typer.Option("--client", help="Only of this client.", autocompletion=completion.clients)
    ] = None,
    since: lists.Since = None,
    until: lists.Until = None,
    *,
    view: View,
) -> None:
    """List security events, newest first."""
    wanted = {"severity": severity, "kind": kind, "client_id": client, **_times(since, until)}
    columns = (
        lists.with_zone("at", "시각", "at"),
        Column("severity", "심각도", field("severity")),
        Column("kind", "종류", field("kind")),
        Column("number", "횟수", field("number"), right=True),
        Column("who", "누가", lambda item: item["principal"] or ""),
        Column("client", "클라이언트", lambda item: item["client_id"] or ""),
        Column("from", "주소", lambda item: item["address"] or ""),
    )
    empty = either("There are no security events.", "보안 이벤트가 없습니다.")
    lists.show_from("/api/security-events", columns, view, empty=empty, query=wanted, whole=False)


def _wanted(
    principal: str | None,
    action: str | None,
    resource: str | None,
    resource_id: str | None,
    address: str | None,
    text: str | None,
    since: str | None,
    until: str | None,
) -> dict[str, Any]:
    return {
        "principal": principal,
        "action": action,
        "resource": resource,
        "resource_id": resource_id,
        "address": address,
        "text": text,
        **_times(since, until),
    }


def _times(since: str | None, until: str | None) -> dict[str, str]:
    return {
        name.replace("created_after", "since").replace("created_before", "until"): moment
        for name, moment in lists.since_until(since, until).items()
    }


def _who(item: dict[str, Any]) -> str:
    return str(item["principal"] or item["principal_id"] or either("the hub", "허브"))


def _what(item: dict[str, Any]) -> str:
    # A hub of the version before tells no name.
    which = item.get("resource_name") or item["resource_id"]
    return f"{item['resource']} {which}" if which else str(item["resource"])


def _tell(found: dict[str, Any]) -> None:
    for problem in found["problems"]:
        output.say(problem["message"])
    for restore in found["restores"]:
        at = output.local(restore["at"], named=True)
        output.say(
            either(
                f"Restore at {at}: the database went back to seal {restore['kept']}; seals up to {restore['lost']} had "
                "been made before.",
                f"{at}에 복원: 데이터베이스가 봉인 {restore['kept']} 시점으로 돌아갔습니다. 그전에 봉인 "
                f"{restore['lost']}까지 만들어져 있었습니다.",
            )
        )
    rows, seals, unsealed = found["rows"], found["seals"], found["unsealed"]
    if found["intact"]:
        output.say(
            either(
                f"The audit trail is intact: {rows} rows in {seals} seals; {unsealed} rows are not sealed yet, "
                f"{found['erased']} were erased.",
                f"감사 기록이 온전합니다. 봉인 {seals}개에 행 {rows}개, 아직 봉인되지 않은 행 {unsealed}개, 내용이 "
                f"지워진 행 {found['erased']}개.",
            )
        )
    else:
        output.say(either("The audit trail is NOT intact.", "감사 기록이 온전하지 않습니다."))
