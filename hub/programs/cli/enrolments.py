"""`floorhub enrolment`: tokens that connect many machines without a person at each."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.keys import cannot_write, write_secret_file
from hub.programs.cli import lists, output
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.app import App
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.new_files import reserved
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.pairings import Allow, Groups, Kind, PerDay, RateLimit, Tags, Zone, client_fields

app = App(help="Enrolment tokens, which connect many machines: create, list, revoke.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for, for people.")],
    naming: Annotated[
        str, typer.Option(metavar="RULE", help="Ids of the clients: {n} is a number, {host} the machine's name.")
    ],
    count: Annotated[int, typer.Option(min=1, help="How many machines at most.")],
    expires: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long it is valid: 8h, 3d; default 24h, at most 90d.")
    ] = None,
    kind: Kind = None,
    zone: Zone = None,
    tag: Tags = None,
    group: Groups = None,
    allow: Allow = None,
    rate_limit: RateLimit = None,
    per_day: PerDay = None,
    file: Annotated[
        Path | None, typer.Option(help="Write what `floorhub-agent pair --enrol` needs to this file (0600).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Create a token that connects many machines.

    It is shown only once, or written with --file.
    """
    body: dict[str, Any] = {"name": name, "naming": naming, "count": count}
    body |= client_fields(kind, zone, tag, group, allow, rate_limit, per_day)
    if expires is not None:
        body["expires_in_s"] = round(lists.seconds("--expires", expires) or 0)
    with (
        explained(as_json=as_json),
        Api.from_environment() as api,
        reserved(file) if file is not None else nullcontext(),
    ):
        made = api.post("/api/enrolments", body)
        if file is not None:
            try:
                write_secret_file(file, enrolment_file(made))
            except OSError as problem:
                api.delete(f"/api/enrolments/{in_path(made['id'])}")
                raise cannot_write(file, problem) from None
            del made["token"]
    if as_json:
        output.print_json(made)
        return
    until = output.local(made["expires_at"])
    output.say(
        either(
            f"Up to {output.number_of(made['count'], 'machine')} can be connected until {until}, as {naming}.",
            f"{until}까지 기기를 최대 {made['count']}대 연결할 수 있습니다(id: {naming}).",
        )
    )
    if file is not None:
        output.say(
            either(f"The enrolment file: {file}", f"등록 파일: {file}"),
            either(
                f"On each machine: floorhub-agent pair --enrol {file.name}",
                f"각 기기에서: floorhub-agent pair --enrol {file.name}",
            ),
        )
    else:
        output.say(
            either(f"The token, shown only once: {made['token']}", f"토큰(지금 한 번만 표시됩니다): {made['token']}")
        )


def enrolment_file(made: dict[str, Any]) -> str:
    """The file that machines read: TOML."""
    lines = [
        "# Connects machines to a Floorhub hub: floorhub-agent pair --enrol FILE. Whoever has it can do so.",
        f"hub_url = {json.dumps(made['hub_url'])}",
        f"token = {json.dumps(made['token'])}",
    ]
    lines += [f"ca = {json.dumps(made['ca'])}"] if made["ca"] is not None else []
    return "\n".join([*lines, ""])


@app.command("list")
@lists.with_view()
def list_enrolments(*, view: View) -> None:
    """List enrolment tokens, newest first."""
    columns = (
        Column("name", "이름", field("name")),
        Column("ids", "id 규칙", field("naming")),
        Column("used", "사용", field("used"), right=True),
        Column("count", "최대", field("count"), right=True),
        Column("status", "상태", field("status")),
        lists.with_zone("expires", "만료", "expires_at"),
        Column("id", "id", field("id")),
    )
    empty = either(
        "There is no enrolment token: floorhub enrolment add NAME --naming RULE --count NUMBER",
        "등록 토큰이 없습니다: floorhub enrolment add 이름 --naming 규칙 --count 대수",
    )
    lists.show_from("/api/enrolments", columns, view, empty=empty)


@app.command()
def revoke(
    enrolment_id: Annotated[str, typer.Argument(metavar="ENROLMENT", help="Id of an enrolment token.")],
    as_json: Json = False,
) -> None:
    """Revoke a token; machines that it has connected stay."""
    with explained(as_json=as_json), Api.from_environment() as api:
        done = api.delete(f"/api/enrolments/{in_path(enrolment_id)}")
    if as_json:
        output.print_json(done)
    else:
        output.say(
            either(
                f"The token is {done['status']}; it has connected {output.number_of(done['used'], 'machine')}.",
                f"토큰의 상태: {done['status']}. 지금까지 기기 {done['used']}대를 연결했습니다.",
            )
        )
