"""`floorhub pair` and `floorhub pairing`: one-time codes that connect machines."""

import time
from typing import Annotated, Any, cast

import segno
import typer

from hub.programs.cli import completion, lists, output
from hub.programs.cli.api import Api, ApiError, in_path
from hub.programs.cli.app import App
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from schemas import terminal

app = App(help="Codes that connect machines; `floorhub pair` creates one.")
WATCH_S = 1.0
_BROWSERS = frozenset({"screen", "kiosk", "pda"})
"""Kinds that are mostly a browser."""
_NO_BROWSERS = frozenset({"printer_pc"})
"""Kinds that the page of a link does not connect: hub/web/apps/console/src/clients/connect.ts."""
_QUIET = 2
"""Empty modules around a QR code."""

Kind = Annotated[str | None, typer.Option(help="printer_pc, pda, kiosk, screen or other.")]
Zone = Annotated[str | None, typer.Option(help="Its zone, such as hall-2.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be given several times.")]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", help="A group that it joins; may be given several times.", autocompletion=completion.groups
    ),
]
Allow = Annotated[list[str] | None, typer.Option(help="An allowed action; default: all.")]
RateLimit = Annotated[int | None, typer.Option(min=0, help="Commands a minute; default 60.")]
PerDay = Annotated[int | None, typer.Option(min=0, help="Commands a day (UTC); default 1,000.")]
PairingId = Annotated[str, typer.Argument(metavar="PAIRING", help="Id of a code, see `floorhub pairing list`.")]


def client_fields(
    kind: str | None,
    zone: str | None,
    tag: list[str] | None,
    group: list[str] | None,
    allow: list[str] | None,
    rate_limit: int | None,
    per_day: int | None,
) -> dict[str, Any]:
    """What new clients get, as the API has it; what was not given is left out."""
    given = {
        "kind": kind,
        "zone": zone,
        "tags": tag,
        "groups": group,
        "allowed_actions": allow,
        "rate_limit": rate_limit,
        "max_commands_per_day": per_day,
    }
    return {name: value for name, value in given.items() if value is not None}


def pair(
    client_id: Annotated[
        str,
        typer.Argument(
            metavar="CLIENT", help="Id of the client that the machine becomes.", autocompletion=completion.clients
        ),
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="The client exists: another machine takes its place.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Its name for people; default: its id.")] = None,
    kind: Kind = None,
    zone: Zone = None,
    tag: Tags = None,
    group: Groups = None,
    allow: Allow = None,
    rate_limit: RateLimit = None,
    per_day: PerDay = None,
    expires: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long the code is valid; at most 10m, the default.")
    ] = None,
    wait: Annotated[
        bool | None,
        typer.Option("--wait/--no-wait", help="Wait for the machine; default: at a terminal."),
    ] = None,
    no_qr: Annotated[bool, typer.Option("--no-qr", help="Show no QR code.")] = False,
    as_json: Json = False,
) -> None:
    """Create a code that connects one machine.

    It is valid for 10 minutes, and shown only once.
    """
    body: dict[str, Any] = {"client_id": client_id, **({"name": name} if name is not None else {})}
    body |= client_fields(kind, zone, tag, group, allow, rate_limit, per_day)
    if replace:
        body["replace"] = True
    if expires is not None:
        body["expires_in_s"] = round(lists.seconds("--expires", expires) or 0)
    with explained(as_json=as_json), Api.from_environment() as api:
        made = api.post("/api/pairings", body)
        if as_json:
            output.print_json(made)
            return
        _say(made, _kind(api, made), with_qr=not no_qr and output.is_terminal())
        if wait if wait is not None else output.is_terminal():
            try:
                _watch(api, made)
            except KeyboardInterrupt:
                output.tell(either("The code stays valid.", "코드는 계속 유효합니다."))
                raise typer.Exit(ExitCode.INTERRUPTED) from None


app.command("add")(pair)


def _kind(api: Api, made: dict[str, Any]) -> str | None:
    """What the machine becomes: the code of a client that exists does not name its kind, but shows it to a machine."""
    if not made["replaces"]:
        return cast("str | None", made["kind"])
    try:
        return cast("str | None", api.post("/api/pair/look", {"token": made["token"]})["kind"])
    except ApiError:
        return None  # used up or revoked meanwhile; the code was made, and must be shown


def _say(made: dict[str, Any], kind: str | None, *, with_qr: bool) -> None:
    until = output.local(made["expires_at"])
    what = either("takes the place of", "교체할 클라이언트") if made["replaces"] else either("becomes", "클라이언트")
    rows = [
        (either("Code", "코드"), made["code"]),
        (either("Valid until", "유효 기간"), either(f"{until}, for one machine", f"{until}까지, 기기 한 대")),
        (either(f"The machine {what}", str(what)), made["client_id"]),
        (either("Id of the code", "코드의 id"), made["id"]),
    ]
    output.say(*output.aligned(rows), "")
    if kind in _BROWSERS:
        _say_browser(made, first=True)
        _say_machine(made, first=False)
    else:
        _say_machine(made, first=True)
        if kind not in _NO_BROWSERS:
            _say_browser(made, first=False)
    if with_qr and output.shows_every_character():
        output.say(*_qr(made["link"]))


