"""A browser of the second machine becomes a client over the network, and stays one.

What else makes no client, and what such a browser survives besides: `tests/acceptance/browsers`.
"""

import json
import ssl
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Error, Page, expect

from hub.programs import web_build
from schemas.fingerprints import fingerprint_of_pem
from schemas.pairing import read_link
from tests.support.browser import PATIENCE_MS, chromium, trust, unpacked
from tests.support.namespaces import add_address, remove_address
from tests.support.screens import EN, ONLINE, PHONE, Screen, tap
from tests.support.second_machine import HTTPS, HUB, LATER, Program, TwoMachines
from tests.support.waiting import until

expect.set_options(timeout=PATIENCE_MS)
URL = f"https://{HUB}:{HTTPS}"


def _link(testbed: TwoMachines, *words: str) -> dict[str, Any]:
    made = testbed.floorhub("pair", *words, "--kind", "screen", "--no-wait", "-o", "json")
    assert made.returncode == 0, made.stdout + made.stderr
    found: dict[str, Any] = json.loads(made.stdout)
    return found


def _shows(testbed: TwoMachines, client_id: str, page: Page) -> None:
    """The client is there, carries out a command, once, and the page shows it."""
    text = f"Order {uuid4().hex[:6]}"
    payload = json.dumps({"message": text})
    sent = testbed.floorhub("send", client_id, "display", "--payload", payload, "--wait", "30", "-o", "json")
    assert sent.returncode == 0, sent.stdout + sent.stderr
    done = json.loads(sent.stdout)
    assert (done["status"], done["attempt"]) == ("completed", 1), done
    expect(page.get_by_text(text, exact=True)).to_be_visible()


def test_a_browser_joins_by_one_tap_and_outlives_what_is_restarted(testbed: TwoMachines, tmp_path: Path) -> None:
    pages = {"FLOORHUB_PAGES_FOLDER": str(web_build.build())}
    unpacked()  # fetched now: the machines reach no network
    home, stranger_s = tmp_path / "home", tmp_path / "stranger"
    home.mkdir()
    stranger_s.mkdir()
    with testbed.up(HUB, **pages) as up:
        made = _link(testbed, "lobby-1")
        with testbed.machine.entered():
            # Before the trust step the browser opens nothing.
            with chromium(stranger_s) as browser, pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
                browser.new_page().goto(made["link"])
            # As `/trust` says it: take the certificate, and compare its fingerprint with the link's.
            with httpx.Client(base_url=URL, verify=_nothing()) as stranger:
                authority = stranger.get("/trust/authority.pem").raise_for_status().text
        assert fingerprint_of_pem(authority) == read_link(made["link"]).fingerprint
        file = tmp_path / "authority.pem"
        file.write_text(authority)
        trust(home, file)
        with (
            testbed.machine.entered(),
            chromium(home) as browser,
            Screen(browser, URL, locale=EN, viewport=PHONE) as visitor,
        ):
            page, sockets = visitor.page, list[str]()
            page.on("websocket", lambda socket: sockets.append(socket.url))
            page.goto(made["link"])
            tap(page)
            expect(page.get_by_text(ONLINE[EN], exact=True)).to_be_visible()
            _shows(testbed, "lobby-1", page)
            page.reload()
            _shows(testbed, "lobby-1", page)

            _renewed(testbed, up)
            page.reload()
            _shows(testbed, "lobby-1", page)

            up.process.terminate()
            assert up.process.wait(60) == 0, up.said()[-3000:]
            expect(page.get_by_text("Disconnected", exact=True)).to_be_visible()
            with testbed.up(HUB, **pages):  # hub, broker and edge
                expect(page.get_by_text(ONLINE[EN], exact=True)).to_be_visible(timeout=60_000)
                _shows(testbed, "lobby-1", page)
            assert {*sockets} == {f"wss://{HUB}:{HTTPS}/mqtt"}


def _renewed(testbed: TwoMachines, up: Program) -> None:
    """The hub gets another certificate: for one more address."""
    add_address(testbed.hub, f"{LATER}/24")
    try:
        until(lambda: "has a new certificate" in up.said(), up.said)
    finally:
        remove_address(testbed.hub, f"{LATER}/24")


def _nothing() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
