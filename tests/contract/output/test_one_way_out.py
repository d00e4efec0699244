"""Programs print in one way: through `schemas.terminal`, which shows text as text."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.paths import ROOT

FOLDERS = ("hub", "device_agent", "schemas", "broker_config", "scripts")
NAMES = {"print", "input"}
MODULES = {"click", "getpass", "rich", "curses", "readline"}
ATTRIBUTES = {
    *("typer.echo", "typer.secho", "typer.style", "typer.confirm", "typer.prompt", "typer.progressbar"),
    *("sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"),
    *("traceback.print_exc", "traceback.print_exception", "traceback.print_stack"),
}
ALLOWED = {
    ("schemas/terminal.py", "sys.stdout"): "the way itself",
    ("schemas/terminal.py", "sys.stderr"): "the way itself",
    ("schemas/terminal.py", "sys.__stdout__"): "the way itself",
    ("hub/programs/cli/output.py", "rich"): "how wide a character is",
    ("hub/programs/cli/output.py", "sys.stderr"): "whether a person watches",
    ("hub/programs/cli/output.py", "sys.stdout"): "whether a person watches",
    ("hub/programs/cli/passwords.py", "getpass"): "a password, which the terminal does not show",
    ("hub/programs/cli/submission.py", "sys.stderr"): "whether a person watches",
    ("hub/telemetry/log.py", "sys.stderr"): "lines of JSON without characters that a terminal obeys",
    ("device_agent/logs.py", "sys.stderr"): "lines of JSON without characters that a terminal obeys",
    ("scripts/setup_environment.py", "sys.stderr"): "a Python that is too old to load the way",
}


def ways_out(tree: ast.AST) -> Iterator[str]:
    """What a file prints, or asks a person, with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            yield node.func.id
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ATTRIBUTES:
            yield ast.unparse(node)
        if isinstance(node, ast.Import):
            yield from {alias.name.partition(".")[0] for alias in node.names} & MODULES
        if isinstance(node, ast.ImportFrom) and not node.level:
            top = (node.module or "").partition(".")[0]
            yield from {top} & MODULES
            yield from {f"{top}.{alias.name}" for alias in node.names} & ATTRIBUTES


def test_programs_print_in_one_way() -> None:
    found = {
        (file.relative_to(ROOT).as_posix(), way)
        for folder in FOLDERS
        for file in sorted((ROOT / folder).rglob("*.py"))
        for way in ways_out(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "an exception that nothing needs"


@pytest.mark.parametrize(
    "source",
    [
        "print('x')",
        "import rich.table",
        "from rich.console import Console",
        "import typer\ntyper.echo('x')",
        "from typer import confirm",
        "import sys\nsys.stderr.write('x')",
        "from sys import stdout",
        "input('sure?')",
        "import click",
    ],
)
def test_the_rule_sees(source: str) -> None:
    assert list(ways_out(ast.parse(source))) != []
