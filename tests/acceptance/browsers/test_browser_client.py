"""A browser becomes a client by one tap, and nothing else makes it one. That it stays one: `lasting.py`."""

import re
from typing import Any

import httpx
import psycopg
from playwright.sync_api import Browser, Route, expect

from tests.support import people
from tests.support.browser import PATIENCE_MS
from tests.support.edge import EdgeSite
from tests.support.screens import EN, KO, ONLINE, PHONE, TAP, Screen, made_by, screen, seen, shows, tap
from tests.support.site import Site
from tests.support.waiting import until

REVOKED_S = 5.0
expect.set_options(timeout=PATIENCE_MS)


def test_one_tap_makes_a_browser_a_client(site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client) -> None:
    made = made_by(http, name="안내 데스크", zone="hall-1")
    number = f"{made['link_number'][:3]} {made['link_number'][3:]}"
    with Screen(browser, edge.url, locale=KO, viewport=PHONE) as visitor:
        page, sockets, asked = visitor.page, list[str](), list[str]()
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.on("request", lambda request: asked.append(f"{request.url.partition('#')[0]}"))
        page.goto(made["link"])
        for text in (made["client_id"], "안내 데스크", "hall-1", edge.url, number):
            expect(page.get_by_text(text, exact=True)).to_be_visible()
        tap(page, KO)
        expect(page.get_by_text(ONLINE[KO], exact=True)).to_be_visible()
        expect(page.get_by_role("heading", name="안내 데스크", level=1)).to_be_visible()
        expect(page.get_by_text("hall-1", exact=True)).to_be_visible()

        client = seen(site, made["client_id"])
        assert (client["presence"], client["kind"], sorted(client["state"]["capabilities"])) == (
            "online",
            "screen",
            ["display", "restart_agent", "status"],
        )
        assert {*sockets} == {f"wss://localhost:{edge.port}/mqtt"}, "through the edge's own port"
        assert [each for each in asked if made["token"] in each] == []
        assert made["token"] not in page.url
        page.go_back()
        assert made["token"] not in page.url, "the link is not in the history"
        page.goto("/screen")
        shows(site, made["client_id"], page)
        assert page.evaluate(_EXTRACTED) == "InvalidAccessError"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

        refused = site.send(made["client_id"], "print", {"document": site.upload()["id"]}, wait=20)
        assert (refused["status"], refused["error"]["code"]) == ("failed", "unsupported_action")
        expect(page.get_by_text("print · 실패")).to_be_visible()
        page.reload()
        expect(page.get_by_text(ONLINE[KO], exact=True)).to_be_visible()
        expect(page.get_by_text("print · 실패")).to_be_visible()
        refused = site.send(made["client_id"], "display", {"url": "https://elsewhere.example"}, wait=20)
        assert (refused["status"], refused["error"]["code"]) == ("failed", "payload_invalid")
        status = site.send(made["client_id"], "status", {}, wait=20)
        assert status["result"]["data"]["visible"] is True
    until(lambda: seen(site, made["client_id"])["presence"] == "offline", "the tab is closed")


_EXTRACTED = """() => new Promise((resolve) => {
  const open = indexedDB.open('floorhub-client');
  open.onsuccess = () => {
    open.result.transaction('identity').objectStore('identity').get('self').onsuccess = ({ target }) =>
      crypto.subtle.exportKey('pkcs8', target.result.key.privateKey)
        .then(() => resolve('got it'), (no) => resolve(no.name));
  };
})"""


def test_one_tab_is_the_client(site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client) -> None:
    made = made_by(http)
    with screen(browser, edge, made) as visitor:
        second = visitor.tab()
        second.goto("/screen")
        expect(second.get_by_role("alert")).to_contain_text("already connected in another tab")
        text = shows(site, made["client_id"], visitor.page)
        visitor.page.close()
        expect(second.get_by_text(ONLINE[EN], exact=True)).to_be_visible()
        expect(second.get_by_text(text, exact=True)).to_be_visible()
        shows(site, made["client_id"], second)


