"""The standard streams of a program: whatever is wrong with them, the program does what it was asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PROGRAM = """
import sys
from schemas import terminal
terminal.prepare()
terminal.write("\\uc55e \\x1b[31m\\u2460\\U0001f642 [/x]", "second")
terminal.write("\\uc55e", error=True)
print("from a library \\x9b")
sys.exit(7)
"""
BREAKS = """
from schemas import terminal
terminal.prepare()
raise ValueError("of a client: \\x1b[2J \\u202e")
"""


def run(program: str, redirect: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What becomes of a program behind a shell's redirection."""
    return subprocess.run(
        ["/bin/sh", "-c", f'"$0" -c "$1" {redirect}', sys.executable, program],
        capture_output=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", "euc_kr", "cp949"])
def test_what_an_encoding_lacks_is_replaced(encoding: str) -> None:
    done = run(PROGRAM, PYTHONIOENCODING=encoding)
    first, second, library = done.stdout.decode(encoding).splitlines()
    expected = "앞 \\x1b[31m①🙂 [/x]".encode(encoding, "replace").decode(encoding)
    assert (first, second, library) == (expected, "second", "from a library \\x9b")
    assert done.stderr.decode(encoding) == "앞\n".encode(encoding, "replace").decode(encoding)
    assert done.returncode == 7


def test_a_posix_locale_without_utf_8_is_ascii() -> None:
    done = run(PROGRAM, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.stdout.splitlines()[0] == b"? \\x1b[31m?? [/x]"
    assert (done.stderr, done.returncode) == (b"?\n", 7)


@pytest.mark.parametrize(
    "redirect", [">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", ">/dev/full 2>/dev/full", "| true"], ids=repr
)
def test_output_that_goes_nowhere_changes_no_exit_code(redirect: str) -> None:
    pipe = f'( "$0" -c "$1"; echo $? >&3 ) {redirect}' if "|" in redirect else f'"$0" -c "$1" {redirect}; echo $? >&3'
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec 3>&1; {pipe}", sys.executable, PROGRAM],
        capture_output=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        timeout=30,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == b"7"
    assert done.stderr.decode() in ("", "앞\n")


def test_a_connection_never_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    program = (
        "from schemas import terminal; terminal.prepare()\n"
        f"file = open({str(tmp_path / 'file')!r}, 'w'); terminal.write('told'); file.close()"
    )
    assert run(program, ">&-").returncode == 0
    assert (tmp_path / "file").read_text() == ""


def test_the_message_of_a_stack_is_text() -> None:
    done = run(BREAKS, PYTHONIOENCODING="utf-8")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == b"ValueError: of a client: \\x1b[2J \\u202e"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", "euc_kr"])
def test_json_is_the_same_on_every_console(encoding: str) -> None:
    program = (
        "from schemas import terminal, text; terminal.prepare()\n"
        "terminal.write_json(text.json_text({'\\uc55e': ['\\u2460\\U0001f642', '\\x1b\\x9b\\u202e\\udc80']}, 2))"
    )
    done = run(program, PYTHONIOENCODING=encoding)
    assert b"\x1b" not in done.stdout
    assert json.loads(done.stdout.decode(encoding)) == {"앞": ["①🙂", "\x1b\x9b\u202e\udc80"]}
