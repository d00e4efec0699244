"""`floorhub printer`: which printers there are, and how they are, as their clients last reported them."""

from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output
from hub.programs.cli.api import Api
from hub.programs.cli.app import App
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.words import PRESENCE, PRINTERS, plain_reason, reason, word

app = App(help="Printers: list them with state, paper, toner and queue.")
_OUT = {"media-empty": ("empty", "없음"), "media-low": ("low", "부족"), "media-needed": ("needed", "필요")}
_SHOWN = 4
"""Supplies and papers in a row of the table; `printer show` has all."""


@app.command("list")
@lists.with_view()
def list_printers(
    client: Annotated[
        str | None, typer.Option("--client", help="Only of this client.", autocompletion=completion.clients)
    ] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="Only of clients in this zone.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="Only of clients in this group.", autocompletion=completion.groups)
    ] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only of clients with this tag.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Only with this name.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Only with this in the name of the model.")] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", "--status", help="idle, processing, stopped, unreachable or unknown; may be given several times."
        ),
    ] = None,
    because: Annotated[str | None, typer.Option("--reason", help="Only with this reason, such as media-empty.")] = None,
    presence: Annotated[
        str | None, typer.Option("--presence", help="Only of clients that are online, offline or unknown.")
    ] = None,
    *,
    view: View,
) -> None:
    """List the printers of all clients."""
    wanted: dict[str, Any] = {"client_id": client, "zone": zone, "group": group, "tag": tag, "presence": presence}
    wanted |= {"name": name, "model": model, "reason": because, "state": state or None}
    with explained(as_json=view.as_json), Api.from_environment() as api:
        items, more = api.pages("/api/printers", wanted, most=view.most_to_sort)
        lists.require_known(api, items, client=client, group=group)
    if any(wanted.values()):
        empty = either("No printer fits.", "조건에 맞는 프린터가 없습니다.")
    else:
        empty = either(
            "No client has reported a printer yet. A client's printers are in its agent.toml.",
            "프린터를 보고한 클라이언트가 아직 없습니다. 클라이언트의 프린터는 agent.toml에 적습니다.",
        )
    columns = (
        Column("client", "클라이언트", field("client_id")),
        Column("printer", "프린터", _name),
        Column("title", "제목", lambda item: item["title"] or "-"),
        Column("state", "상태", _state),
        Column("reasons", "이유", lambda item: _reasons(item) or "-"),
        Column("paper", "용지", _paper),
        Column("toner", "토너", lambda item: _supplies(item, _SHOWN) or "-"),
        Column("queue", "대기열", field("queued_jobs"), right=True),
        Column("model", "모델", field("model")),
        lists.with_zone("reported", "보고 시각", "reported_at"),
    )
    lists.show(items, columns, view, empty=empty, more=more)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The printer's name.", autocompletion=completion.printers)],
    client: Annotated[
        str | None,
        typer.Option("--client", help="Its client; default: the only one.", autocompletion=completion.clients),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a printer: state, reasons, paper, supplies and queue."""
    with explained(as_json=as_json), Api.from_environment() as api:
        found, _ = api.pages("/api/printers", {"name": name, "client_id": client})
    if not found:
        output.fail(
            either(
                f"There is no printer {name}: see `floorhub printer list`.",
                f"프린터 {name}이(가) 없습니다. `floorhub printer list`로 확인하십시오.",
            ),
            ExitCode.NOT_FOUND,
        )
    if len(found) > 1:
        owners = ", ".join(item["client_id"] for item in found)
        output.misused(
            f"Several clients have a printer {name}: add --client ({owners}).",
            f"프린터 {name}이(가) 여러 클라이언트에 있습니다. --client를 지정하십시오({owners}).",
        )
    if as_json:
        output.print_json(found[0])
        return
    output.say(*_described(found[0]))


def _described(printer: dict[str, Any]) -> list[str]:
    queued, accepting = printer["queued_jobs"], printer["accepting_jobs"]
    queue = "-" if queued is None else either(output.number_of(queued, "job"), f"작업 {queued}개")
    if accepting is False:
        queue += either(", takes no jobs", ", 작업을 받지 않음")
    rows = [
        (either("name", "이름"), _name(printer)),
        (either("title", "제목"), printer["title"] or "-"),
        (either("client", "클라이언트"), f"{printer['client_id']} ({word(PRESENCE, printer['presence'])})"),
        (either("model", "모델"), printer["model"] or "-"),
        (either("state", "상태"), _state(printer)),
        (either("reasons", "이유"), _reasons(printer) or "-"),
        (either("message", "메시지"), printer["message"] or "-"),
        (either("paper", "용지"), ", ".join(printer["media_ready"]) or printer["media_default"] or "-"),
        (either("supplies", "소모품"), _supplies(printer) or "-"),
        (either("queue", "대기열"), queue),
        (either("reported", "보고 시각"), output.local(printer["reported_at"], named=True) or "-"),
    ]
    return output.aligned(rows)


def _name(printer: dict[str, Any]) -> str:
    """What commands call it, and whether it is its client's default."""
    name = printer["name"] or "-"
    return f"{name} {either('(default)', '(기본)')}" if printer["default"] else name


def _state(printer: dict[str, Any]) -> str:
    """How it is; of a client that is not there nobody knows."""
    if printer["presence"] != "online":
        return either(f"client {printer['presence']}", f"클라이언트 {word(PRESENCE, printer['presence'])}")
    refuses = printer["accepting_jobs"] is False
    return word(PRINTERS, printer["state"]) + (either(", takes no jobs", ", 작업을 받지 않음") if refuses else "")


def _reasons(printer: dict[str, Any]) -> str:
    return ", ".join(reason(told["reason"]) for told in printer["reasons"] if told["reason"] != "none")


def _paper(printer: dict[str, Any]) -> str:
    told = [_OUT[kind] for one in printer["reasons"] if (kind := plain_reason(one["reason"])) in _OUT]
    if told:
        return either(*told[0])
    ready = [_size(media) for media in printer["media_ready"][:_SHOWN]]
    return ", ".join(dict.fromkeys(ready)) or "-"


def _size(media: str) -> str:
    """A paper of IPP as people call it: `A4` for `iso_a4_210x297mm`, `letter` for `na_letter_8.5x11in`."""
    parts = media.split("_")
    if len(parts) != 3 or parts[0] == "custom":
        return media
    return parts[1].upper() if len(parts[1]) <= 3 else parts[1]


def _supplies(printer: dict[str, Any], most: int | None = None) -> str:
    shown = [_supply(told) for told in printer["supplies"]]
    left = len(shown) - most if most is not None else 0
    return ", ".join(shown[:most]) + (f", +{left}" if left > 0 else "")


def _supply(told: dict[str, Any]) -> str:
    name = told["name"] or told["kind"] or "?"
    return name if told["level"] is None else f"{name} {told['level']}%"
