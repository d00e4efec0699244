"""A process behind strace, which makes some of its system calls end it, or fail."""

import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.site import Process
from tests.support.strace import strace

_PEER = re.compile(r"->[^\]]*:(\d+)\]")
_FILE = re.compile(r"\((\d+)<([^>]*)>")


class Traced(Process):
    """A process behind strace, which kills it before its `when`-th call of `calls`."""

    def trace(self, calls: str, when: int, notes: Path) -> None:
        """From the next start on; `when` 0: without strace."""
        self._notes = notes
        notes.unlink(missing_ok=True)
        words = ("-f", "-yy", "-o", str(notes), "-e", f"trace={calls}", "-e")
        self._prefix = strace(*words, f"inject={calls}:signal=KILL:when={when}") if when else []

    def fail(self, calls: str, error: str, when: str, files: list[Path], notes: Path) -> None:
        """From the next start on these calls about these files fail: `when` is the number of the first, `7+` also all
        that follow. Counted for each thread."""
        self._notes = notes
        paths = [word for file in files for word in ("-P", str(file))]
        words = ("-f", "--seccomp-bpf", "-qq", "-o", str(notes), *paths, "-e", f"trace={calls}", "-e")
        self._prefix = strace(*words, f"inject={calls}:error={error}:when={when}")

    def leave_alone(self) -> None:
        """From the next start on without strace."""
        self._prefix = []

    _prefix: list[str]
    _notes: Path

    def start(self) -> "Traced":
        assert self._process is None or self._process.poll() is not None
        argv = [*self._prefix, *self._argv]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, env=self._env, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )
        return self

    @property
    def dead(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        if self._process is not None:
            self.kill()
        return 0

    def calls(self) -> int:
        """How many of the traced calls the busiest thread has made."""
        threads: dict[str, int] = {}
        for line in self._lines():
            thread, _, call = line.partition(" ")
            if "(" in call and not call.lstrip().startswith(("<", "+", "-")):
                threads[thread] = threads.get(thread, 0) + 1
        return max(threads.values(), default=0)

    def place(self) -> str:
        """What the call was about that was not made any more."""
        calls = [line for line in self._lines() if line.rstrip().endswith(("= ?", "<unfinished ...>"))]
        if not calls:
            return ""
        peer, file = _PEER.search(calls[-1]), _FILE.search(calls[-1])
        if peer is not None:
            return f"port {peer[1]}"
        return "" if file is None else "its own loop" if file[2].startswith("UNIX") else Path(file[2]).name

    def _lines(self) -> list[str]:
        return self._notes.read_text(errors="replace").splitlines() if self._notes.exists() else []
