"""Lists of clients to import, `floorhub client import` as a program, and whether the clients can connect afterwards."""

import asyncio
import csv
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hub.programs.cli import client_secrets
from hub.programs.cli.up import restart_if_asked
from schemas.topics import Channel, client_topic
from tests.support.paths import ROOT
from tests.support.site import Process, Site
from tests.support.thin_mqtt import ThinClient
from tests.support.waiting import until

AT_ONCE = 100
"""Connections that are opened at the same time."""


def write_list(file: Path, prefix: str, number: int) -> Path:
    """A list as Excel writes it, of clients `PREFIX-00000` and so on."""
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        rows = csv.writer(stream, delimiter=";")
        rows.writerow(["ID", "이름", "구역", "tags", "rate_limit"])
        rows.writerows([f"{prefix}-{n:05}", f"인쇄 PC {n}", "hall-1", "a,b", "100,000"] for n in range(number))
    return file


class Import:
    """One run of the program, beside the site's own work: this thread plays `floorhub up` while it waits."""

    def __init__(self, site: Site, list_: Path, *options: str) -> None:
        self._site = site
        self.said: list[str] = []
        self.log = list_.with_suffix(".log")
        arguments = [sys.executable, "-m", "hub", "client", "import", str(list_), *options]
        where = {"FLOORHUB_URL": site.url, "FLOORHUB_KEY": site.key, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                arguments, env={**os.environ, **where}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT
            )

    def _drive(self) -> None:
        """What `floorhub up` does from time to time."""
        restart_if_asked(self._site.stack, self.said.append)
        self._site.stack.tick()

    def when(self, look: Callable[[], object]) -> None:
        """Until something is so, while the program runs."""

        def reached() -> bool:
            self._drive()
            assert self.process.poll() is None or look(), self.log.read_text()
            return bool(look())

        until(reached, lambda: self.log.read_text())

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(10)

    def end(self, deadline_s: float = 90) -> int:
        """Its exit code, once it has ended."""

        def ended() -> bool:
            self._drive()
            return self.process.poll() is not None

        until(ended, lambda: self.log.read_text(), deadline_s)
        return self.process.returncode


def secrets_of(list_: Path) -> dict[str, str]:
    """The secrets of a list's clients, as the import wrote them."""
    return client_secrets.read(list_.with_name(f"{list_.stem}-secrets.csv"))


def refused(site: Site, secrets: Mapping[str, str]) -> dict[str, str]:
    """Those of these clients that the broker does not let in, with the reason."""
    assert site.stack.broker is not None
    return asyncio.run(_refused(site.stack.broker.options.mqtt_port, secrets))


async def _refused(port: int, secrets: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    room = asyncio.Semaphore(AT_ONCE)

    async def connect(client_id: str, secret: str) -> None:
        async with room:
            will = client_topic(client_id, Channel.PRESENCE), b"{}"
            try:
                client = await ThinClient.connect(port, client_id, secret, will, lambda *_: None)
                # It may hear what it is to do, too: the rules are there, not only the account.
                await client.subscribe(client_topic(client_id, Channel.COMMANDS))
                client.close()
            except OSError as problem:
                found[client_id] = str(problem)

    await asyncio.gather(*(connect(*one) for one in secrets.items()))
    return found


def may_restart(site: Site) -> Process:
    """Start the site's hub again as `floorhub up` starts it: it may have the broker restarted."""
    site.hub.stop()
    site.hub = site.add_hub("one", FLOORHUB_BROKER_RESTART_FILE=str(site.stack.restart_request))
    site.wait_ready()
    return site.hub
