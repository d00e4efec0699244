"""The example clients refuse arguments that they do not know, and say which they take."""

import subprocess
import sys

import pytest

from tests.support import node
from tests.support.paths import ROOT

EXAMPLES = ROOT / "docs" / "examples"
PYTHON = [[sys.executable, str(EXAMPLES / "python" / name)] for name in ("client.py", "http_client.py")]
WHO = ["pda-7", "SECRET"]


def answer(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [[], ["pda-7"], ["--help"], [*WHO, "a:1", "b", "c", "d"]])
@pytest.mark.parametrize("program", PYTHON, ids=["mqtt", "http"])
def test_python(program: list[str], arguments: list[str]) -> None:
    done = answer([*program, *arguments])
    assert (done.returncode, done.stdout, done.stderr.startswith("usage: python ")) == (1, "", True), done.stderr
    assert "ID SECRET [" in done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["pda-7"], [*WHO, "127.0.0.1:1884"], [*WHO, "--brocker", "a:1"], [*WHO, "--broker"]]
)
def test_javascript(arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("javascript")
    for name in ("client.js", "package.json"):
        (folder / name).write_bytes((EXAMPLES / "javascript" / name).read_bytes())
    (folder / "node_modules").symlink_to(node.modules(EXAMPLES / "javascript"))
    done = answer([node.programs()[0], str(folder / "client.js"), *arguments])
    assert (done.returncode, done.stdout, done.stderr.startswith("usage: node client.js")) == (2, "", True), done.stderr
