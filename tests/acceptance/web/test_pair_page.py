"""The page that the link of a pairing opens: what it says, and that it changes nothing."""

import re
import shlex
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from schemas.fingerprints import fingerprint_of_pem, grouped
from schemas.pairing import BY_TOKEN, read_link
from tests.support import people, plain_http
from tests.support.browser import PATIENCE_MS, Visitor
from tests.support.certificates import CERTIFICATE
from tests.support.pairing import Machine
from tests.support.site import Site

KO, EN = "ko-KR", "en-US"
PHONE = {"width": 390, "height": 844}
HOSTILE = '<img src=x onerror="document.title=1">'
FINGERPRINT = fingerprint_of_pem(CERTIFICATE)
WORDS = {
    KO: {
        "title": "기기 연결",
        "kind": "프린터 PC",
        "copy": "명령 복사",
        "copied": "복사했습니다.",
        "not here": "이 브라우저를 연결하지도 않습니다.",
        "used": "다른 기기가 이미 사용한 코드입니다.",
        "revoked": "취소된 코드입니다.",
        "expired": "코드의 유효 기간이",
        "unknown": "허브에 없는 코드입니다.",
    },
    EN: {
        "title": "Connect a machine",
        "kind": "Printer PC",
        "copy": "Copy the command",
        "copied": "Copied.",
        "not here": "it does not connect this browser.",
        "used": "The code was used by another machine",
        "revoked": "The code was revoked",
        "expired": "The code expired at",
        "unknown": "The hub knows no such code",
    },
}
COMMAND = "floorhub-agent pair '"
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(autouse=True)
def _no_throttle_of_before(database: psycopg.Connection[Any]) -> Iterator[None]:
    yield
    database.execute("DELETE FROM sign_in_failures")


@pytest.fixture
def http(site: Site, url: str) -> Iterator[httpx.Client]:
    """The administrator at the hub of the pages, whose links lead there."""
    assert url == site.hub_url("pages")
    with site.http_at("pages") as client:
        yield client