def test_who_is_disabled_or_replaced_is_told_so(
    site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client
) -> None:
    made = made_by(http, name="Desk", zone="hall-2")
    client_id = made["client_id"]
    with screen(browser, edge, made, KO) as visitor:
        page = visitor.page
        sockets: list[str] = []
        site.http.post(f"/api/clients/{client_id}/disable").raise_for_status()
        expect(page.get_by_text("거부됨", exact=True)).to_be_visible(timeout=REVOKED_S * 1000)
        page.on("websocket", lambda socket: sockets.append(socket.url))
        expect(page.get_by_role("alert")).to_contain_text("관리자에게")
        expect(page.get_by_text(f"floorhub client enable {client_id}", exact=True)).to_be_visible()
        expect(page.get_by_text(f"floorhub pair {client_id} --replace", exact=True)).to_be_visible()
        site.http.post(f"/api/clients/{client_id}/enable").raise_for_status()
        page.get_by_role("button", name="지금 다시 연결").click()
        expect(page.get_by_text(ONLINE[KO], exact=True)).to_be_visible()
        expect(page.get_by_text("연결된 시각", exact=True)).to_be_visible()
        assert len(sockets) <= 2, "it does not hammer"

        again = made_by(http, client_id=client_id, replace=True)
        with screen(browser, edge, again) as other:
            expect(page.get_by_text("거부됨", exact=True)).to_be_visible(timeout=REVOKED_S * 1000)
            expect(other.page.get_by_role("heading", name="Desk", level=1)).to_be_visible()
            expect(other.page.get_by_text("hall-2", exact=True)).to_be_visible()
            shows(site, client_id, other.page)


def test_an_answer_that_is_lost_is_asked_for_again(
    site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client
) -> None:
    made = made_by(http)
    with Screen(browser, edge.url, locale=EN) as visitor:
        page = visitor.page

        def lose(route: Route) -> None:
            body, origin = route.request.post_data, route.request.headers["origin"]
            done = httpx.post(
                f"{edge.url}/api/pair", content=body, verify=edge.trust, headers=_SENT | {"Origin": origin}
            )
            assert done.status_code == 200, done.text  # the hub has done it
            route.abort()

        page.route("**/api/pair", lose, times=1)
        page.goto(made["link"])
        tap(page)
        expect(page.get_by_role("alert")).to_contain_text("The hub does not answer")
        assert seen(site, made["client_id"])["presence"] == "offline"
        tap(page)  # with the same key
        expect(page.get_by_text(ONLINE[EN], exact=True)).to_be_visible()
        shows(site, made["client_id"], page)


def known_to_broker(site: Site, client_id: str) -> bool:
    """Whether the broker has an account of this name."""
    return f'"{client_id}"' in (site.folder.broker / "dynsec.json").read_text()


