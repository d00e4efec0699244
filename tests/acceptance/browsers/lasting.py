"""A browser that is a client stays one, whatever is restarted, renewed, cleared or stopped: `make acceptance
PART=browsers`."""

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import PATIENCE_MS
from tests.support.edge import EdgeSite
from tests.support.screens import EN, ONLINE, made_by, screen, seen, shows, tap
from tests.support.site import Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("restarts the broker and the hubs, and clears the browser's storage")
expect.set_options(timeout=PATIENCE_MS)


def test_it_survives_reloads_and_restarts(site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client) -> None:
    made = made_by(http)
    client_id = made["client_id"]
    with screen(browser, edge, made) as visitor:
        page = visitor.page
        shown = site.send(client_id, "display", {"message": "stays"}, wait=20)
        page.reload()
        expect(page.get_by_text("stays", exact=True)).to_be_visible()
        shows(site, client_id, page)

        restarted = site.send(client_id, "restart_agent", {"delay_s": 0}, wait=20)
        assert restarted["status"] == "completed", restarted
        shows(site, client_id, page)

        broker = site.stack.broker
        assert broker is not None
        broker.stop()
        expect(page.get_by_text("Disconnected", exact=True)).to_be_visible()
        broker.start()
        shows(site, client_id, page)

        for hub in (edge.hub, site.hub):
            hub.kill()
            hub.start()
        edge.wait_ready()
        site.wait_ready()
        shows(site, client_id, page)

        edge.authority.write(edge.certificate, edge.key)
        edge.reload()
        shows(site, client_id, page)
        edge.process.stop()
        edge.process.start()
        edge.wait_ready()
        shows(site, client_id, page)
        page.reload()  # under the new certificate
        shows(site, client_id, page)
        assert site.command(shown["id"])["attempt"] == 1


def test_a_cleared_storage_is_told_and_paired_again(
    site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client
) -> None:
    made = made_by(http, name="Desk")
    client_id = made["client_id"]
    with screen(browser, edge, made) as visitor:
        page = visitor.page
        session = page.context.new_cdp_session(page)
        session.send("Storage.clearDataForOrigin", {"origin": edge.url, "storageTypes": "all"})
        expect(page.get_by_text("Storage cleared", exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text(f"floorhub pair {client_id} --replace")
        page.goto(made_by(http, client_id=client_id, replace=True)["link"])
        tap(page)
        expect(page.get_by_role("heading", name="Desk", level=1)).to_be_visible()
        shows(site, client_id, page)


def test_a_browser_that_becomes_another_client_is_no_longer_the_first(
    site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client
) -> None:
    first, second = made_by(http), made_by(http)
    with screen(browser, edge, first) as visitor:
        page, tab = visitor.page, visitor.tab()
        text = shows(site, first["client_id"], page)
        tab.goto(second["link"])
        expect(tab.get_by_text(f"This browser is {first['client_id']} now.")).to_be_visible()
        tap(tab)
        until(lambda: seen(site, first["client_id"])["presence"] == "offline", "the first one has gone")
        expect(page.get_by_role("heading", name=second["client_id"], level=1)).to_be_visible()
        expect(page.get_by_text(text, exact=True)).to_have_count(0)
        shows(site, second["client_id"], page)


def test_a_page_that_the_browser_stops_is_asleep(
    site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client
) -> None:
    made = made_by(http)
    with screen(browser, edge, made) as visitor:
        page = visitor.page
        # As the browser says it; one without a window freezes no page.
        page.evaluate("document.dispatchEvent(new Event('freeze'))")
        until(lambda: seen(site, made["client_id"])["presence_reason"] == "asleep", "it says so")
        waiting = site.send(made["client_id"], "status", {})
        page.evaluate("document.dispatchEvent(new Event('resume'))")
        site.wait_online(made["client_id"])
        assert site.wait_status(waiting["id"], "completed")["attempt"] == 1


_ONCE = """() => {
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function fail() {
    IDBDatabase.prototype.transaction = transaction;
    throw new DOMException('full', 'QuotaExceededError');
  };
  const Socket = WebSocket;
  self.opened = 0;
  self.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      self.opened += 1;
    }
  };
}"""


def test_a_store_that_fails_once_costs_no_command_and_leaves_one_connection(
    site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client
) -> None:
    made = made_by(http)
    with screen(browser, edge, made) as visitor:
        page = visitor.page
        page.workers[0].evaluate(_ONCE)
        sent = site.send(made["client_id"], "status", {})
        expect(page.get_by_text("Cannot store", exact=True)).to_be_visible()
        expect(page.get_by_text(ONLINE[EN], exact=True)).to_be_visible()
        assert site.wait_status(sent["id"], "completed")["attempt"] == 1
        shows(site, made["client_id"], page)
        assert page.workers[0].evaluate("self.opened") == 1, "the one before does not take the broker from it"


def test_a_worker_that_could_not_be_loaded_is_started_again(
    site: Site, edge: EdgeSite, browser: Browser, http: httpx.Client
) -> None:
    made = made_by(http)
    with screen(browser, edge, made) as visitor:
        page = visitor.page
        page.route("**/assets/worker*", lambda route: route.abort(), times=1)
        page.reload()
        expect(page.get_by_text("Restarting", exact=True)).to_be_visible()
        expect(page.get_by_text(ONLINE[EN], exact=True)).to_be_visible()
        shows(site, made["client_id"], page)
