"""Two machines and a cable: the hub is `floorhub up --listen`, as `make run LAN=1` starts it, in one network namespace;
the machine with its own CUPS, as Debian configures it, is in another one. They share nothing else."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.printer import EmbeddedPrinter
from tests.support.cups import Cups
from tests.support.namespaces import Namespace
from tests.support.paths import ROOT
from tests.support.waiting import until

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what `make run LAN=1` listens on
HUB, MACHINE = "10.99.0.1", "10.99.0.2"
HUB_V6, MACHINE_V6 = "fd99::1", "fd99::2"
LATER = "10.99.0.77"
"""Where the hub is later, in the same network."""
HTTPS, MQTTS = 8443, 8883
PROGRAMS = Path(sys.executable).parent
ENGLISH, KOREAN = "C.UTF-8", "ko_KR.UTF-8"


@dataclass
class Program:
    """A program on one of the machines."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def require_alive(self) -> None:
        assert self.process.poll() is None, self.said()[-3000:]


@contextmanager
def running(at: Namespace, log: Path, argv: list[str], environment: dict[str, str], cwd: Path) -> Iterator[Program]:
    """A program of ours, stopped at the end."""
    with log.open("ab") as stream:
        process = subprocess.Popen(at.argv(*argv), env=environment, stdout=stream, stderr=stream, cwd=cwd)
    try:
        yield Program(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


@dataclass
class TwoMachines:
    """Both machines."""

    hub: Namespace
    machine: Namespace
    data: Path
    """The hub's data folder."""
    folder: DataFolder
    """Of the machine's CUPS and printer."""
    cups: Cups
    printer: EmbeddedPrinter

    @contextmanager
    def up(self, listen: str, **more: str) -> Iterator[Program]:
        """The hub."""
        environment = {"PATH": os.environ["PATH"], "FLOORHUB_DATA_DIR": str(self.data), "LANG": ENGLISH, **more}
        environment |= {name: os.environ[name] for name in ("FLOORHUB_PACKAGES", "HOME") if name in os.environ}
        argv = [str(PROGRAMS / "floorhub"), "up", "--listen", listen]
        with running(self.hub, self.data.parent / f"up-{listen}.log", argv, environment, ROOT) as program:

            def is_up() -> bool:
                program.require_alive()
                return "Stop with Ctrl-C" in program.said() and "Trust:" in program.said()

            until(is_up, program.said)
            yield program

    def floorhub(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command at the hub."""
        return self.run(self.hub, ROOT, [str(PROGRAMS / "floorhub"), *words], {"FLOORHUB_DATA_DIR": str(self.data)})

    def administrator(self) -> dict[str, str]:
        """What the administrator sends."""
        return {"Authorization": f"Bearer {(self.data / 'admin.key').read_text().strip()}"}

    def code(self, client_id: str, *words: str) -> dict[str, Any]:
        """A code, as a person makes one."""
        made = self.floorhub("pair", client_id, "--kind", "printer_pc", "--no-wait", "-o", "json", *words)
        assert made.returncode == 0, made.stdout + made.stderr
        found: dict[str, Any] = json.loads(made.stdout)
        return found

    def pair(self, folder: Path, *words: str, lang: str = ENGLISH, **environment: str) -> tuple[int, str]:
        """`floorhub-agent pair` on the machine, without a person: exit code and everything that it said."""
        argv = [str(PROGRAMS / "floorhub-agent"), "pair", *words]
        done = self.run(self.machine, folder, argv, {"LANG": lang, **environment})
        return done.returncode, done.stdout + done.stderr

    def refused(self, folder: Path, words: tuple[str, ...], english: str, korean: str, **environment: str) -> None:
        """Pairing ends with a sentence in both languages, and leaves the machine what it was."""
        for lang, sentence in ((ENGLISH, english), (KOREAN, korean)):
            code, said = self.pair(folder, *words, "--no-printers", lang=lang, **environment)
            assert (code, sentence in said) == (1, True), said
        assert not (folder / "agent.toml").exists()

    @contextmanager
    def agent(self, folder: Path) -> Iterator[Program]:
        """The agent of the machine, connected."""
        argv = [str(PROGRAMS / "floorhub-agent"), "run", "--config", str(folder / "agent.toml")]
        log = folder / "agent.log"
        with running(self.machine, log, argv, {"PATH": os.environ["PATH"], "LANG": ENGLISH}, folder) as program:

            def is_welcome() -> bool:
                program.require_alive()
                return "welcomed" in program.said()

            until(is_welcome, program.said)
            yield program

    def reaches(self, host: str, port: int) -> bool:
        """Whether the machine can open a TCP connection to the hub."""
        with self.machine.entered(), socket.socket() as probe:
            probe.settimeout(5)
            return probe.connect_ex((host, port)) == 0

    @staticmethod
    def run(at: Namespace, cwd: Path, argv: list[str], more: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        """A program on one of the machines."""
        environment = {"PATH": os.environ["PATH"], "LANG": ENGLISH, **more}
        return subprocess.run(
            at.argv(*argv),
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
