"""`floorhub print`: from a file on disk to paper, and what it says when it cannot."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from device_agent.ipp.client import IppClient
from device_agent.ipp.message import Group, Range
from hub.programs.cli import testpage
from tests.support.paths import ROOT
from tests.support.site import Site

DEADLINE_S = 60


def floorhub(site: Site, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a person elsewhere would, with `more` in the environment."""
    environment = {"FLOORHUB_URL": site.url, "FLOORHUB_KEY": site.key, "FLOORHUB_DATA": "/nonexistent"}
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", **environment, **more},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.fixture(scope="module")
def client_id(site: Site) -> str:
    client = site.client()
    site.agent(client)
    return str(client["id"])


def test_a_file_is_printed_as_asked(site: Site, client_id: str, tmp_path: Path) -> None:
    file = tmp_path / "송장 7.pdf"
    file.write_bytes(b"%PDF-1.4\n" + os.urandom(3000))

    options = ["--copies", "3", "--sides", "two-sided-short-edge", "--reference", "order-7", "--json"]
    done = floorhub(site, "print", str(file), "--client", client_id, "--printer", "office", *options)

    assert done.returncode == 0, done.stderr
    command = json.loads(done.stdout)
    assert (command["status"], command["reference"]) == ("completed", "order-7")
    assert [hop["event"] for hop in command["timeline"]][-1] == "completed"
    (effect,) = site.effects(command["id"])
    assert (effect["copies"], effect["sides"]) == (3, "two-sided-short-edge")
    assert effect["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert effect["job_name"].endswith("송장 7.pdf")
    assert effect["content_type"] == "application/pdf"


def test_each_option_reaches_the_printer_and_what_it_lacks_is_named(site: Site, client_id: str, tmp_path: Path) -> None:
    file = tmp_path / "order.pdf"
    file.write_bytes(testpage.page(["options"]))
    where = ("--client", client_id, "--printer", "office", "--json")
    first = ("--pages", "2-3,5", "--copies", "2", "--no-collate", "--media", "a4", "--tray", "manual", "--fit")
    second = ("--color", "monochrome", "--orientation", "landscape", "--quality", "high", "--n-up", "2")

    done = floorhub(site, "print", str(file), *first, *second, *where)

    assert done.returncode == 0, done.stderr
    command = json.loads(done.stdout)
    asked = {"pages": "2-3,5", "copies": 2, "collate": False, "media": "a4", "media_source": "manual"}
    asked |= {"color": "monochrome", "orientation": "landscape", "quality": "high", "number_up": 2}
    assert {name: command["payload"][name] for name in asked} == asked
    assert command["result"]["data"]["ignored"] == ["number_up", "scaling"]
    names = ["page-ranges", "multiple-document-handling", "media-col", "print-color-mode", "print-quality"]
    kept = asyncio.run(at_the_printer(site, command["result"]["data"]["job_id"], names))
    assert {item.name for item in kept.attributes} == set(names)
    assert [value.data for value in kept.values("page-ranges")] == [Range(2, 3), Range(5, 5)]

    shown = floorhub(site, "show", command["id"], LANG="C.UTF-8")
    assert "Asked for and not done: n-up, scaling" in shown.stdout.splitlines()[-1]
    exact = floorhub(site, "print", str(file), "--n-up", "2", "--fidelity", "exact", *where)
    assert json.loads(exact.stdout)["error"]["code"] == "options_unsupported"
    wrong = floorhub(site, "print", str(file), "--pages", "5,1-3", *where[:-1])
    assert wrong.returncode != 0
    assert "payload.pages" in wrong.stderr
    assert "1-3,5,8-" in wrong.stderr


async def at_the_printer(site: Site, job_id: int, names: list[str]) -> Group:
    """What the printer keeps of a job."""
    async with IppClient(str(site.stack.printer_url)) as client:
        return await client.get_job(job_id, names)


def test_a_test_page_finds_the_only_printer(site: Site, client_id: str) -> None:
    before = len(site.effects())

    done = floorhub(site, "print", "--test-page")

    assert done.returncode == 0, done.stderr
    assert f"print on {client_id}" in done.stdout
    assert len(site.effects()) == before + 1


def test_what_the_printer_did_not_do_is_said(site: Site, client_id: str, tmp_path: Path) -> None:
    file = tmp_path / "page"
    file.write_bytes(testpage.page(["in colours"]))
    payload = {"printer": "office", "color": "color"}

    def send(*more: str, lang: str, **fields: str) -> subprocess.CompletedProcess[str]:
        arguments = ("--file", str(file), "--payload", json.dumps({**payload, **fields}), *more)
        return floorhub(site, "send", client_id, "print", *arguments, LANG=lang)

    english, korean = send(lang="C.UTF-8"), send(lang="ko_KR.UTF-8")
    for done, said in ((english, "Asked for and not done: color"), (korean, "요청했지만 적용되지 않음: 색상")):
        assert done.returncode == 0, done.stderr
        assert said in done.stdout.splitlines()[-1]
    exact = send("--json", lang="C.UTF-8", fidelity="exact")
    assert (exact.returncode, json.loads(exact.stdout)["error"]["code"]) == (1, "options_unsupported")
    assert "color: the printer does not list color" in json.loads(exact.stdout)["error"]["message"]


def test_fidelity_is_an_option(site: Site, client_id: str) -> None:
    done = floorhub(
        site, "print", "--test-page", "--client", client_id, "--printer", "office", "--fidelity", "exact", "--json"
    )
    assert done.returncode == 0, done.stderr
    command = json.loads(done.stdout)
    assert (command["status"], command["payload"]["fidelity"]) == ("completed", "exact")


def test_a_text_that_is_called_a_pdf_is_refused(site: Site, client_id: str, tmp_path: Path) -> None:
    file = tmp_path / "order.pdf"
    file.write_bytes(b"hello not a pdf")
    effects = len(site.effects())
    done = floorhub(site, "print", str(file), "--client", client_id, "--printer", "office")
    assert done.returncode == 5
    assert "content_type_mismatch" in done.stderr
    assert len(site.effects()) == effects


@pytest.mark.parametrize(("name", "options"), [("LICENSE", []), ("order.txt", ["--content-type", "application/pdf"])])
def test_a_text_file_is_printed_as_text(
    site: Site, client_id: str, tmp_path: Path, name: str, options: list[str]
) -> None:
    file = tmp_path / name
    file.write_text("Order 1001\n")
    where = ["--client", client_id, "--printer", "office"]
    done = floorhub(site, "print", str(file), *where, *options, "--json")
    assert done.returncode == 0, done.stderr
    (effect,) = site.effects(json.loads(done.stdout)["id"])
    assert effect["content_type"] == "text/plain"
    assert ("it is sent as text/plain" in done.stderr) is bool(options)


def test_it_need_not_wait(site: Site, client_id: str) -> None:
    done = floorhub(site, "print", "--test-page", "--client", client_id, "--printer", "office", "--wait", "0", "--json")

    assert done.returncode == 0, done.stderr
    assert site.wait_status(json.loads(done.stdout)["id"], "completed")


def test_a_page_that_does_not_come_out_is_no_success(site: Site, client_id: str) -> None:
    done = floorhub(site, "print", "--test-page", "--client", client_id, "--printer", "attic")

    assert done.returncode == 1
    assert "printer_unknown" in done.stdout


def test_several_printers_are_listed_to_choose_from(site: Site, client_id: str) -> None:
    second = site.client()
    agent = site.agent(second)
    try:
        done = floorhub(site, "print", "--test-page")
    finally:
        agent.stop()
    assert done.returncode == 2
    assert f"--client {client_id} --printer office" in done.stderr
    assert f"--client {second['id']} --printer office" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["some.pdf", "--test-page"], ["/nonexistent.pdf"]])
def test_what_cannot_be_meant_is_said(site: Site, client_id: str, arguments: list[str]) -> None:
    done = floorhub(site, "print", *arguments)

    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
