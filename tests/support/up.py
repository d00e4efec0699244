"""`floorhub up --listen` at a second address of this machine, and commands at its hub."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from hub.programs.embedded.data_folder import DataFolder
from tests.support.folders import open_folder
from tests.support.paths import ROOT
from tests.support.postgres import copy_cluster
from tests.support.site import Process
from tests.support.waiting import until


@dataclass(frozen=True)
class Up:
    """What runs, and its data folder."""

    process: Process
    data: Path
    http: httpx.Client
    """As its administrator, on this machine."""

    def floorhub(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command at the hub."""
        return subprocess.run(
            [sys.executable, "-m", "hub", *arguments],
            env={"PATH": os.environ["PATH"], "FLOORHUB_DATA_DIR": str(self.data), "LANG": "C.UTF-8", **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )


@contextmanager
def listening(cluster: DataFolder, name: str, here: str, environment: Mapping[str, str]) -> Iterator[Up]:
    """It runs, for as long as the block lasts, with a copy of an empty database, which is faster than to make one."""
    with open_folder(name, in_memory=True) as data:
        copy_cluster(cluster, DataFolder.prepare(data))
        packages = {name: value for name, value in os.environ.items() if name in ("FLOORHUB_PACKAGES", "HOME")}
        argv = [sys.executable, "-m", "hub", "up", "--listen", here]
        own = {**packages, "FLOORHUB_DATA_DIR": str(data), "LANG": "C.UTF-8", **environment}
        process = Process("floorhub up", argv, own, data.parent / f"{data.name}.log").start()

        def is_up() -> bool:
            assert process.process.poll() is None, process.log.read_text()
            return "Stop with Ctrl-C" in process.log.read_text() and "Trust:" in process.log.read_text()

        try:
            until(is_up, process.tail)
            url = json.loads((data / "hub.json").read_text())["url"]
            headers = {"Authorization": f"Bearer {(data / 'admin.key').read_text().strip()}"}
            with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as http:
                yield Up(process, data, http)
        finally:
            process.stop()
            process.log.unlink()
