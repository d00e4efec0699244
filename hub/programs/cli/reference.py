"""The table of all commands: whether they answer in JSON, their exit codes, and the API route that they list.

A new command gets a row here; a test compares the rows with the commands, and `docs/reference/cli.md` with this module.
`python -m hub.programs.cli.reference docs/reference/cli.md` writes its tables again.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.main import get_command

from hub.programs.cli import help_page
from hub.programs.cli.exits import MEANINGS, ExitCode
from hub.programs.cli.main import OLD_SPELLINGS, app

BEGIN = "<!-- tables: written by `python -m hub.programs.cli.reference docs/reference/cli.md` -->"
END = "<!-- end of the tables -->"
_D, _F, _U, _W, _H, _R, _P, _N = (
    ExitCode.DONE,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.NOT_ENDED,
    ExitCode.UNREACHABLE,
    ExitCode.REFUSED,
    ExitCode.NOT_PERMITTED,
    ExitCode.NOT_FOUND,
)
LISTS = (_D, _U, _H, _R, _P)
"""Of a question about many things."""
ONE = (_D, _U, _H, _R, _P, _N)
"""Of a question about one thing, and of a change."""
CHANGE = (_D, _U, _H, _R, _P)
"""Of a change to what need not be there before."""
MANY = (_D, _F, _U, _H, _R, _P)
"""Of a change to many things, some of which may be refused."""
RUNS = (_D, _F, _U, _W, _H, _R, _P, _N)
"""Of what waits for the end of commands."""
HERE = (_D, _F, _U)
"""Of what acts on this machine, without a hub."""


@dataclass(frozen=True, slots=True)
class Row:
    """A command: its words, its exit codes, whether it has `--json` (and `-o`), and the API route that it lists."""

    words: str
    codes: tuple[ExitCode, ...]
    json: bool = True
    shows: str | None = None


COMMANDS = (
    Row("up", HERE, json=False),
    Row("serve", HERE, json=False),
    Row("edge", HERE, json=False),
    Row("migrate", HERE, json=False),
    Row("send", RUNS),
    Row("print", RUNS),
    Row("show", ONE),
    Row("explain", ONE),
    Row("cancel", ONE),
    Row("logs", RUNS),
    Row("pair", (_D, _F, _U, _H, _R, _P, _N)),
    Row("doctor", HERE),
    Row("backup", HERE),
    Row("restore", HERE),
    Row("support-bundle", HERE),
    Row("cleanup", HERE),
    Row("conformance", (*HERE, _H, _R, _P, _N)),
    Row("simulate", (*HERE, _H, _R, _P), json=False),
    Row("completion", (_D, _U), json=False),
    Row("help", (_D, _U), json=False),
    Row("command list", ONE, shows="GET /api/commands"),
    Row("command show", ONE),
    Row("command explain", ONE),
    Row("command history", ONE, shows="GET /api/commands/{command_id}/logs"),
    Row("command cancel", ONE),
    Row("command decide", ONE),
    Row("command send", RUNS),
    Row("client list", ONE, shows="GET /api/clients"),
    Row("client show", ONE),
    Row("client history", ONE, shows="GET /api/clients/{client_id}/history"),
    Row("client limits", ONE),
    Row("client add", (_D, _F, _U, _H, _R, _P)),
    Row("client import", (_D, _F, _U, _W, _H, _R, _P)),
    Row("client set", ONE),
    Row("client set-limits", CHANGE),
    Row("client retire", (_D, _F, _U, _H, _R, _P, _N)),
    Row("client disable", ONE),
    Row("client enable", ONE),
    Row("client unfence", ONE),
    Row("client rotate-secret", ONE),
    Row("pairing list", LISTS, shows="GET /api/pairings"),
    Row("pairing add", (_D, _F, _U, _H, _R, _P, _N)),
    Row("pairing confirm", ONE),
    Row("pairing revoke", ONE),
    Row("enrolment list", LISTS, shows="GET /api/enrolments"),
    Row("enrolment add", (_D, _F, _U, _H, _R, _P)),
    Row("enrolment revoke", ONE),
    Row("printer list", ONE, shows="GET /api/printers"),
    Row("printer show", ONE),
    Row("group list", LISTS, shows="GET /api/groups"),
    Row("group show", ONE, shows="GET /api/groups/{group_id}/members"),
    Row("group add", ONE),
    Row("group join", ONE),
    Row("group leave", ONE),
    Row("group remove", ONE),
    Row("batch list", LISTS, shows="GET /api/batches"),
    Row("batch show", ONE, shows="GET /api/batches/{batch_id}"),
    Row("batch send", RUNS),
    Row("batch send-list", RUNS),
    Row("batch pause", ONE),
    Row("batch resume", ONE),
    Row("batch cancel", ONE),
    Row("schedule list", LISTS, shows="GET /api/schedules"),
    Row("schedule show", ONE),
    Row("schedule next", ONE, shows="GET /api/schedules/{schedule_id}/next"),
    Row("schedule add", ONE),
    Row("schedule set", ONE),
    Row("schedule enable", ONE),
    Row("schedule disable", ONE),
    Row("schedule remove", ONE),
    Row("action list", LISTS, shows="GET /api/actions"),
    Row("action set", CHANGE),
    Row("action reset", CHANGE),
    Row("dead-letter list", ONE, shows="GET /api/dead-letters"),
    Row("dead-letter replay", MANY),
    Row("dead-letter dismiss", MANY),
    Row("user list", LISTS, shows="GET /api/users"),
    Row("user show", ONE),
    Row("user add", ONE),
    Row("user change", ONE),
    Row("user password", ONE),
    Row("user disable", ONE),
    Row("user enable", ONE),
    Row("user sessions", ONE, shows="GET /api/users/{user_id}/sessions"),
    Row("user recover", (_D, _F, _U, _R, _N)),
    Row("integration list", LISTS, shows="GET /api/integrations"),
    Row("integration show", ONE),
    Row("integration add", ONE),
    Row("integration change", ONE),
    Row("integration disable", ONE),
    Row("integration enable", ONE),
    Row("integration remove", ONE),
    Row("grant list", ONE, shows="GET /api/grants"),
    Row("grant add", ONE),
    Row("grant remove", ONE),
    Row("access check", (_D, _F, _U, _H, _R, _P, _N)),
    Row("audit list", LISTS, shows="GET /api/audit"),
    Row("audit show", ONE),
    Row("audit export", (_D, _F, _U, _H, _R, _P)),
    Row("audit verify", (_D, _F, _U, _H, _R, _P)),
    Row("audit erase", ONE),
    Row("security list", LISTS, shows="GET /api/security-events"),
    Row("broker render", HERE),
    Row("key list", ONE, shows="GET /api/keys"),
    Row("key add", ONE),
    Row("key revoke", ONE),
    Row("key show", HERE),
    Row("key rotate", (*HERE, _H, _R, _P, _N)),
    Row("key adopt", HERE),
    Row("schema export", HERE),
)
"""In the order of the help."""


def commands(group: Any, *, hidden: bool = False, above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The words of every command of a group, and the command; with `hidden` also those that no help lists."""
    for name, command in group.commands.items():
        if command.hidden and not hidden:
            continue
        if hasattr(command, "commands"):
            yield from commands(command, hidden=hidden, above=(*above, name))
        else:
            yield " ".join((*above, name)), command


