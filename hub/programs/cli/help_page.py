"""The pages of `--help`: whole sentences in at most 80 columns, in the language of the person at the keyboard.

Works on the commands as the library has built them; a parameter's first long spelling is shown, further ones are old.
"""

import enum
import inspect
import re
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from hub.programs.cli import korean as catalogue
from hub.programs.cli.output import either, korean, width_of

WIDEST, NARROWEST = 80, 40
_FIRST_COLUMN = 26
"""Cells of the first column; what is wider stands on a line of its own."""
_SHORT_CHOICE = 22
_SENTENCE = re.compile(r".+?[.?!](?=\s|$)", re.DOTALL)
_TYPES = {
    "str": "TEXT",
    "int": "NUMBER",
    "int range": "NUMBER",
    "float": "NUMBER",
    "float range": "NUMBER",
    "path": "PATH",
}


def page(command: Any, context: Any) -> str:
    """The whole page."""
    width = columns()
    parts = [_usage(command, context, width), *_paragraphs(command.help, width)]
    visible = [param for param in command.get_params(context) if not param.hidden]
    arguments = [_row(param, context) for param in visible if param.param_type_name == "argument"]
    options = [_row(param, context) for param in visible if param.param_type_name == "option"]
    listed = [(name, summary(found)) for name, found in getattr(command, "commands", {}).items() if not found.hidden]
    for heading, rows in (
        (either("Arguments:", "인수:"), arguments),
        (either("Options:", "옵션:"), options),
        (either("Commands:", "명령:"), listed),
    ):
        if rows:
            parts.append("\n".join([heading, *_table(rows, width)]))
    parts += _paragraphs(command.epilog, width)
    return "\n\n".join(parts)


def usage(command: Any, context: Any) -> str:
    """The line that says how a command is called."""
    return _usage(command, context, columns())


def _usage(command: Any, context: Any, width: int) -> str:
    """The same, with further lines below its arguments."""
    words = [either("[OPTIONS]", "[옵션]")]
    words += [_argument(param) for param in command.params if param.param_type_name == "argument" and not param.hidden]
    if hasattr(command, "commands"):
        words.append(either("COMMAND ...", "명령 ..."))
    begin = f"{either('Usage:', '사용법:')} {context.command_path} "
    indent = min(width_of(begin), width // 2)
    lines = wrapped(f"{begin}{' '.join(words)}", width - indent)
    return "\n".join([lines[0], *(" " * indent + line for line in lines[1:])])


def summary(command: Any) -> str:
    """The first sentence about a command."""
    text = translated(next(iter(paragraphs(command.help)), ""))
    found = _SENTENCE.match(text)
    return found.group() if found else text


def paragraphs(text: str | None) -> list[str]:
    """A text's paragraphs, each on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", inspect.cleandoc(text or "")) if part.strip()]


def translated(english: str) -> str:
    """A paragraph in the language of the person at the keyboard."""
    return (catalogue.of(english) or english) if korean() else english


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken between words, or in a word that is longer than a line."""
    lines: list[str] = [""]
    for word in text.split():
        for piece in _pieces(word, width):
            joined = f"{lines[-1]} {piece}" if lines[-1] else piece
            if width_of(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(piece)
    return lines


def columns() -> int:
    """How wide a page is."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def spelling(param: Any, context: Any) -> str:
    """How an option is written: its short spelling and its first long one, with what it takes."""
    short = [name for name in param.opts if not name.startswith("--")]
    long = [name for name in param.opts if name.startswith("--")][:1]
    names = ", ".join(sorted([*short, *long], key=len))
    if param.secondary_opts:
        names = f"{names}/{param.secondary_opts[0]}"
    return names if param.is_flag else f"{names} {_takes(param, context)}"


def _row(param: Any, context: Any) -> tuple[str, str]:
    is_option = param.param_type_name == "option"
    name = spelling(param, context) if is_option else _name(param)
    said = [translated(" ".join((param.help or "").split())), *_extras(param, context, is_option=is_option)]
    return name, "  ".join(part for part in said if part)


def _extras(param: Any, context: Any, *, is_option: bool) -> Iterator[str]:
    """What else one has to know: choices, default, range, and whether it must be given."""
    found = []
    choices = _choices(param)
    if choices and (not is_option or _takes(param, context) == "CHOICE"):
        found.append(", ".join(choices))
    if param.envvar and getattr(param, "show_envvar", False):
        names = param.envvar if isinstance(param.envvar, str) else param.envvar[0]
        found.append(either(f"env: {names}", f"환경 변수: {names}"))
    default = _default(param)
    if default:
        found.append(either(f"default: {default}", f"기본값: {default}"))
    low, high = getattr(param, "min", None), getattr(param, "max", None)
    if low is not None and high is not None:
        found.append(f"{low:,} - {high:,}")
    elif low:
        found.append(either(f"at least {low}", f"{low} 이상"))
    if param.required and is_option:
        found.append(either("required", "필수"))
    if found:
        yield f"[{'; '.join(found)}]"


def _default(param: Any) -> str:
    default, shows = param.default, getattr(param, "show_default", False)
    if isinstance(shows, str):
        return shows
    if not shows or default is None or isinstance(default, bool) or callable(default):
        return ""
    value = default.value if isinstance(default, enum.Enum) else default
    return f"{value:g}" if isinstance(value, float) else str(value)


def _takes(param: Any, context: Any) -> str:
    """What an option's value is called."""
    if param.metavar:
        return str(param.metavar)
    choices = _choices(param)
    if choices:
        listed = "|".join(choices)
        return listed if len(listed) <= _SHORT_CHOICE else "CHOICE"
    kind = param.display_type(context).strip("<>").removeprefix("list[").removesuffix("]")
    return _TYPES.get(kind, "TEXT")


def _choices(param: Any) -> list[str]:
    described = param.type_descriptor
    return [str(getattr(one, "value", one)) for one in described.choices or ()] if described.is_choice else []


def _name(param: Any) -> str:
    return str(param.metavar or param.name.upper())


def _argument(param: Any) -> str:
    name = _name(param) if param.required else f"[{_name(param)}]"
    return f"{name} ..." if param.nargs != 1 else name


def _paragraphs(text: str | None, width: int) -> list[str]:
    return ["\n".join(f"  {line}" for line in wrapped(translated(one), width - 2)) for one in paragraphs(text)]


def _table(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Rows of a name and a text: in two columns, or below each other where the name is long or the page narrow."""
    first = min(max(width_of(name) for name, _ in rows), _FIRST_COLUMN, width // 3)
    for name, text in rows:
        lines = wrapped(text, width - first - 4) if text else [""]
        if width_of(name) <= first:
            yield f"  {name}{' ' * (first - width_of(name))}  {lines.pop(0)}".rstrip()
        else:
            yield f"  {name}"
        yield from (f"{' ' * (first + 4)}{line}" for line in lines if line)


def _pieces(word: str, width: int) -> Iterator[str]:
    piece = ""
    for char in word:
        if piece and width_of(piece + char) > width:
            yield piece
            piece = ""
        piece += char
    yield piece
