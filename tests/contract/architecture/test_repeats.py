"""No two places of the code share more than six lines without a reason that is named here."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

PACKAGES = ("hub", "device_agent", "schemas", "broker_config")
MOST = 6
THIN = re.compile(r"[\s()\[\]{},:;]*|else:|try:|return|pass|\"\"\".*")
"""Lines that say nothing by themselves."""
REASONS = {
    ("hub/programs/cli/batches.py", "hub/programs/cli/schedules.py"): "the options of two commands",
    ("hub/programs/cli/batches.py", "hub/programs/cli/commands.py"): "the options of two commands",
    ("hub/programs/cli/commands.py", "hub/programs/cli/schedules.py"): "the options of two commands",
    ("hub/programs/cli/batches.py", "hub/programs/cli/printing.py"): "the options of two commands",
    ("hub/programs/cli/commands.py", "hub/programs/cli/printing.py"): "the options of two commands",
    ("hub/programs/cli/audit.py", "hub/programs/cli/audit.py"): "the options of a list and of an export",
    ("hub/programs/cli/enrolments.py", "hub/programs/cli/pairings.py"): "the options of two commands",
    ("hub/core/clients/tables.py", "hub/core/clients/tables.py"): "columns: what the clients of a code and a token get",
    ("hub/mqtt/link.py", "hub/mqtt/paho_link.py"): "the methods of a link, as the protocol and each link declare them",
    ("hub/mqtt/link.py", "hub/mqtt/thin.py"): "the methods of a link, as the protocol and each link declare them",
    ("hub/mqtt/paho_link.py", "hub/mqtt/thin.py"): "the methods of a link, as the protocol and each link declare them",
    (
        "hub/core/commands/store/commands.py",
        "hub/core/commands/store/submit.py",
    ): "columns: as stored, and to be stored",
    ("hub/core/commands/store/commands.py", "hub/features/dead_letters/store.py"): "the filters of two lists",
    ("hub/core/commands/store/submit.py", "hub/features/dead_letters/store.py"): "columns: what a replay takes over",
    ("hub/core/commands/service/reports.py", "hub/core/presence/service/presence.py"): "what both are constructed with",
    ("hub/core/presence/service/births.py", "hub/core/presence/service/births.py"): "the arguments of two steps",
    ("hub/core/presence/store.py", "hub/core/presence/store.py"): "a function of the store, and its protocol",
}


def code_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file without imports, docstrings, comments, and what says nothing by itself."""
    text = file.read_text(encoding="utf-8")
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        is_text = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if is_text or isinstance(node, ast.Import | ast.ImportFrom):
            left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    for number, line in enumerate(text.splitlines(), 1):
        plain = " ".join(re.sub(r"\s+#.*", "", line).split())
        if number not in left_out and not plain.startswith("#") and not THIN.fullmatch(plain):
            yield number, plain


def repeats(files: list[Path]) -> dict[tuple[str, str], str]:
    """The first run of more than six lines that each pair of files shares."""
    places: defaultdict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for file in files:
        lines = list(code_lines(file))
        for start in range(len(lines) - MOST):
            run = lines[start : start + MOST + 1]
            places[tuple(line for _, line in run)].append((str(file.relative_to(ROOT)), run[0][0]))
    found: dict[tuple[str, str], str] = {}
    for shared in places.values():
        for place, (one, line) in enumerate(shared):
            for other, other_line in shared[place + 1 :]:
                if one != other or other_line - line > MOST:
                    found.setdefault((one, other), f"lines {line} and {other_line}")
    return found


def test_no_two_places_share_more_than_six_lines_without_a_reason() -> None:
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    found = repeats([file for file in files if "migrations" not in file.parts])
    assert {pair: where for pair, where in found.items() if pair not in REASONS} == {}
    assert REASONS.keys() - found.keys() == set(), "a reason for what is repeated no more"
