"""`floorhub actions`: what commands of an action get that their senders do not say."""

from typing import Annotated, Any

import typer

from hub.programs.cli import output
from hub.programs.cli.api import Api, in_path
from hub.programs.cli.output import Json, explained

app = typer.Typer(help="Actions and their policies: retries, back-off, time-out, expiry.", no_args_is_help=True)
Action = Annotated[str, typer.Argument(help="Such as print, or a site's own.")]
_VALUES = ("max_retries", "first_delay_s", "factor", "cap_s", "timeout_s", "expires_in_s")


@app.command("list")
def list_actions(as_json: Json = False) -> None:
    """List actions with what counts for their commands; * is the action's own, the rest is the hub's."""
    with explained(as_json=as_json), Api.from_environment() as api:
        items = api.get("/api/actions")["items"]
    _show(items, as_json=as_json)


@app.command("set")
def set_policy(
    action: Action,
    max_retries: Annotated[int | None, typer.Option(help="0 to 100.")] = None,
    first_delay_s: Annotated[float | None, typer.Option(help="Before the second attempt.")] = None,
    factor: Annotated[float | None, typer.Option(help="Each wait is so many times the one before.")] = None,
    cap_s: Annotated[float | None, typer.Option(help="No wait is longer.")] = None,
    timeout_s: Annotated[float | None, typer.Option(help="How long a run may take.")] = None,
    expires_in_s: Annotated[float | None, typer.Option(help="Until when the effect may begin.")] = None,
    as_json: Json = False,
) -> None:
    """Make or replace the policy of an action; what is left out is the hub's default."""
    given = (max_retries, first_delay_s, factor, cap_s, timeout_s, expires_in_s)
    body = {name: value for name, value in zip(_VALUES, given, strict=True) if value is not None}
    with explained(as_json=as_json), Api.from_environment() as api:
        _show([api.put(f"/api/actions/{in_path(action)}/policy", body)], as_json=as_json)


@app.command()
def reset(action: Action, as_json: Json = False) -> None:
    """Take the policy of an action away."""
    with explained(as_json=as_json), Api.from_environment() as api:
        _show([api.delete(f"/api/actions/{in_path(action)}/policy")], as_json=as_json)


def _show(items: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.print_json(items)
        return
    rows = []
    for item in items:
        own = item["policy"] or {}
        shown = [f"{item['effective'][name]:g}{'*' if own.get(name) is not None else ''}" for name in _VALUES]
        rows.append((item["action"], *shown))
    output.print_table(("action", *_VALUES), rows, right=_VALUES)
