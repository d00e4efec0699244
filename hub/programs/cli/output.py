"""What all commands share: output for people or programs, and errors as one sentence.

Whatever a command shows goes through `say`, `tell`, `print_json`, `print_table` or `fail`: words of clients, senders
and devices stay words.
"""

import enum
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer
from rich.cells import cell_len

from hub.errors import HubError, SetupError, UnavailableError
from hub.programs.cli.api import Api, ApiError
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.yaml_text import yaml_text
from hub.programs.embedded.errors import EmbeddedError
from schemas import terminal
from schemas.local_times import with_local_times
from schemas.text import json_text, printable

_LONGEST_CELL = 200

Json = Annotated[bool, typer.Option("--json", help="Short for -o json.")]
"""Whether a program reads the answer. A command that has this has `-o table|json|yaml`, too: see `app.Command`."""


class Form(enum.StrEnum):
    """What an answer looks like."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


_changes_here = False
_form: ContextVar[Form] = ContextVar("form", default=Form.JSON)


@contextmanager
def shown_as(form: Form) -> Iterator[None]:
    """In the block, `print_json` writes this form."""
    before = _form.set(form)
    try:
        yield
    finally:
        _form.reset(before)


def either(english: str, korean_: str) -> str:
    """The sentence that the person at the keyboard reads."""
    return korean_ if korean() else english


def korean() -> bool:
    """Whether the person at the keyboard reads Korean, by LANG."""
    return terminal.shows_korean()


def say(*lines: str) -> None:
    """Lines on standard output: what was asked for."""
    terminal.write(*lines)


def tell(*lines: str) -> None:
    """Lines on standard error: what a person wants to know beside it. Without any, nothing."""
    if lines:
        terminal.write(*lines, error=True)


def progress(line: str) -> None:
    """A line that the next one replaces, for a person who watches."""
    if sys.stderr.isatty():
        terminal.write(line, error=True, end="\r")


def is_terminal() -> bool:
    """Whether what a command says goes to a person's terminal, and into no file and no other program."""
    return sys.stdout is not None and sys.stdout.isatty()


def shows_every_character() -> bool:
    """Whether standard output has an encoding for all of Unicode, such as the blocks of a QR code."""
    encoding = getattr(sys.stdout, "encoding", None) or ""
    return encoding.lower().replace("-", "") == "utf8"


def print_json(value: Any) -> None:
    """One document for programs on standard output: JSON, or YAML if that was asked for."""
    if _form.get() is Form.YAML:
        terminal.write_document(yaml_text(value), lambda: yaml_text(value, only_ascii=True))
    else:
        terminal.write_json(json_text(value, indent=2))


def width_of(text: str) -> int:
    """Cells of a terminal that a text takes: Korean characters take two."""
    return cell_len(text)


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[str] = (), headed: bool = True
) -> None:
    """A table with whole lines, however narrow the terminal is: ids are there to be copied. `right`: the headings
    whose columns are numbers. `headed`: whether the line of headings is shown."""
    lines = [[printable(cell, _LONGEST_CELL) for cell in line] for line in ((headings, *rows) if headed else rows)]
    if not lines:
        return
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    aligned = [heading in right for heading in headings]
    terminal.write(
        *("  ".join(_padded(*cell) for cell in zip(line, widths, aligned, strict=True)).rstrip() for line in lines)
    )


def aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of a name and a value, the values below each other."""
    widest = max(cell_len(name) for name, _ in rows)
    return [f"{name}:{' ' * (widest - cell_len(name))} {value}" for name, value in rows]


def local(moment: str | None, *, named: bool = False) -> str:
    """A moment of the API (UTC) as the clock on the wall shows it here; empty for none. JSON keeps UTC. `named`: with
    the zone's name, which a moment of the other half of the year has in any case."""
    if moment is None:
        return ""
    at = datetime.fromisoformat(moment).astimezone()
    name = f"{at:%Z}"
    return f"{at:%Y-%m-%d %H:%M:%S}{f' {name}' if named or name != zone() else ''}"


def zone() -> str:
    """The time zone of this machine, for the heading of a column of times."""
    return f"{datetime.now().astimezone():%Z}"


