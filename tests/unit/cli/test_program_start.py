"""The start of `floorhub`, before any of its commands runs."""

import signal
import subprocess
import sys

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
