"""Reads a Dockerfile and carries out its install steps without a container engine.

Each stage gets a folder as its root and an empty Python environment as its Python. Absolute paths of the file lie below
that root. Steps that need root or Debian's packages are left to a real build.
"""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from hub.programs import web_build
from hub.programs.embedded.node import Node
from scripts import setup_environment
from tests.packaging.steps import INSTALL_S, run
from tests.support.paths import ROOT

#: What an install step may begin with; everything else is for a real build.
CARRIED_OUT = ("pip ", "python ", "npm ")


@dataclass(frozen=True)
class Step:
    """One instruction and its argument, on one line."""

    word: str
    argument: str


def read(file: Path) -> list[Step]:
    """The instructions of a Dockerfile, continued lines joined, comments left out."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    parts = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [Step(word.upper(), " ".join(argument.split())) for word, argument in parts]


@dataclass
class BuildStage:
    """A stage while it is carried out."""

    root: Path
    workdir: Path = field(init=False)

    def __post_init__(self) -> None:
        self.workdir = self.root
        run([sys.executable, "-m", "venv", "--without-pip", str(self.root / "python")])
        pip = self.root / "python" / "bin" / "pip"
        program = shlex.join([str(pip.with_name("python")), *setup_environment.pip_arguments()])
        pip.write_text(f'#!/bin/sh\nexec {program} "$@"\n')
        pip.chmod(0o755)
        node, modules = Node.find(), Node.find().modules(web_build.packages(), web_build.SOURCES)
        # Packages of the same lock, installed once for all tests; everything else is npm's own.
        npm = pip.with_name("npm")
        install, program = shlex.join(["ln", "-s", str(modules), "node_modules"]), shlex.join([node.node, node.npm])
        npm.write_text(f'#!/bin/sh\nif [ "$1" = ci ]; then exec {install}; fi\nexec {program} "$@"\n')
        npm.chmod(0o755)
        npm.with_name("node").symlink_to(node.node)

    @property
    def programs(self) -> Path:
        """Where `pip install` puts programs."""
        return self.root / "python" / "bin"

    def run(self, command: str) -> None:
        """One install step."""
        # The image keeps no cache; the machine that runs the tests had better.
        command = command.replace("--no-cache-dir ", "")
        environment = {**os.environ, "PATH": f"{self.programs}:{os.defpath}", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            ["sh", "-euc", command],
            cwd=self.workdir,
            env=environment,
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"

    def place(self, path: str) -> Path:
        """Where a path of the Dockerfile lies here."""
        return self.root / path.lstrip("/") if path.startswith("/") else self.workdir / path


def carry_out(file: Path, folder: Path) -> BuildStage:
    """Do the install steps of a Dockerfile in `folder`; its last stage."""
    stages: dict[str, BuildStage] = {}
    for step in read(file):
        match step.word:
            case "FROM":
                name = step.argument.rpartition(" AS ")[2] if " AS " in step.argument else "last"
                (folder / name).mkdir(parents=True)
                stages[name] = BuildStage(folder / name)
            case "WORKDIR":
                stage = list(stages.values())[-1]
                stage.workdir = stage.place(step.argument)
                stage.workdir.mkdir(parents=True)
            case "COPY":
                _copy(step.argument.split(), stages)
            case "RUN" if step.argument.startswith(CARRIED_OUT):
                list(stages.values())[-1].run(step.argument)
            case _:
                continue
    return stages["last"]


def _copy(arguments: list[str], stages: dict[str, BuildStage]) -> None:
    target = list(stages.values())[-1]
    source_of = ROOT.joinpath
    is_made = arguments[0].startswith("--from=")
    if is_made:
        source_of = stages[arguments.pop(0).removeprefix("--from=")].place
    *sources, goal = arguments
    for source in map(source_of, sources):
        if source.is_dir():  # a folder's content is copied, not the folder
            ignored = shutil.ignore_patterns("__pycache__", "node_modules", "dist")
            shutil.copytree(source, target.place(goal), dirs_exist_ok=True, ignore=None if is_made else ignored)
        else:
            target.place(goal).mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target.place(goal))