def test_whatever_is_no_tap_connects_nothing(
    site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client, database: psycopg.Connection[Any]
) -> None:
    made, viewer = made_by(http), people.add(site, role="viewer")
    old = made_by(http)
    database.execute("UPDATE pairings SET expires_at = now() - interval '1 s' WHERE id = %s", (old["id"],))
    api = f"{edge.url}/api/pair?screenId={made['client_id'].upper()}&token={made['token']}"
    with Screen(browser, edge.url, locale=EN) as visitor:
        page = visitor.page
        # A preview, a prefetch, a picture, a form, and a script of a page that is not ours.
        for agent in ("facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0"):
            assert http.get(api, headers={"User-Agent": agent}, follow_redirects=True).status_code == 200
        assert http.get(made["link"], headers={"Sec-Purpose": "prefetch"}).status_code == 200
        page.route(
            "https://evil.example/**", lambda route: route.fulfill(content_type="text/html", body=_FOREIGN % api)
        )
        page.goto("https://evil.example/")
        page.wait_for_function("done")
        assert page.evaluate("done.filter((each) => each !== 'refused')") == []
        for origin in ("https://evil.example", "null"):
            posted = http.post("/api/pair", headers={"Origin": origin}, json=_CLAIM | {"token": made["token"]})
            assert (posted.status_code, posted.json()["code"]) == (403, "origin_refused")
        visitor.complaints.clear()  # of the page that is not ours

        # Opened, and never tapped.
        changes: list[str] = []
        page.on("websocket", lambda socket: changes.append(socket.url))
        page.on("request", lambda request: changes.append(request.url) if request.url.endswith("/api/pair") else None)
        for _ in range(2):
            page.goto(api)
            expect(page.get_by_role("button", name=TAP[EN])).to_be_visible()
            page.wait_for_load_state("networkidle")
            page.reload()
        assert changes == []

        # A link that is expired, or of nobody, or of another hub.
        for link, said in (
            (old["link"], "expired"),
            (made["link"].replace(made["token"], "fhp_nonsense"), "knows no such code"),
            (re.sub("fp=[A-Z2-7]+", f"fp={'A' * 26}", made["link"]), "Do not connect a machine with this link"),
        ):
            page.goto("/login")
            page.goto(link)
            expect(page.get_by_role("alert").first).to_contain_text(said)
            expect(page.get_by_role("button", name=TAP[EN])).to_have_count(0)

        # A person who may look, and not connect.
        page.goto("/login")
        page.get_by_label("Sign-in name", exact=True).fill(viewer["login"])
        page.get_by_label("Password", exact=True).fill(people.PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Hello")).to_be_visible()
        page.goto(made["link"])
        tap(page)
        expect(page.get_by_role("alert")).to_contain_text("needs `pair`. Ask an administrator for this permission")
        expect(page.get_by_text("Ask the person who made the link")).to_be_visible()

        for each in (made, old):
            used = database.execute("SELECT used_at, public_key FROM pairings WHERE id = %s", (each["id"],)).fetchone()
            assert used == (None, None)
            found = database.execute("SELECT count(*) FROM clients WHERE id = %s", (each["client_id"],)).fetchone()
            assert found == (0,)
            assert not known_to_broker(site, each["client_id"])

        # Signed out, the same browser is what the link is for.
        page.context.clear_cookies()
        page.goto(made["link"])
        tap(page)
        expect(page.get_by_text(ONLINE[EN], exact=True)).to_be_visible()
        assert known_to_broker(site, made["client_id"])

        # Used: this browser knows by whom, and everybody else is told so.
        page.goto(made["link"])
        expect(page.get_by_text(f"already connected as {made['client_id']}")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        page.get_by_role("button", name="Open its page", exact=True).click()
        expect(page.get_by_text(ONLINE[EN], exact=True)).to_be_visible()
        with Screen(browser, edge.url, locale=EN) as stranger:
            stranger.page.goto(made["link"])
            expect(stranger.page.get_by_role("alert")).to_contain_text("used by another machine")
            expect(stranger.page.get_by_role("button", name=TAP[EN])).to_have_count(0)


_SENT = {"Content-Type": "application/json"}
_CLAIM = {
    "public_key": "A" * 43,
    "at": "2026-11-30T08:00:00Z",
    "proof": "A" * 86,
    "agent": {"name": "x", "version": "1"},
}
_FOREIGN = """<!doctype html><script>
  var done = undefined;
  const url = '%s';
  const refused = (work) => work.then(() => 'done', () => 'refused');
  const picture = () =>
    new Promise((onload, onerror) => Object.assign(new Image(), { onload, onerror, src: url }));
  const post = (type) => fetch(url.split('?')[0], {
    method: 'POST',
    credentials: 'include',
    headers: { 'Content-Type': type },
    body: JSON.stringify({ token: url.split('token=')[1] }),
  });
  document.head.append(Object.assign(document.createElement('link'), { rel: 'prefetch', href: url }));
  Promise.all([refused(picture()), refused(post('application/json')), refused(post('text/plain'))])
    .then((all) => { done = all; });
</script>"""
