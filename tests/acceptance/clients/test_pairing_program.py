"""From an empty folder to a printed page: `floorhub-agent pair`, and what it says when it must not connect."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from device_agent.config import load
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.printer import HOSTS
from schemas.fingerprints import fingerprint_of_pem
from tests.support import plain_http
from tests.support.cli import run
from tests.support.cups import PAGE_LOG, Cups
from tests.support.fault_proxy import Loop
from tests.support.folders import open_data_folder
from tests.support.pairing import NO_CUPS, code_for, pair
from tests.support.paths import ROOT
from tests.support.site import Site
from tests.support.tls_front import Authority, TlsFront, authority
from tests.support.waiting import until


@dataclass(frozen=True)
class Network:
    """A hub and a broker that machines reach over TLS only, with an authority of their own."""

    authority: Authority
    front: TlsFront
    http: httpx.Client

    def code(self, client_id: str, **fields: Any) -> dict[str, Any]:
        answer = self.http.post("/api/pairings", json={"client_id": client_id, **fields})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest.fixture(scope="module")
def network(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    assert site.stack.broker is not None
    trusted = authority(tmp_path_factory.mktemp("authority"))
    with ExitStack() as stack:
        lines = stack.enter_context(closing(Loop()))
        hub, broker = (
            stack.enter_context(closing(TlsFront(lines, port, trusted.chain)))
            for port in (site.new_port("tls"), site.stack.broker.options.mqtt_port)
        )
        settings = {
            "FLOORHUB_PUBLIC_URL": f"https://127.0.0.1:{hub.port}",
            "FLOORHUB_PUBLIC_MQTT_URL": f"mqtts://127.0.0.1:{broker.port}",
            "FLOORHUB_CA_FILE": str(trusted.file),
        }
        stack.enter_context(site.another_hub("tls", **settings))
        yield Network(trusted, hub, stack.enter_context(site.http_at("tls")))


def test_from_a_code_to_a_printed_page(site: Site, tmp_path: Path) -> None:
    made = code_for(site, "paired-1", kind="printer_pc", zone="hall-1", name="Front desk")
    printer = str(site.stack.printer_url)

    done = pair(tmp_path, site.url, made["code"].lower().replace("-", ""), "--printer", printer, "--server", NO_CUPS)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "This machine is paired-1 now" in done.stdout
    assert "The test page is printed" in done.stdout
    assert [effect["job_name"] for effect in site.effects() if effect["job_name"] == "floorhub-test-page"]
    settings = load(tmp_path / "agent.toml")
    assert (settings.client_id, settings.mqtt_url) == ("paired-1", str(site.stack.mqtt_url))
    for name in ("agent.toml", "agent.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600

    process = site.start_agent("paired-1", tmp_path / "agent.toml")
    site.wait_online("paired-1", process)
    document = site.upload()["id"]
    (name,) = [printer["name"] for printer in tomllib.loads((tmp_path / "agent.toml").read_text())["printers"]]
    command = site.send("paired-1", "print", {"printer": name, "document": document}, wait=30)
    assert command["status"] == "completed"
    until(lambda: site.effects(command["id"]), "its page")
    client = site.http.get("/api/clients/paired-1").json()
    assert (client["kind"], client["zone"], client["name"]) == ("printer_pc", "hall-1", "Front desk")
    assert site.http.get(f"/api/pairings/{made['id']}").json()["status"] == "used"

    again = pair(tmp_path, site.url, code_for(site, "paired-1", replace=True)["code"], "--no-printers")
    assert again.returncode == 1
    assert "give --replace to connect it anew" in again.stderr


@pytest.fixture
def cups(site: Site) -> Iterator[Cups]:
    """Debian's CUPS with one queue, in front of the virtual printer."""
    with ExitStack() as undo:
        # In a folder of its own: the site is shared, and has the queues and the log of tests before.
        folder = undo.enter_context(open_data_folder("cups"))
        cups = Cups(folder, PortBook(folder.ports).choose("cups", 0, HOSTS).number, PAGE_LOG)
        undo.callback(cups.stop)
        cups.start()
        cups.add_queue("Front_Desk", str(site.stack.printer_url))
        yield cups


def test_over_tls_a_link_is_enough_and_a_lost_answer_costs_nothing(
    site: Site, network: Network, cups: Cups, tmp_path: Path
) -> None:
    made = network.code("paired-2")
    assert f"fp={fingerprint_of_pem(network.authority.pem)}" in made["link"]
    network.front.lose = b"POST /api/pair "

    done = pair(tmp_path, made["link"], "--yes", "--printer", "label=Front_Desk", "--server", cups.uri)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The test page is printed on label" in done.stdout
    assert [line.queue for line in cups.page_log()] == ["Front_Desk"]
    assert network.front.lose == b"", "an answer was lost"
    settings = load(tmp_path / "agent.toml")
    assert settings.ca_file == network.authority.pem
    assert settings.hub_urls == [f"https://127.0.0.1:{network.front.port}"]
    process = site.start_agent("paired-2", tmp_path / "agent.toml")
    site.wait_online("paired-2", process)
    page = {"printer": "label", "document": site.upload()["id"]}
    assert site.send("paired-2", "print", page, wait=30)["status"] == "completed"
    assert len(cups.page_log()) == 2


