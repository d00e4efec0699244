"""`floorhub action`: what commands of an action get that their senders do not say."""

from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.app import App
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, explained

app = App(help="Actions: their policies for retries, back-off, time-out, expiry.")
Action = Annotated[str, typer.Argument(help="Such as print, or a site's own.", autocompletion=completion.actions)]
_VALUES = ("max_retries", "first_delay_s", "factor", "cap_s", "timeout_s", "expires_in_s")


@app.command("list")
@lists.with_view()
def list_actions(*, view: View) -> None:
    """List actions with the values that apply to their commands.

    * marks the action's own values; the others are the hub's defaults.
    """
    with explained(as_json=view.as_json), Api.from_environment() as api:
        items = api.get("/api/actions")["items"]
    _show(items, view)


@app.command("set")
def set_policy(
    action: Action,
    max_retries: Annotated[int | None, typer.Option("--max-retries", help="Further attempts, 0 to 100.")] = None,
    first_delay: Annotated[
        str | None,
        typer.Option(
            "--first-delay", "--first-delay-s", metavar="DURATION", help="Wait before the second attempt: 2, 30s, 5m."
        ),
    ] = None,
    factor: Annotated[
        float | None, typer.Option("--factor", help="Each further wait is this many times longer.")
    ] = None,
    cap: Annotated[str | None, typer.Option("--cap", "--cap-s", metavar="DURATION", help="The longest wait.")] = None,
    timeout: Annotated[
        str | None,
        typer.Option("--timeout", "--timeout-s", metavar="DURATION", help="How long a run may take."),
    ] = None,
    expires_in: Annotated[
        str | None,
        typer.Option(
            "--expires-in",
            "--expires-in-s",
            metavar="DURATION",
            help="How long the effect may wait to begin: 90, 15m, 2h, 1w.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Create or replace the policy of an action.

    Omitted values are the hub's defaults.
    """
    given = (
        max_retries,
        lists.seconds("--first-delay", first_delay),
        factor,
        lists.seconds("--cap", cap),
        lists.seconds("--timeout", timeout),
        lists.seconds("--expires-in", expires_in),
    )
    body = {name: value for name, value in zip(_VALUES, given, strict=True) if value is not None}
    with explained(as_json=as_json), Api.from_environment() as api:
        _show([api.put(f"/api/actions/{in_path(action)}/policy", body)], View(as_json))


@app.command()
def reset(action: Action, as_json: Json = False) -> None:
    """Remove the policy of an action; the hub's defaults apply."""
    with explained(as_json=as_json), Api.from_environment() as api:
        _show([api.delete(f"/api/actions/{in_path(action)}/policy")], View(as_json))


def _show(items: list[dict[str, Any]], view: View) -> None:
    columns = (
        Column("action", "동작", field("action")),
        Column("retries", "재시도", _value("max_retries"), right=True),
        Column("first delay s", "첫 대기(초)", _value("first_delay_s"), right=True),
        Column("factor", "배수", _value("factor"), right=True),
        Column("cap s", "최대 대기(초)", _value("cap_s"), right=True),
        Column("time-out s", "제한 시간(초)", _value("timeout_s"), right=True),
        Column("expires in s", "만료(초)", _value("expires_in_s"), right=True),
    )
    lists.show(items, columns, view, empty=output.either("There is no action.", "동작이 없습니다."))


def _value(name: str) -> Any:
    def cell(item: dict[str, Any]) -> str:
        own = (item["policy"] or {}).get(name) is not None
        return f"{item['effective'][name]:g}{'*' if own else ''}"

    return cell
