"""A database from a backup, while the agents stay connected: their journals tell what came since."""

import os
import subprocess
from pathlib import Path

import pytest

from hub.programs.embedded import postgres_binaries
from hub.programs.embedded.packages import Packages
from tests.support.site import Process, Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("restores the database, and kills the hub")


class Backup:
    """A dump of a site's database."""

    def __init__(self, site: Site, file: Path) -> None:
        self._url = site.stack.database_url
        self._binaries = postgres_binaries.find(Packages(), None, 18)
        self._file = file

    def take(self) -> None:
        self._run("pg_dump", "--format=custom", f"--file={self._file}", self._url)

    def restore(self) -> None:
        """In place of what is there; no hub may run."""
        self._run("pg_restore", "--clean", "--if-exists", f"--dbname={self._url}", str(self._file))

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments], capture_output=True, check=False, text=True, env=os.environ
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def backup(site: Site, tmp_path: Path) -> Backup:
    return Backup(site, tmp_path / "floorhub.dump")


def connections(agent: Process) -> int:
    return agent.log.read_text().count('"connected"')


def test_what_ran_at_the_backup_is_asked_about_though_the_agent_stays_connected(
    site: Site, backup: Backup, tmp_path: Path
) -> None:
    """The agent told of all of it, and has the receipts, from a hub that has forgotten."""
    go, done, program = tmp_path / "go", tmp_path / "done", tmp_path / "wait_and_do"
    program.write_text(f'#!/bin/sh\nuntil [ -e {go} ]; do sleep 0.05; done\necho "$1" >> {done}\n')
    program.chmod(0o755)
    client = site.client()
    agent = site.agent(client, f'\n[actions.work]\nargv = ["{program}", "{{n}}"]\ntimeout_s = 3000\n')

    def work(n: int) -> str:
        command = site.send(client["id"], "work", {"args": {"n": str(n)}}, timeout_s=3_000)
        return str(command["id"])

    first, second = work(1), work(2)
    site.wait_status(first, "running")
    until(lambda: site.command(second)["accepted_at"], "the second is in the journal")
    backup.take()
    go.write_text("")
    for command_id in (first, second):
        site.wait_status(command_id, "completed")
    pid, connected = agent.process.pid, connections(agent)

    site.hub.kill()
    backup.restore()
    site.hub.start()
    site.wait_ready()

    for command_id in (first, second):
        assert site.wait_status(command_id, "completed", deadline_s=20)["result"]["data"]["exit_code"] == 0
    assert done.read_text().split() == ["1", "2"], "nothing happened twice"
    assert (agent.process.poll(), agent.process.pid, connections(agent)) == (None, pid, connected)
