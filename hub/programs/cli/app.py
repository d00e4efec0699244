"""What every command and group of `floorhub` has: `-h`, help in the person's language, `-o table|json|yaml`, and errors
of the command line in one form.

A module of commands makes its group with `App(help=...)` in place of `typer.Typer`.
"""

import math
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from hub.programs.cli import help_page, output, usage
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import Form

Function = TypeVar("Function", bound=Callable[..., Any])
HELP_OPTIONS = ["-h", "--help"]
_FORM = "answer_form"


@cache
def _form_option() -> Any:
    """The parameter `-o`, as the library makes it of an annotation."""
    made = typer.Typer(add_completion=False)

    @made.command()
    def _(
        answer_form: Annotated[
            Form | None, typer.Option("--output", "-o", metavar="FORM", help="table (default), json or yaml.")
        ] = None,
    ) -> None:
        pass

    return get_command(made).params[0]


def _with_form(params: Sequence[Any] | None) -> list[Any]:
    """The parameters of a command, with `-o` before `--json` if it answers programs."""
    found = list(params or ())
    for place, param in enumerate(found):
        if param.name == "as_json":
            return [*found[:place], _form_option(), *found[place:]]
    return found


def _in_form(context: Any, invoke: Callable[[Any], Any]) -> Any:
    """Run a command with the form that its options say."""
    form = context.params.pop(_FORM, None)
    for param in context.command.params:
        value = context.params.get(param.name)
        if isinstance(value, float) and not math.isfinite(value):  # NaN passes limits, and no JSON has it
            raise typer.BadParameter(f"{value} is not a valid float", ctx=context, param=param)
    if "as_json" not in context.params:
        return invoke(context)
    as_json = bool(context.params["as_json"])
    if as_json and form not in (None, Form.JSON):
        output.misused(f"--json and -o {form} contradict each other.", f"--json과 -o {form}은(는) 서로 모순됩니다.")
    form = Form(form or (Form.JSON if as_json else Form.TABLE))
    context.params["as_json"] = form is not Form.TABLE
    with output.shown_as(form):
        return invoke(context)


def _main(run: Callable[..., Any], arguments: Any) -> Any:
    """The entry point of the library, with errors of the command line as `usage` tells them."""
    if not arguments.pop("standalone_mode", True):
        return run(standalone_mode=False, **arguments)
    try:
        ended = run(standalone_mode=False, **arguments)
    except TyperException as problem:
        output.tell(*usage.lines(problem))
        sys.exit(problem.exit_code)
    except typer.Abort:
        output.tell(output.either("Aborted.", "중단했습니다."))
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(ended if isinstance(ended, int) else ExitCode.DONE)


def _help(command: Any, ctx: Any) -> str:
    """The whole page."""
    return help_page.page(command, ctx)


def _usage(command: Any, ctx: Any) -> str:
    """The line that says how it is called."""
    return help_page.usage(command, ctx)


def _short_help(command: Any, limit: int = 45) -> str:  # noqa: ARG001 - never cut
    """Its first sentence."""
    return help_page.summary(command)


class Command(TyperCommand):
    """One command."""

    def __init__(self, name: str | None, *, params: Any = None, **settings: Any) -> None:
        super().__init__(name, params=_with_form(params), **settings)

    get_help = _help
    get_usage = _usage
    get_short_help_str = _short_help

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        try:
            return _in_form(ctx, super().invoke)
        except KeyboardInterrupt:
            output.interrupted()


class Change(Command):
    """A command that changes something of the hub without its API; see `output.code_after_all_is_said`."""

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        output.changes_here()
        return super().invoke(ctx)


class Group(TyperGroup):
    """Commands under one word."""

    def __init__(self, *, params: Any = None, **settings: Any) -> None:
        super().__init__(params=_with_form(params), **settings)

    get_help = _help
    get_usage = _usage
    get_short_help_str = _short_help

    def invoke(self, ctx: Any) -> Any:
        """Run it, or the command that is named."""
        return _in_form(ctx, super().invoke)

    def main(self, *args: Any, **arguments: Any) -> Any:
        """See `_main`."""
        return _main(super().main, _named(args, arguments))


def _named(args: Sequence[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `main` by their names."""
    names = ("args", "prog_name", "complete_var", "standalone_mode", "windows_expand_args")
    return {**dict(zip(names, args, strict=False)), **arguments}


class App(typer.Typer):
    """A group of commands, which are `Command` and `Group`."""

    def __init__(self, **settings: Any) -> None:
        given: dict[str, Any] = {
            "cls": Group,
            "no_args_is_help": True,
            "add_completion": False,
            "pretty_exceptions_enable": False,
            "rich_markup_mode": None,
            "context_settings": {"help_option_names": HELP_OPTIONS},
        }
        super().__init__(**{**given, **settings})

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Function], Function]:
        """See `typer.Typer.command`."""
        return super().command(name, **{"cls": Command, **settings})