def number_of(count: int, one: str, many: str | None = None) -> str:
    """`1 client`, `2 clients`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def confirmed(question: str) -> bool:
    """Whether the person says yes; no answer is a no."""
    terminal.write(f"{question} [y/N]: ", error=True, end="")
    answer = sys.stdin.readline() if sys.stdin is not None else ""
    if not answer.endswith("\n"):
        terminal.write("", error=True)
    if not answer:
        tell(
            either(
                "There is nobody to answer, so nothing was done: say --yes to do it without a question.",
                "대답할 사람이 없어 아무것도 하지 않았습니다. 묻지 않고 실행하려면 --yes를 쓰십시오.",
            )
        )
    return answer.strip().lower() in ("y", "yes")


def changes_here() -> None:
    """Note that this process changes something of the hub that is on this machine."""
    global _changes_here
    _changes_here = True


def code_after_all_is_said(code: str | int | None) -> int:
    """The exit code for a command that ended with `code`. What changes the hub ends as the change did; of all others
    (questions, help, files that were asked for) an answer that could not be written is a failure."""
    lost = terminal.lost_output()
    number = code if isinstance(code, int) else int(code is not None)
    if lost is None:
        return number
    tell(
        either(
            f"Standard output does not take everything: {lost.strerror}.",
            f"표준 출력에 모두 쓸 수 없습니다: {lost.strerror}.",
        )
    )
    return number or int(not (Api.changed or _changes_here))


def fail(sentence: str, code: int = ExitCode.FAILED) -> NoReturn:
    """Say what is wrong and end with a code."""
    _end(code, sentence)


def misused(english: str, korean_: str) -> NoReturn:
    """Say what is wrong with the command line, and end with 2."""
    fail(either(english, korean_), ExitCode.USAGE)


def renamed(old: str, new: str) -> NoReturn:
    """Say what an old word of the command line is called now, and end with 2."""
    if korean():
        fail(f"`{old}`은(는) 이제 `{new}`입니다.", 2)
    fail(f"`{old}` is `{new}` now.", 2)


@contextmanager
def explained(*, as_json: bool = False) -> Iterator[None]:
    """Turn expected errors into a sentence (or their problem as JSON) and their exit code; 2 for a wrong set-up."""
    try:
        yield
    except ApiError as problem:
        if as_json:
            print_json(problem.problem)
            raise typer.Exit(problem.exit_code) from None
        lines = with_local_times(str(problem)).split("\n")
        if problem.may_have_worked and problem.problem["code"] == "unreachable":
            lines.append(may_have_worked())
        _end(problem.exit_code, *lines)
    except SetupError as problem:
        _end(2, *(problem.korean if korean() else problem.sentence).split("\n"))
    except EmbeddedError as problem:
        english = f"{problem.sentence} {problem.remedy}".strip()
        _end(2, *(problem.korean if korean() else english).split("\n"))
    except UnavailableError as problem:
        fail(_unavailable(problem))
    except HubError as problem:
        fail(f"{problem.code}: {dict(problem.params)}" if problem.params else problem.code)


def may_have_worked() -> str:
    """About a change whose answer was lost."""
    return either(
        "The request may have been carried out: check before you repeat it.",
        "요청이 처리되었을 수 있습니다. 다시 실행하기 전에 확인하십시오.",
    )


def interrupted() -> NoReturn:
    """Say what Ctrl-C may have left behind, and end with 130."""
    if Api.changed:
        tell(either("Interrupted.", "중단했습니다."), may_have_worked())
    elif Api.asked:
        tell(either("Interrupted: nothing was changed.", "중단했습니다. 바뀐 것은 없습니다."))
    else:
        tell(either("Interrupted.", "중단했습니다."))
    raise typer.Exit(ExitCode.INTERRUPTED)


def _unavailable(problem: UnavailableError) -> str:
    """What a part that is needed has said when it went away, or refused."""
    words = " ".join(str(problem.__cause__ or "").split()) or problem.code
    if not problem.code.startswith("database"):
        if korean():
            return f"필요한 부분을 쓸 수 없습니다({problem.code}): {words}. 잠시 후 다시 실행하십시오."
        return f"A part that is needed is not available ({problem.code}): {words}. Try again shortly."
    if korean():
        return f"Postgres가 작업을 거절했거나 응답하지 않습니다: {words}. 원인을 고친 다음 다시 실행하십시오."
    return f"Postgres refuses what is needed, or does not answer: {words}. Fix the cause, then run this again."


def _end(code: int, *lines: str) -> NoReturn:
    tell(*lines)
    raise typer.Exit(code)


def _padded(cell: str, width: int, right: bool) -> str:
    blank = " " * (width - cell_len(cell))
    return blank + cell if right else cell + blank
