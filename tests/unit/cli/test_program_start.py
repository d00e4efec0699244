"""The start of `floorhub`, before any of its commands runs."""

import signal
import subprocess
import sys

import pytest
from typer.main import get_command

from hub.programs.cli.app import Change
from hub.programs.cli.main import app
from hub.programs.cli.reference import commands
from tests.support.paths import ROOT

PROGRAM = """
import os, signal
import typer.main
from hub import __main__

build = typer.main.get_group

def interrupted(app):
    os.kill(os.getpid(), signal.SIGINT)
    return build(app)

typer.main.get_group = interrupted
__main__.main()
"""


def test_ctrl_c_while_the_program_starts_shows_no_stack() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("language", "words"),
    [("C", "lacks the hub's packages (there is no typer): install them"), ("ko_KR.UTF-8", "설치하십시오")],
)
def test_an_installation_for_agents_is_told_what_to_install(language: str, words: str) -> None:
    program = "import sys; sys.modules['typer'] = None; from hub.__main__ import main; main()"
    environment = {"LANG": language, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30, env=environment
    )
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "pip install '.[hub]'" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", ["-h", "client list -h", "--version", "help client", "completion bash"])
def test_an_answer_that_cannot_be_written_is_a_failure_of_every_question(arguments: str) -> None:
    line = f"{sys.executable} -m hub {arguments} >/dev/full"
    ended = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False, timeout=30, cwd=ROOT)
    assert ended.returncode == 1
    assert "Standard output does not take everything: No space left on device." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_only_what_changes_a_hub_ends_as_the_change_did() -> None:
    changing = {words for words, command in commands(get_command(app)) if isinstance(command, Change)}
    assert changing == {
        *("up", "serve", "edge", "migrate", "restore", "cleanup", "conformance", "simulate"),
        *("broker render", "key rotate", "key adopt", "user recover"),
    }
