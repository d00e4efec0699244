"""Tab in real shells: commands, options, words of the API, and ids of the hub."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.programs.cli.main import app
from hub.programs.embedded.packages import Packages, library_folders
from tests.support.paths import ROOT
from tests.support.site import Site

DEADLINE_S = 60
PROMPT = "READY> "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r|\x07|\x08")


class Terminal:
    """A shell with a keyboard and a screen."""

    def __init__(self, argv: list[str], environment: dict[str, str], folder: Path) -> None:
        self._process, self._screen = pty.fork()
        if self._process == 0:
            os.chdir(folder)
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - no shell: it is the shell
        self._seen = ""

    def type(self, keys: str) -> None:
        """Press keys."""
        self._seen = ""
        os.write(self._screen, keys.encode())

    def until(self, words: str) -> str:
        """What the screen shows since the last keys, once it has these words."""
        end = time.monotonic() + DEADLINE_S
        while words not in self._seen:
            left = end - time.monotonic()
            assert left > 0, f"{words!r} did not come: {self._seen!r}"
            if select.select([self._screen], [], [], left)[0]:
                self._seen += ESCAPES.sub("", os.read(self._screen, 65_536).decode("utf-8", "replace"))
        return self._seen

    def line(self, command: str) -> str:
        """Run a line; what it shows, until the prompt is there again."""
        self.type(f"{command}\n")
        return self.until(PROMPT)

    def close(self) -> None:
        """End the shell."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._screen)


@contextmanager
def shell(name: str, site: Site, folder: Path) -> Iterator[Terminal]:
    """A shell that knows `floorhub` and its completion."""
    program = folder / "floorhub"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from hub.__main__ import main; main()" "$@"\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "FLOORHUB_URL": site.url,
        "FLOORHUB_KEY": site.key,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PS1": PROMPT,
        "HOME": str(folder),
    }
    if name == "bash":
        argv, first = ["bash", "--norc", "--noprofile", "-i"], "bind 'set bell-style none'"
    else:
        zsh = Packages().program("zsh", "zsh")
        argv = [str(zsh.path), "-f", "-i"]
        modules = next((folder for one in library_folders(zsh.root) for folder in one.glob("zsh/*")), None)
        functions = next(iter((zsh.root / "usr/share/zsh").glob("functions")), None)
        first = "unsetopt prompt_cr prompt_sp beep zle_bracketed_paste 2>/dev/null; "
        if modules is not None and zsh.root != Path("/"):
            first += f"module_path=({modules}); fpath=({functions} {functions}/**/*(/N)); "
        first += "autoload -Uz compinit; compinit -u -D"
    terminal = Terminal(argv, environment, folder)
    try:
        terminal.until(PROMPT)
        terminal.line(first)
        terminal.line(f"source <(floorhub completion {name})")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_tab_completes(name: str, site: Site, tmp_path: Path) -> None:
    client = site.client(id=f"completed-{name}")["id"]
    with shell(name, site, tmp_path) as terminal:
        for typed, shown in (
            ("floorhub comple\t", "completion"),
            ("floorhub dead-letter rep\t", "replay"),
            ("floorhub command list --no-h\t", "--no-headers"),
            ("floorhub command list --status compl\t", "completed"),
            (f"floorhub client show completed-{name[0]}\t", client),
            ("floorhub client list -o ya\t", "yaml"),
        ):
            terminal.type(typed)
            terminal.until(shown)
            terminal.type("\x15")  # an empty line again
        terminal.type(f"floorhub client show completed-{name[0]}\t --json\n")
        assert f'"id": "{client}"' in terminal.until('"zone"')


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(name: str) -> None:
    done = CliRunner().invoke(app, ["completion", name], prog_name="python -m hub")
    assert done.exit_code == 0
    assert "_FLOORHUB_COMPLETE=complete_" in done.stdout
    assert " floorhub" in done.stdout
    done = CliRunner().invoke(app, ["client"], env={"LANG": "C"}, prog_name="floorhub")
    assert (done.exit_code, done.stderr.startswith("Usage: floorhub client")) == (2, True)  # nothing is left behind


def test_a_hub_that_is_away_offers_nothing() -> None:
    environment = {"FLOORHUB_URL": "http://127.0.0.1:9", "FLOORHUB_KEY": "k", "_FLOORHUB_COMPLETE": "complete_bash"}
    environment |= {"COMP_WORDS": "floorhub client show ", "COMP_CWORD": "3"}
    done = CliRunner().invoke(app, [], env=environment, prog_name="floorhub")
    assert (done.exit_code, done.output.strip()) == (0, "")
