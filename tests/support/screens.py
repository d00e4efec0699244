"""Browsers that are clients: how they become one, and what they and the hub show of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Visitor
from tests.support.edge import EdgeSite
from tests.support.site import Site

EN, KO = "en-US", "ko-KR"
PHONE = {"width": 390, "height": 844}
TAP = {EN: "Connect this browser now", KO: "이 브라우저 연결하기"}
ONLINE = {EN: "Connected", KO: "연결됨"}


class Screen(Visitor):
    """A browser that is, or becomes, a client. What it says of cut connections is what its page is made for."""

    def __exit__(self, *raised: Any) -> None:
        cut = re.compile(r"WebSocket|ERR_(CONNECTION|CERT|FAILED)|Failed to load resource.*(409|404|403|502|503)")
        self.complaints = [each for each in self.complaints if not cut.search(each)]
        super().__exit__(*raised)


def made_by(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    new = {} if "replace" in fields else {"client_id": f"s-{uuid4().hex[:12]}", "kind": "screen"}
    answer = http.post("/api/pairings", json={**new, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def tap(page: Page, language: str = EN) -> None:
    page.get_by_role("button", name=TAP[language]).click()


@contextmanager
def screen(browser: Browser, edge: EdgeSite, made: dict[str, Any], language: str = EN) -> Iterator[Screen]:
    """A browser that has just become the client of a link, and is connected."""
    with Screen(browser, edge.url, locale=language, viewport=PHONE) as visitor:
        visitor.page.goto(made["link"])
        tap(visitor.page, language)
        expect(visitor.page.get_by_text(ONLINE[language], exact=True)).to_be_visible()
        yield visitor


def shows(site: Site, client_id: str, page: Page) -> str:
    """The client carries out a command, once, and the page shows it: its text."""
    site.wait_online(client_id)
    text = f"Order {uuid4().hex[:6]}"
    done = site.send(client_id, "display", {"message": text}, wait=20)
    assert (done["status"], done["attempt"]) == ("completed", 1), done
    expect(page.get_by_text(text, exact=True)).to_be_visible()
    return text


def seen(site: Site, client_id: str) -> dict[str, Any]:
    """How the hub sees the client."""
    found: dict[str, Any] = site.http.get(f"/api/clients/{client_id}").json()
    return found
