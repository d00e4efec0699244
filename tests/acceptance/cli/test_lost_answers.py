"""A command line whose answer is lost, or that ends early, makes nothing twice and says what it knows."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.programs.cli import submission
from hub.programs.cli.main import app
from tests.support.fault_proxy import GOOD, Conditions, FaultProxy, Loop
from tests.support.paths import ROOT
from tests.support.site import Site
from tests.support.waiting import until

SILENT = Conditions(down_silent=True)
REFUSED = Conditions(refuse=True)


@pytest.fixture(scope="module")
def line(site: Site) -> Iterator[FaultProxy]:
    loop = Loop()
    proxy = FaultProxy(loop, site.hub_ports["one"])
    yield proxy
    proxy.close()
    loop.close()


@pytest.fixture(autouse=True)
def _line_is_well(line: FaultProxy) -> Iterator[None]:
    yield
    line.set(GOOD)


@pytest.fixture
def client(site: Site) -> str:
    """One that is offline, so that its commands do not end."""
    return str(site.client()["id"])


def made(site: Site, client_id: str) -> list[str]:
    """The commands of a client."""
    items = site.http.get("/api/commands", params={"client_id": client_id}).json()["items"]
    return [item["id"] for item in items]


def environment(site: Site, line: FaultProxy, **more: str) -> dict[str, str]:
    return {"FLOORHUB_URL": f"http://127.0.0.1:{line.port}", "FLOORHUB_KEY": site.key, "LANG": "C", **more}


def run(site: Site, line: FaultProxy, *arguments: str, **more: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environment(site, line, **more))


def meanwhile(do: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=do)
    thread.start()
    return thread


def test_a_lost_answer_is_asked_for_again_and_nothing_is_made_twice(
    site: Site, line: FaultProxy, client: str, tmp_path: Path
) -> None:
    file = tmp_path / "list.json"  # a list asks the hub for nothing before it is sent
    file.write_text(json.dumps([{"client_id": client, "action": "status"}]))
    line.set(SILENT)

    def lose() -> None:
        until(lambda: made(site, client), "the command is stored")
        line.cut(reset=True)
        line.set(GOOD)

    thread = meanwhile(lose)
    done = run(site, line, "batch", "send-list", str(file))
    thread.join()

    assert done.exit_code == 0, done.output
    assert len(made(site, client)) == 1


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_hub_that_goes_away_leaves_the_id(
    site: Site, line: FaultProxy, client: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "LOST_S", 0.2)

    def go() -> None:
        until(lambda: made(site, client), "the command is stored")
        line.set(REFUSED)
        line.cut(reset=True)

    thread = meanwhile(go)
    done = run(site, line, "send", client, "status", "--wait", "60", "-o", form)
    thread.join()

    (command,) = made(site, client)
    assert done.exit_code == 4, done.output
    if form == "table":
        assert done.stderr.splitlines()[-1] == f"The command is stored as {command}: `floorhub command show {command}`"
    else:
        assert json.loads(done.stdout)["command_id"] == command


def test_an_answer_that_stays_away_leaves_the_key(
    site: Site, line: FaultProxy, client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{"client_id": client, "action": "status"}]))
    monkeypatch.setattr(submission, "LOST_S", 0.2)
    line.set(SILENT)

    def lose() -> None:
        until(lambda: made(site, client), "the command is stored")
        line.cut(reset=True)

    thread = meanwhile(lose)
    done = run(site, line, "batch", "send-list", str(file), LANG="ko_KR.UTF-8")
    thread.join()

    (command,) = made(site, client)
    assert done.exit_code == 4, done.output
    last = done.stderr.splitlines()[-1]
    assert last.startswith("배치가 접수되었을 수 있습니다.")
    key = re.search(r"--key ([0-9a-f-]{36})`", last)
    assert key is not None
    line.set(GOOD)
    again = run(site, line, "batch", "send-list", str(file), "--key", key[1], "--json")
    assert again.exit_code == 0, again.output
    assert made(site, client) == [command]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whoever_stops_the_wait_is_told_the_id(
    site: Site, line: FaultProxy, client: str, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "print", "--test-page", "--client", client, "--printer", "office"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment(site, line)},
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        (command,) = until(lambda: made(site, client), "the command is stored")
        # It looks at what it has stored: the answer has come.
        until(lambda: line.taken and looked_at(site, command), "the program waits")
        program.send_signal(number)
        _, said = program.communicate(timeout=20)

    assert program.returncode == code
    assert said.splitlines()[-1] == f"The command is stored as {command}: `floorhub command show {command}`"


def looked_at(site: Site, command: str) -> bool:
    """Whether the hub's log has a GET of the command."""
    return f'"path":"/api/commands/{command}"' in (site.folder.logs / "hub-one.log").read_text().replace('": "', '":"')


def test_a_repeat_of_a_file_with_its_key_is_the_same_command(
    site: Site, line: FaultProxy, client: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    options = ["--client", client, "--printer", "office", "--wait", "0", "--json"]
    first, second = (run(site, line, "print", str(file), *options, "--key", f"{client}-1") for _ in range(2))
    assert json.loads(first.stdout)["id"] == json.loads(second.stdout)["id"]
    pages = [run(site, line, "print", "--test-page", *options, "--key", f"{client}-2") for _ in range(2)]
    assert len({json.loads(page.stdout)["id"] for page in pages}) == 1

    file.write_text("two")
    other = run(site, line, "print", str(file), *options[:-1], "--key", f"{client}-1")
    assert other.exit_code == 5
    assert other.stderr.splitlines()[-1].endswith(f"`floorhub command show {json.loads(first.stdout)['id']}`")
    assert len(made(site, client)) == 2