def test_a_hub_that_is_another_one_learns_nothing(network: Network, tmp_path: Path) -> None:
    made = network.code("paired-3")
    theirs = made["link"].replace(made["fingerprint"], made["fingerprint"][::-1])
    done = pair(tmp_path, theirs, "--no-printers")
    assert done.returncode == 1
    assert "shows another certificate authority" in done.stderr

    elsewhere = pair(tmp_path, made["link"].replace("127.0.0.1", "localhost"), "--no-printers")
    assert elsewhere.returncode == 1
    assert "not for this address" in elsewhere.stderr

    cut = pair(tmp_path, made["link"].partition("&fp=")[0], "--no-printers")
    assert cut.returncode == 1
    assert "Nothing says that this is the right hub" in cut.stderr

    now = network.http.get(f"/api/pairings/{made['id']}").json()
    assert (now["status"], now["tries"]) == ("open", 0)
    assert not (tmp_path / "agent.toml").exists()


def test_a_typed_code_waits_for_a_person_who_compares_numbers(site: Site, network: Network, tmp_path: Path) -> None:
    made = network.code("paired-4")
    argv = [sys.executable, "-u", "-m", "device_agent", "pair", made["hub_url"], made["code"], "--no-printers"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    with subprocess.Popen(
        argv, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as machine:
        try:
            path = f"/api/pairings/{made['id']}"
            number = until(lambda: network.http.get(path).json()["number"], "a number")
            assert machine.stdout is not None
            assert machine.stdout.readline() == f"Number of this machine: {number[:3]} {number[3:]}\n"
            wrong = run(site, "pairing", "confirm", made["id"], f"{(int(number) + 1) % 1_000_000:06d}")
            assert (wrong.exit_code, "not the number" in wrong.output) == (5, True), wrong.output
            assert run(site, "pairing", "confirm", made["id"], f"{number[:3]} {number[3:]}").exit_code == 0
            assert machine.wait(60) == 0
        finally:
            machine.kill()
    assert load(tmp_path / "agent.toml").client_id == "paired-4"


def test_a_code_for_a_client_that_exists_speaks_of_its_kind(site: Site) -> None:
    for kind, in_browsers in (("printer_pc", False), ("screen", True)):
        client_id = f"replaced-{kind.replace('_', '-')}"
        site.client(id=client_id, kind=kind)
        taken = run(site, "pair", client_id)
        assert (taken.exit_code, "`floorhub pair` with `--replace`" in taken.output) == (5, True), taken.output
        made = run(site, "pair", client_id, "--replace", "--no-wait")
        assert (made.exit_code, "floorhub-agent pair" in made.output) == (0, True), made.output
        assert ("its page shows the number" in made.output) is in_browsers, made.output


def test_codes_that_are_good_no_more_are_told_with_what_to_do(site: Site, tmp_path: Path) -> None:
    used, revoked = code_for(site, "paired-5"), code_for(site, "paired-6")
    site.http.delete(f"/api/pairings/{revoked['id']}").raise_for_status()
    (tmp_path / "first").mkdir()
    assert pair(tmp_path / "first", site.url, used["code"], "--no-printers").returncode == 0

    for code, said in (
        (used["code"], "The code was used by another machine"),
        (revoked["code"], "The code was revoked"),
        ("0000-0000", "The hub knows no such code"),
        ("wrong", "This is no code: it has eight letters and digits"),
    ):
        done = pair(tmp_path, site.url, code, "--no-printers")
        assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    korean = pair(tmp_path, site.url, used["code"], "--no-printers", environment={"LANG": "ko_KR.UTF-8"})
    assert "다른 기기가 이미 사용한 코드입니다" in korean.stderr
    assert not (tmp_path / "agent.toml").exists()


def test_a_name_of_a_printer_that_is_wrong_does_not_cost_the_code(site: Site, tmp_path: Path) -> None:
    made = code_for(site, "paired-7")
    done = pair(tmp_path, site.url, made["code"], "--printer", "office", "--server", NO_CUPS)
    assert done.returncode == 1
    assert "--printer office: there is no such queue" in done.stderr
    done = pair(tmp_path, site.url, made["code"], "--printer", "La bel=ipp://localhost/ipp/print", "--server", NO_CUPS)
    assert (done.returncode, "La bel is no name for a printer" in done.stderr) == (1, True), done.stderr
    twice = ("--printer", "label=ipp://localhost/ipp/print", "--printer", "label=ipp://localhost/ipp/other")
    done = pair(tmp_path, site.url, made["code"], *twice, "--server", NO_CUPS)
    assert (done.returncode, "another printer is called label already" in done.stderr) == (1, True), done.stderr
    assert site.http.get(f"/api/pairings/{made['id']}").json()["status"] == "open"


def test_without_tls_nothing_is_sent_to_another_machine(tmp_path: Path) -> None:
    done = pair(tmp_path, "http://192.0.2.1:8080", "7KQ4-M2XD", "--no-printers")
    assert done.returncode == 1
    assert "192.0.2.1:8080 has no TLS" in done.stderr


@pytest.mark.parametrize(("days", "said"), [(1, "1 day behind the hub's"), (-1, "1 day ahead of the hub's")])
def test_a_clock_that_is_off_by_a_day_is_told_before_anything_is_sent(days: int, said: str, tmp_path: Path) -> None:
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            now = f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
            body = f'{{"root_key": "{"A" * 43}", "ca": null, "time": "{now}"}}'.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
        Thread(target=hub.serve_forever, daemon=True).start()
        done = pair(tmp_path, f"http://127.0.0.1:{hub.server_port}", "7KQ4-M2XD", "--no-printers")
        hub.shutdown()
    assert done.returncode == 1
    assert said in done.stderr
    assert "timedatectl set-ntp true" in done.stderr
    assert asked == ["/api/pair/hub"]


def test_a_configuration_that_is_there_keeps_its_printers_and_actions(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        'client_id = "old-1"\nhub_url = ["http://127.0.0.1:1",\n  "http://127.0.0.1:2"]\nmqtt_url = "mqtt://127.0.0.1"\n'
        f'root_key = "{"A" * 43}"\nsecret = "s"\nmax_unfinished = 7  # ours\n'
        f'\n[[printers]]\nname = "labels"\nuri = "folder:{tmp_path}"  # kept\n\n[actions.open-door]\nargv = ["true"]\n'
    )
    file.chmod(0o600)
    made = code_for(site, "paired-8")
    done = pair(tmp_path, site.url, made["code"], "--replace", "--no-printers", "--no-test-page")
    assert done.returncode == 0, done.stdout + done.stderr
    settings = load(file)
    assert (settings.client_id, settings.max_unfinished) == ("paired-8", 7)
    assert [printer.name for printer in settings.printers] == ["labels"]
    assert list(settings.actions) == ["open-door"]
    assert "# kept" in file.read_text()
    (aside,) = tmp_path.glob("agent.toml.replaced-*")
    assert 'client_id = "old-1"' in aside.read_text()
    assert aside.stat().st_mode & 0o777 == 0o600


def test_many_machines_are_connected_by_a_file(site: Site, network: Network, tmp_path: Path) -> None:
    file = tmp_path / "enrol.toml"
    site_of_network = str(network.http.base_url).rstrip("/")
    words = ["enrolment", "add", "PCs", "--naming", "many-{n}", "--count", "2", "--file", str(file)]
    environment = {"FLOORHUB_URL": site_of_network, "FLOORHUB_KEY": site.key, "PATH": os.environ["PATH"]}
    environment |= {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "HOME": "/nonexistent"}
    made = subprocess.run(
        [sys.executable, "-m", "hub", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert made.returncode == 0, made.stderr
    assert "fhe_" not in made.stdout
    assert file.stat().st_mode & 0o777 == 0o600

    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = pair(folder, "--enrol", str(file), "--server", NO_CUPS)
        assert done.returncode == 0, done.stdout + done.stderr
        assert load(folder / "agent.toml").client_id == f"many-{number}"
    third = pair(tmp_path, "--enrol", str(file), "--no-printers")
    assert (third.returncode, "has connected all 2 machines" in third.stderr) == (1, True), third.stderr


def test_the_key_of_a_machine_is_its_own(site: Site, tmp_path: Path) -> None:
    made = code_for(site, "paired-9")
    assert pair(tmp_path, site.url, made["code"], "--no-printers").returncode == 0
    again = pair(tmp_path, site.url, made["code"], "--no-printers", "--config", "other.toml")
    assert (again.returncode, f"{tmp_path / 'agent.toml'} is no longer valid" in again.stdout) == (0, True), (
        again.stdout
    )
    (tmp_path / "agent.key").chmod(0o644)
    done = pair(tmp_path, site.url, made["code"], "--no-printers", "--replace")
    assert (done.returncode, "it is this machine's key no more" in done.stderr) == (1, True), done.stderr
    asked = plain_http.get(f"{site.url}/api/pair/hub").json()
    assert set(asked) == {"root_key", "ca", "fingerprint", "hub_url", "mqtt_url", "time"}