def answers_programs(command: Any) -> bool:
    """Whether a command has `--json` and `-o`."""
    return any(param.name == "as_json" for param in command.params)


def tables() -> str:
    """The tables of docs/reference/cli.md."""
    found = dict(commands(get_command(app)))
    return "\n".join(
        [
            "## Exit codes",
            "",
            *_table(("code", "meaning"), ((str(int(code)), english) for code, (english, _) in MEANINGS.items())),
            "",
            "## Commands",
            "",
            "`floorhub COMMAND -h` shows the arguments and options of a command.",
            "",
            *_table(
                ("command", "what it does", "JSON, YAML", "exit codes", "API route that it lists"),
                (_row(row, found[row.words]) for row in COMMANDS),
            ),
            "",
            f"Old spellings still work: {', '.join(f'`floorhub {old}`' for old in sorted(OLD_SPELLINGS))}, and options "
            "that end in `-s`, such as `--expires-in-s`.",
        ]
    )


def _row(row: Row, command: Any) -> tuple[str, ...]:
    codes = ", ".join(str(int(code)) for code in sorted(row.codes))
    shows = f"`{row.shows}`" if row.shows else ""
    return f"`floorhub {row.words}`", help_page.summary(command), "yes" if row.json else "", codes, shows


def _table(headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    headings = tuple(headings)
    for row in (headings, ("---",) * len(headings), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def written_into(text: str) -> str:
    """The page with the tables as they are now. Raises ValueError for a page without their place."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the tables: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.write_text(written_into(place.read_text(encoding="utf-8")), encoding="utf-8")