def _say_machine(made: dict[str, Any], *, first: bool) -> None:
    """What to run at a machine. `first`: nothing else was said yet."""
    output.say(
        either("At the machine, run:", "기기에서 실행하십시오:")
        if first
        else either("or, at a machine with an agent, run:", "또는 에이전트가 있는 기기에서 실행하십시오:"),
        f"  floorhub-agent pair '{made['link']}'",
    )
    short = f"floorhub-agent pair {made['hub_url']} {made['code']}"
    if made["fingerprint"] is not None:
        short += f" --fp {made['fingerprint']}"
    output.say(either("or type:", "또는 입력하십시오:"), f"  {short}")
    output.say(
        either(
            "If floorhub-agent is not found there, write its path, such as /opt/floorhub/bin/floorhub-agent. It writes",
            "floorhub-agent를 찾을 수 없으면 설치한 경로(예: /opt/floorhub/bin/floorhub-agent)로 실행하십시오.",
        ),
        either(
            "agent.toml into the current folder; for another place, add --config /etc/floorhub/agent.toml.",
            "agent.toml은 현재 폴더에 만들어집니다. 다른 위치는 --config /etc/floorhub/agent.toml처럼 지정하십시오.",
        ),
        "",
    )


def _say_browser(made: dict[str, Any], *, first: bool) -> None:
    """What to open in a browser. `first`: as above."""
    number = made["link_number"]
    shown = f"{number[:3]} {number[3:]}"
    output.say(
        either(
            f"or open this link in the browser that is to be connected; its page shows the number {shown}:",
            f"또는 연결할 브라우저에서 이 링크를 여십시오. 열린 페이지에 번호 {shown}이(가) 표시됩니다:",
        )
        if not first
        else either(
            f"Open this link in the browser that is to be connected; its page shows the number {shown}:",
            f"연결할 브라우저에서 이 링크를 여십시오. 열린 페이지에 번호 {shown}이(가) 표시됩니다:",
        ),
        f"  {made['link']}",
    )
    if made["fingerprint"] is not None:
        output.say(
            either(
                f"If the browser warns about the certificate, follow {made['hub_url']}/trust in it first.",
                f"브라우저가 인증서를 경고하면 먼저 그 브라우저에서 {made['hub_url']}/trust의 안내를 따르십시오.",
            )
        )
    output.say("")


def _qr(text: str) -> list[str]:
    """A QR code in half blocks: light modules are filled, for the dark background of most terminals."""
    rows = [list(row) for row in segno.make(text, error="l").matrix_iter(border=_QUIET)]
    rows += [[0] * len(rows[0])] if len(rows) % 2 else []
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return [
        "".join(blocks[int(bool(top)), int(bool(below))] for top, below in zip(rows[at], rows[at + 1], strict=True))
        for at in range(0, len(rows), 2)
    ]


def _watch(api: Api, made: dict[str, Any]) -> None:
    """Until a machine is connected, or the code is good no more; asks about a number that has to be compared."""
    output.tell(either("Waiting for the machine; Ctrl-C stops waiting.", "기기를 기다립니다. Ctrl-C로 그만둡니다."))
    while True:
        now = api.get(f"/api/pairings/{in_path(made['id'])}")
        match now["status"]:
            case "used":
                output.say(
                    either(
                        f"{now['client_id']} is connected, from {now['address'] or '-'}.",
                        f"{now['client_id']}이(가) 연결되었습니다({now['address'] or '-'}).",
                    )
                )
                return
            case "confirm":
                _ask(api, now)
            case "open":
                time.sleep(WATCH_S)
            case _:
                output.fail(
                    either(
                        f"No machine was connected: the code is {now['status']}.",
                        f"연결된 기기가 없습니다. 코드의 상태: {now['status']}.",
                    )
                )


def _ask(api: Api, pairing: dict[str, Any]) -> None:
    number = pairing["number"]
    question = either(
        f"A machine at {pairing['address'] or '-'} asks. Does it show {number[:3]} {number[3:]}?",
        f"{pairing['address'] or '-'}의 기기가 연결을 요청합니다. 기기에 {number[:3]} {number[3:]}이(가) 보입니까?",
    )
    terminal.forget_typed()  # what was typed before the number stood there answers nothing
    if output.confirmed(question):
        api.post(f"/api/pairings/{in_path(pairing['id'])}/confirm", {"number": number})
    else:
        api.delete(f"/api/pairings/{in_path(pairing['id'])}")


@app.command("list")
@lists.with_view()
def list_pairings(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that a machine can use now.")] = False,
    *,
    view: View,
) -> None:
    """List codes of the last day, newest first."""
    columns = (
        Column("client", "클라이언트", field("client_id")),
        Column("status", "상태", field("status")),
        Column("number", "번호", field("number")),
        Column("address", "주소", field("address")),
        Column("by", "만든 사람", field("created_by_name")),
        lists.with_zone("expires", "만료", "expires_at"),
        Column("id", "id", field("id")),
    )
    empty = either("There is no code: floorhub pair CLIENT", "코드가 없습니다: floorhub pair 클라이언트")
    lists.show_from("/api/pairings", columns, view, empty=empty, query={"open": "true"} if only_open else {})


@app.command()
def confirm(
    pairing_id: PairingId,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The six digits that the machine shows.")],
    as_json: Json = False,
) -> None:
    """Confirm the number of a machine, which then gets its secret.

    Type what the machine shows: it proves that nobody stands between.
    """
    digits = "".join(number.split())
    with explained(as_json=as_json), Api.from_environment() as api:
        done = api.post(f"/api/pairings/{in_path(pairing_id)}/confirm", {"number": digits})
    if as_json:
        output.print_json(done)
    else:
        name = done["client_id"]
        output.say(either(f"The machine becomes {name}.", f"기기가 {name}(으)로 연결됩니다."))


@app.command()
def revoke(pairing_id: PairingId, as_json: Json = False) -> None:
    """Revoke a code; a machine that asks with it is refused."""
    with explained(as_json=as_json), Api.from_environment() as api:
        done = api.delete(f"/api/pairings/{in_path(pairing_id)}")
    if as_json:
        output.print_json(done)
    else:
        output.say(either(f"The code is {done['status']}.", f"코드의 상태: {done['status']}."))