def made_by(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = http.post("/api/pairings", json={"client_id": f"m-{uuid4().hex[:12]}", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def ended(http: httpx.Client, database: psycopg.Connection[Any], how: str, site: Site) -> str:
    """The link of a code that is good no more."""
    made = made_by(http)
    if how == "used":
        Machine(site).claim(made["token"], by=BY_TOKEN).raise_for_status()
    elif how == "revoked":
        http.delete(f"/api/pairings/{made['id']}").raise_for_status()
    elif how == "expired":
        database.execute("UPDATE pairings SET expires_at = now() - interval '1 s' WHERE id = %s", (made["id"],))
    else:
        return str(made["link"]).replace(made["token"], "fhp_nonsense")
    return str(made["link"])


def command(page: Page) -> Any:
    return page.locator("code").filter(has_text=COMMAND)


def broken(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate("axe.run()")["violations"]  # type: ignore[index]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


@pytest.mark.parametrize(("language", "theme"), [(KO, "light"), (EN, "dark")])
def test_a_link_shows_its_machine_and_changes_nothing(
    http: httpx.Client, url: str, browser: Browser, axe: str, language: str, theme: str
) -> None:
    words = WORDS[language]
    http.post("/api/groups", json={"id": (group := f"g-{uuid4().hex[:8]}")}).raise_for_status()
    made = made_by(http, name=HOSTILE, kind="printer_pc", zone='hall "1" & <b>', groups=[group])
    with Visitor(browser, url, locale=language, color_scheme=theme, viewport=PHONE) as visitor:
        page, asked = visitor.page, list[str]()
        page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(made["link"])

        expect(page.get_by_role("heading", name=words["title"], level=1)).to_be_visible()
        for text in (made["client_id"], HOSTILE, words["kind"], 'hall "1" & <b>', group, url, grouped(FINGERPRINT)):
            expect(page.get_by_text(text, exact=True)).to_be_visible()
        expect(page.get_by_text(words["not here"])).to_be_visible()
        assert page.locator("time").get_attribute("datetime") == made["expires_at"]
        assert page.locator("img[src=x]").count() == 0

        page.get_by_role("button", name=words["copy"]).click()
        expect(page.get_by_text(words["copied"]).first).to_be_visible()
        program, verb, link = shlex.split(page.evaluate("navigator.clipboard.readText()"))
        assert (program, verb, link) == ("floorhub-agent", "pair", made["link"])
        assert read_link(link).fingerprint == FINGERPRINT

        assert page.title() == f"{words['title']} - Floorhub"
        assert [each for each in asked if made["token"] in each] == [], "no server sees it in an address"
        assert page.evaluate("history.length") == 2  # the empty tab, and the page
        assert (
            page.evaluate("JSON.stringify([history.state, {...localStorage}, {...sessionStorage}])").count("fhp_") == 0
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert broken(page, axe) == []

        page.reload()
        expect(command(page)).to_be_visible()
    after = http.get(f"/api/pairings/{made['id']}").json()
    assert (after["status"], after["tries"], after["address"]) == ("open", 0, None)


class Forgiven(list[str]):
    """Complaints without what Chromium says of 404 and 409, which this page is made for."""

    def append(self, complaint: str) -> None:
        if not re.search(r"status of (404|409)\b", complaint):
            super().append(complaint)


@pytest.mark.parametrize("language", [KO, EN])
def test_a_link_that_is_good_no_more_says_why(
    site: Site, http: httpx.Client, database: psycopg.Connection[Any], url: str, browser: Browser, language: str
) -> None:
    with Visitor(browser, url, locale=language) as visitor:
        visitor.complaints = Forgiven()
        for how in ("used", "revoked", "expired", "unknown"):
            visitor.page.goto(ended(http, database, how, site))
            expect(visitor.page.get_by_role("alert")).to_contain_text(WORDS[language][how])
            expect(command(visitor.page)).to_have_count(0)


NONSENSE = ("token=%3Cimg%20src%3Dx%3E", f"token={'x' * 101}", "code=%00%F0%9F%92%A3", "token=%", "code=%20&fp=%3Cb%3E")


def test_nonsense_is_refused_by_the_hub_and_never_markup(url: str, browser: Browser, axe: str) -> None:
    with Visitor(browser, url, locale=EN) as visitor:
        visitor.complaints = Forgiven()
        page = visitor.page
        for fragment in NONSENSE:
            page.goto("/login")
            page.goto(f"/pair?screenId=%3Cimg%20src%3Dx%3E#{fragment}")
            expect(page.get_by_role("alert")).to_be_visible()
            expect(command(page)).to_have_count(0)
            assert page.locator("img[src=x]").count() == 0
        assert broken(page, axe) == []


def test_a_code_is_typed_where_there_is_no_link(http: httpx.Client, url: str, browser: Browser) -> None:
    made = made_by(http)
    with Visitor(browser, url, locale=KO) as visitor:
        visitor.complaints = Forgiven()
        page = visitor.page
        page.goto("/pair")
        code, show = page.get_by_label("코드", exact=True), page.get_by_role("button", name="확인", exact=True)
        show.click()
        expect(code).to_have_accessible_description(re.compile("값을 입력하십시오."))
        code.fill("0000-0000")
        show.click()
        expect(page.get_by_role("alert")).to_contain_text(WORDS[KO]["unknown"])
        expect(code).to_have_value("0000-0000")

        code.fill(f" {made['code'].lower()} ")
        code.press("Enter")
        expect(page.get_by_text(made["client_id"], exact=True)).to_be_visible()
        # The fingerprint would come from whoever answers here: the machine compares numbers in its place.
        expect(page.get_by_text("여섯 자리 숫자")).to_be_visible()
        link = read_link(shlex.split(command(page).inner_text())[2])
        assert (link.hub_url, link.code, link.token, link.fingerprint) == (
            url,
            made["code"].replace("-", ""),
            None,
            None,
        )
        assert made["code"] not in page.url


def test_the_address_of_the_api_leads_to_the_page(http: httpx.Client, url: str, browser: Browser) -> None:
    made = made_by(http)
    secret = made["link"].partition("#")[2]
    with Visitor(browser, url, locale=EN) as visitor:
        page = visitor.page
        page.goto(f"/api/pair?screenId={made['client_id'].upper()}#{secret}")
        expect(page).to_have_url(made["link"])
        expect(command(page)).to_be_visible()

        # As in a browser without TLS, or one that forbids it.
        page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        page.get_by_role("button", name=WORDS[EN]["copy"]).click()
        expect(page.get_by_text("The line is selected").first).to_be_visible()
        assert page.evaluate("getSelection().toString()").strip() == command(page).inner_text()


def test_a_link_of_another_hub_or_machine_is_named(http: httpx.Client, url: str, browser: Browser) -> None:
    made = made_by(http)
    with Visitor(browser, url, locale=EN) as visitor:
        page = visitor.page
        page.goto(made["link"].replace(FINGERPRINT, FINGERPRINT[::-1]))
        expect(page.get_by_role("alert")).to_contain_text("Do not connect a machine with this link")
        expect(command(page)).to_have_count(0)

        # Another link in the same tab loads no page.
        page.goto(made["link"].replace(f"screenId={made['client_id']}", "screenId=front-desk"))
        expect(page.get_by_role("alert")).to_contain_text("The address names front-desk")
        assert read_link(shlex.split(command(page).inner_text())[2]) == read_link(made["link"])


def test_what_is_said_is_asked_again_when_the_code_expires(http: httpx.Client, url: str, browser: Browser) -> None:
    made = made_by(http)
    with Visitor(browser, url, locale=EN) as visitor:
        visitor.complaints = Forgiven()
        page = visitor.page
        page.clock.install()
        page.goto(made["link"])
        expect(command(page)).to_be_visible()
        http.delete(f"/api/pairings/{made['id']}").raise_for_status()
        page.clock.fast_forward("10:02")
        expect(page.get_by_role("alert")).to_contain_text(WORDS[EN]["revoked"])
        expect(command(page)).to_have_count(0)

        page.get_by_role("radio", name="한국어").check()
        expect(page.get_by_role("alert")).to_contain_text(WORDS[KO]["revoked"])


def test_too_many_wrong_codes_and_a_hub_that_is_away(http: httpx.Client, url: str, browser: Browser) -> None:
    made = made_by(http)
    while plain_http.request("POST", f"{url}/api/pair/look", json={"code": "0000-0000"}).status_code == 404:
        pass
    with Visitor(browser, url, locale=EN) as visitor:
        page = visitor.page
        page.goto(f"/pair#code={made['code']}")
        expect(page.get_by_role("alert")).to_contain_text(re.compile(r"You can try again at \d+:\d\d:\d\d"))

        page.route("**/api/pair/**", lambda route: route.abort())
        page.goto(made["link"])
        expect(page.get_by_role("alert")).to_contain_text("The hub does not answer")
        page.unroute("**/api/pair/**")
        page.get_by_role("button", name="Try again").click()
        expect(command(page)).to_be_visible()
        assert all("ERR_FAILED" in complaint for complaint in visitor.complaints), "it tells of the cut line only"
        visitor.complaints.clear()


def test_who_is_signed_in_sees_the_same(site: Site, http: httpx.Client, url: str, browser: Browser) -> None:
    person, made = people.add(site), made_by(http)
    with Visitor(browser, url, locale=EN) as visitor:
        page = visitor.page
        page.goto("/login")
        page.get_by_label("Sign-in name", exact=True).fill(person["login"])
        page.get_by_label("Password", exact=True).fill(people.PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Hello")).to_be_visible()
        page.goto(made["link"])
        expect(command(page)).to_be_visible()
