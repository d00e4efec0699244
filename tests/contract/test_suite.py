"""The tests keep their own rules: none imports another, none waits for a fixed time, none stands in for a real part."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.order import LONGEST_FIRST
from tests.support.paths import ROOT

SLEEPS = {"time.sleep", "asyncio.sleep"}
SLEEP_ALLOWED = {
    "tests/support/waiting.py": "the polling helpers themselves",
    "tests/chaos/faults.py": "a plan of faults in real time, which a program carries out",
    "tests/chaos/run.py": "a program that looks whether everything is back",
    "tests/chaos/callers.py": "callers that ask at a rate and try again, as real ones do",
    "tests/bench/links.py": "a measurement lasts as long as it says",
    "tests/bench/load.py": "requests are due at a rate",
    "tests/integration/device_agent/machine.py": "a process of its own, which waits for a file of the test",
    "tests/acceptance/presence/test_presence.py": "simulated agents pause at random before they connect again",
}
MOCK_ALLOWED = {
    "tests/simulation/plants.py": "plants bugs in our own code that the simulation must find; no part is replaced",
}
ABSENT = {"skip", "skipif", "xfail", "importorskip"}
Find = Callable[[ast.AST], list[Any]]


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a file imports, and every name that it takes from one, which may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_of_tests(tree: ast.AST) -> list[str]:
    """The modules that a file imports although pytest collects them, conftests included."""
    return [
        module
        for module in imported(tree)
        if module.startswith("tests.")
        and module.rpartition(".")[2].startswith(("test_", "conftest"))
        and ROOT.joinpath(*module.split(".")).with_suffix(".py").exists()
    ]


def sleeps(tree: ast.AST) -> list[int]:
    """The lines that sleep. A sleep of 0 only lets others run."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in SLEEPS
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]


def mocks(tree: ast.AST) -> list[str]:
    """What a file imports to stand in for something else."""
    return [module for module in imported(tree) if "mock" in module.lower().split(".")]


def left_out_without_a_reason(tree: ast.AST) -> list[int]:
    """The lines that leave a test out, or expect it to fail, and do not say why."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    with_a_reason = [
        call.func
        for call in calls
        if any(keyword.arg == "reason" for keyword in call.keywords)
        or (ast.unparse(call.func) in ("pytest.skip", "pytest.xfail") and call.args)
    ]
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ABSENT
        and ast.unparse(node.value) in ("pytest", "pytest.mark")
        and node not in with_a_reason
    ]


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.AST]:
    """Each file of the tests, by its path in the checkout."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    return {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files}


@pytest.mark.parametrize(
    ("find", "allowed"),
    [
        (imports_of_tests, {}),
        (sleeps, SLEEP_ALLOWED),
        (mocks, MOCK_ALLOWED),
        (left_out_without_a_reason, {}),
    ],
)
def test_every_file_keeps_the_rule_or_is_named(trees: dict[str, ast.AST], find: Find, allowed: dict[str, str]) -> None:
    """What is found: move what is shared to tests/support or beside the test; wait with `until` or `eventually`; use
    the real part; say why a test is left out."""
    found = {name: lines for name, tree in trees.items() if (lines := find(tree))}
    assert {name: lines for name, lines in found.items() if name not in allowed} == {}
    assert allowed.keys() - found.keys() == set(), "an exception that nothing needs"


def test_files_that_start_first_are_there() -> None:
    assert [name for name in LONGEST_FIRST if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    ("find", "source"),
    [
        (imports_of_tests, "from tests.contract.test_suite import Find"),
        (imports_of_tests, "from tests.contract import test_suite"),
        (imports_of_tests, "import tests.integration.conftest"),
        (sleeps, "time.sleep(0.5)"),
        (sleeps, "async def f(): await asyncio.sleep(WAIT_S)"),
        (mocks, "from unittest import mock"),
        (mocks, "from unittest.mock import patch"),
        (left_out_without_a_reason, "@pytest.mark.skip\ndef f(): ..."),
        (left_out_without_a_reason, "@pytest.mark.skipif(True)\ndef f(): ..."),
        (left_out_without_a_reason, "@pytest.mark.xfail(strict=True)\ndef f(): ..."),
    ],
)
def test_what_breaks_a_rule_is_found(find: Find, source: str) -> None:
    assert find(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "from tests.support import paths",
        "await_ = asyncio.sleep(0)",
        "pytest.skip('not on this system')",
        "@pytest.mark.skipif(True, reason='not on this system')\ndef f(): ...",
    ],
)
def test_what_keeps_the_rules_is_left_alone(source: str) -> None:
    tree = ast.parse(source)
    assert [*imports_of_tests(tree), *sleeps(tree), *mocks(tree), *left_out_without_a_reason(tree)] == []
