"""The pages in a real browser: signing in, the first administrator, one's sessions and password, in both languages."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import people, plain_http
from tests.support.browser import PATIENCE_MS, Visitor
from tests.support.site import Site

pytestmark = pytest.mark.own_site("the first administrator is made once, and failed sign-ins are counted by address")

KO, EN = "ko-KR", "en-US"
PHONE = {"width": 390, "height": 844}
WORDS = {
    KO: {
        "login": "로그인 이름",
        "password": "비밀번호",
        "sign in": "로그인",
        "sessions": "로그인된 기기",
        "change": "비밀번호 변경",
        "there": "이 기기 로그아웃",
        "failed": "로그인하지 못했습니다.",
    },
    EN: {
        "login": "Sign-in name",
        "password": "Password",
        "sign in": "Sign in",
        "sessions": "My sessions",
        "change": "Change password",
        "there": "Sign out there",
        "failed": "The sign-in failed",
    },
}
expect.set_options(timeout=PATIENCE_MS)


def field(page: Page, label: str) -> Any:
    return page.get_by_label(label, exact=True)


def sign_in(page: Page, login: str, password: str, language: str = EN) -> None:
    words = WORDS[language]
    field(page, words["login"]).fill(login)
    field(page, words["password"]).fill(password)
    page.get_by_role("button", name=words["sign in"], exact=True).click()


def opened(visitor: Visitor, path: str, person: dict[str, Any], language: str = EN) -> Page:
    """A page of somebody who has signed in on the way to it."""
    page = visitor.page
    page.goto(path)
    sign_in(page, person["login"], people.PASSWORD, language)
    expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))
    return page


def test_the_first_administrator(site: Site, url: str, browser: Browser) -> None:
    link = (site.folder.root / "first-administrator.link").read_text().strip()
    path = link[link.index("/first-administrator") :]
    with Visitor(browser, url, locale=KO) as visitor:
        page = visitor.page
        page.goto("/login")
        expect(page.get_by_text("아직 관리자가 없습니다.")).to_be_visible()
        expect(page.get_by_text("first-administrator.link")).to_be_visible()
        expect(page.get_by_text("floorhub user add LOGIN --role admin")).to_be_visible()

        page.goto("/first-administrator")
        expect(page.get_by_text("이 주소에 일회용 코드가 없습니다.")).to_be_visible()
        page.goto(path)
        expect(page.get_by_role("heading", name="첫 관리자 만들기")).to_be_visible()
        assert "token" not in page.url, "it stays in no history"

        field(page, "로그인 이름").fill("minji")
        field(page, "이름").fill("김민지")
        field(page, "비밀번호").fill("password")
        field(page, "비밀번호 확인").fill("passwort")
        page.get_by_role("button", name="관리자 만들기").click()
        expect(field(page, "비밀번호 확인")).to_have_accessible_description("두 비밀번호가 서로 다릅니다.")
        expect(field(page, "비밀번호 확인")).to_be_focused()

        field(page, "비밀번호 확인").fill("password")
        page.get_by_role("button", name="관리자 만들기").click()
        expect(field(page, "비밀번호")).to_have_attribute("aria-invalid", "true")

        for name in ("비밀번호", "비밀번호 확인"):
            field(page, name).fill(people.PASSWORD)
        page.get_by_role("button", name="관리자 만들기").click()
        expect(page.get_by_role("heading", name="김민지 님, 안녕하십니까")).to_be_visible()
        expect(page.get_by_text("관리자", exact=True)).to_be_visible()
        assert page.title() == "홈 - Floorhub"
        [session] = [each for each in page.context.cookies() if each["name"].startswith("floorhub-")]
        assert session["httpOnly"]

    with Visitor(browser, url, locale=EN) as another:
        another.page.goto(path)
        expect(another.page.get_by_text("There is an administrator already")).to_be_visible()


@pytest.mark.parametrize("language", [KO, EN])
def test_signing_in_leads_to_the_page_that_was_wanted(site: Site, url: str, browser: Browser, language: str) -> None:
    words, person = WORDS[language], people.add(site)
    with Visitor(browser, url, locale=language, viewport=PHONE) as visitor:
        page = visitor.page
        page.goto("/me/sessions?from=mail")
        expect(page.get_by_role("heading", name=words["sign in"])).to_be_visible()
        expect(field(page, words["login"])).to_be_focused()
        sign_in(page, person["login"], "not this one", language)
        # The hub's own sentence, in the language of the page.
        expect(page.get_by_role("alert")).to_contain_text(words["failed"])
        expect(field(page, words["login"])).to_have_value(person["login"])
        expect(field(page, words["password"])).to_have_value("")
        expect(field(page, words["password"])).to_be_focused()

        sign_in(page, person["login"], people.PASSWORD, language)
        expect(page).to_have_url(re.compile(r"/me/sessions\?from=mail$"))
        expect(page.get_by_role("heading", name=words["sessions"], exact=True)).to_be_focused()
        assert page.evaluate("document.documentElement.lang") == language[:2]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_page_of_elsewhere_is_not_wanted(site: Site, url: str, browser: Browser) -> None:
    with Visitor(browser, url, locale=EN) as visitor:
        visitor.page.goto("/login?next=//evil.example/me/sessions")
        sign_in(visitor.page, people.add(site)["login"], people.PASSWORD)
        expect(visitor.page.get_by_role("heading", name="Hello")).to_be_visible()
        assert visitor.page.url == f"{url}/"


HOSTILE = (
    '<img src=x onerror="document.title=1">',
    '"><script>document.title=1</script>',
    "{{7*7}} ${7*7} </title><svg onload=document.title=1>",
)


@pytest.mark.parametrize("language", [KO, EN])
def test_a_name_and_a_program_of_somebody_are_never_markup(
    site: Site, url: str, browser: Browser, language: str
) -> None:
    for text in HOSTILE:
        person = people.add(site, name=f"{text} {language}")
        body = {"login": person["login"], "password": people.PASSWORD}
        signed_in = plain_http.request("POST", f"{url}/api/auth/login", json=body, headers={"User-Agent": text})
        assert signed_in.status_code == 200
        with Visitor(browser, url, locale=language) as visitor:
            page = opened(visitor, "/me/sessions", person, language)
            expect(page.get_by_role("listitem").filter(has_text=text)).to_have_count(1)
            title = "로그인된 기기 - Floorhub" if language == KO else "My sessions - Floorhub"
            expect(page).to_have_title(title)  # it follows the address a moment later
            page.get_by_role("button", name=person["name"]).click()
            expect(page.get_by_text(person["name"], exact=True).first).to_be_visible()
            assert page.locator("img[src=x], [onerror], [onload], main script").count() == 0
            assert page.title() == title


def test_empty_fields_are_named_before_anything_is_sent(url: str, browser: Browser) -> None:
    with Visitor(browser, url, locale=KO) as visitor:
        page = visitor.page
        page.goto("/login")
        page.get_by_role("button", name="로그인", exact=True).click()
        for name in ("로그인 이름", "비밀번호"):
            expect(field(page, name)).to_have_accessible_description("값을 입력하십시오.")
        expect(field(page, "로그인 이름")).to_be_focused()


def test_a_session_is_ended_elsewhere_and_what_was_typed_stays(site: Site, url: str, browser: Browser) -> None:
    person = people.add(site)
    with Visitor(browser, url, locale=EN) as here, Visitor(browser, url, locale=EN) as there:
        typing = opened(there, "/me/password", person)
        field(typing, "Current password").fill("half typed")

        page = opened(here, "/me/sessions", person)
        expect(page.get_by_role("listitem").filter(has=page.get_by_text("This device"))).to_have_count(1)
        page.get_by_role("button", name=re.compile("^Sign out there: Chrome on Linux")).click()
        expect(page.get_by_text("Signed out there.").first).to_be_visible()
        expect(page.get_by_text("You are signed in nowhere else.")).to_be_hidden()
        expect(page.get_by_role("button", name=re.compile("^Sign out there"))).to_have_count(0)

        field(typing, "New password").fill("a longer password")
        field(typing, "Repeat password").fill("a longer password")
        typing.get_by_role("button", name="Change password").click()
        dialog = typing.get_by_role("dialog", name="Sign in again")
        expect(field(dialog, "Sign-in name")).to_have_value(person["login"])
        expect(field(dialog, "Password")).to_be_focused()
        field(dialog, "Password").fill(people.PASSWORD)
        field(dialog, "Password").press("Enter")
        expect(dialog).to_be_hidden()
        expect(field(typing, "Current password")).to_have_value("half typed")
        expect(field(typing, "New password")).to_have_value("a longer password")


def test_all_other_sessions_are_ended_at_once(site: Site, url: str, browser: Browser) -> None:
    person = people.add(site)
    others = [people.open_page(url, person["login"], people.PASSWORD) for _ in range(2)]
    with Visitor(browser, url, locale=KO) as visitor:
        page = opened(visitor, "/me/sessions", person, KO)
        page.get_by_role("button", name="다른 기기 모두 로그아웃").click()
        expect(page.get_by_text("다른 기기 2대에서 로그아웃했습니다.").first).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text="지금 이 기기")).to_have_count(1)
    for other in others:
        assert other.http.get("/api/auth/whoami").status_code == 401
        other.http.close()


def test_another_person_in_the_same_browser_gets_nothing_of_the_first(site: Site, url: str, browser: Browser) -> None:
    first, second = people.add(site), people.add(site, name="Second Person")
    with Visitor(browser, url, locale=EN) as visitor:
        page = opened(visitor, "/me/password", first)
        field(page, "Current password").fill("of the first")
        other_tab = visitor.tab()
        other_tab.goto("/")
        other_tab.get_by_role("button", name=re.compile("^My account")).click()
        other_tab.get_by_role("button", name="Sign out").click()
        expect(other_tab).to_have_url(f"{url}/login")
        expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
        sign_in(other_tab, second["login"], people.PASSWORD)
        # The tab of the first person becomes one of the second, and starts anew.
        expect(page.get_by_role("heading", name="Hello, Second Person")).to_be_visible()


def test_changing_the_password(site: Site, url: str, browser: Browser) -> None:
    person = people.add(site)
    with Visitor(browser, url, locale=EN) as visitor:
        page = opened(visitor, "/me/password", person)

        def change(current: str, new: str) -> None:
            for name, value in (("Current password", current), ("New password", new), ("Repeat password", new)):
                field(page, name).fill(value)
            page.get_by_role("button", name="Change password").click()

        change("not this one", "a new long password")
        expect(field(page, "Current password")).to_have_accessible_description(re.compile("The password is wrong"))
        expect(field(page, "Current password")).to_be_focused()
        expect(field(page, "New password")).to_have_value("a new long password")
        change(people.PASSWORD, "short")
        expect(field(page, "New password")).to_have_attribute("aria-invalid", "true")
        change(people.PASSWORD, "a new long password")
        expect(page.get_by_text("Your password is changed. You are signed out everywhere else.").first).to_be_visible()
        expect(field(page, "New password")).to_have_value("")
    assert people.sign_in(url, person["login"], people.PASSWORD).status_code == 401
    assert people.sign_in(url, person["login"], "a new long password").status_code == 200


def test_a_link_sets_a_password_once(site: Site, url: str, browser: Browser) -> None:
    person = people.add(site, password=None)
    token = site.http.post(f"/api/users/{person['id']}/password-link").json()["token"]
    with Visitor(browser, url, locale=KO) as visitor:
        page = visitor.page
        for told in ("비밀번호를 정했습니다.", "링크가 유효하지 않습니다."):
            page.goto("/login")
            page.goto(f"/set-password#token={token}")
            for name in ("새 비밀번호", "비밀번호 확인"):
                field(page, name).fill(people.PASSWORD)
            page.get_by_role("button", name="비밀번호 정하기").click()
            expect(page.get_by_text(told)).to_be_visible()
    assert people.sign_in(url, person["login"], people.PASSWORD).status_code == 200


def test_too_many_attempts_say_when_to_try_again(site: Site, url: str, browser: Browser) -> None:
    person = people.add(site)
    while people.sign_in(url, person["login"], "wrong").status_code == 401:
        pass
    with Visitor(browser, url, locale=EN) as visitor:
        visitor.page.goto("/login")
        sign_in(visitor.page, person["login"], people.PASSWORD)
        alert = visitor.page.get_by_role("alert")
        expect(alert).to_contain_text("Too many failed sign-ins")
        expect(alert).to_contain_text(re.compile(r"You can try again at \d+:\d\d:\d\d"))


def test_everything_is_reached_by_keys_alone(site: Site, url: str, browser: Browser) -> None:
    person = people.add(site)
    with Visitor(browser, url, locale=EN) as visitor:
        page, keys = visitor.page, visitor.page.keyboard
        page.goto("/")
        expect(field(page, "Sign-in name")).to_be_focused()
        keys.type(person["login"])
        keys.press("Tab")
        keys.type(people.PASSWORD)
        keys.press("Enter")
        expect(page.get_by_role("heading", name="Hello")).to_be_focused()

        menu = page.get_by_role("button", name=re.compile("^My account"))
        for _ in range(10):
            keys.press("Shift+Tab")
            if menu.evaluate("(element) => element === document.activeElement"):
                break
        expect(menu).to_be_focused()
        keys.press("Enter")
        expect(menu).to_have_attribute("aria-expanded", "true")
        keys.press("Escape")
        expect(menu).to_have_attribute("aria-expanded", "false")
        expect(menu).to_be_focused()
        keys.press("Enter")
        keys.press("Tab")
        expect(page.get_by_role("link", name="My sessions").first).to_be_focused()
        keys.press("Enter")
        expect(page.get_by_role("heading", name="My sessions")).to_be_focused()

        page.reload()
        expect(page.get_by_role("heading", name="My sessions")).to_be_visible()
        keys.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        keys.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()


def test_language_and_theme_are_chosen_at_once_and_kept(site: Site, url: str, browser: Browser) -> None:
    background = "getComputedStyle(document.body.parentElement).backgroundColor"
    with Visitor(browser, url, locale=KO, color_scheme="light") as visitor:
        page = visitor.page
        page.goto("/login")
        expect(page.get_by_role("heading", name="로그인")).to_be_visible()
        light = page.evaluate(background)
        page.get_by_role("radio", name="English").check()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.get_by_role("radio", name="Dark").check()
        dark = page.evaluate(background)
        assert dark != light
        sign_in(page, people.add(site)["login"], "wrong")
        expect(page.get_by_role("alert")).to_contain_text("The sign-in failed")

        page.reload()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.evaluate(background) == dark
        page.get_by_role("radio", name="System").check()
        assert page.evaluate(background) == light
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(background) == dark


def test_a_hub_that_does_not_answer_is_named_and_tried_again(site: Site, url: str, browser: Browser) -> None:
    with Visitor(browser, url, locale=EN) as visitor:
        page = visitor.page
        page.route("**/api/**", lambda route: route.abort())
        page.goto("/me/sessions")
        expect(page.get_by_role("heading", name="The hub cannot be reached")).to_be_visible()
        page.unroute("**/api/**")
        page.get_by_role("button", name="Try again").click()
        expect(field(page, "Sign-in name")).to_be_visible()
        assert all("ERR_FAILED" in complaint for complaint in visitor.complaints), "it tells of the cut line only"
        visitor.complaints.clear()


@pytest.mark.parametrize(("language", "theme"), [(KO, "light"), (EN, "dark")])
def test_no_rule_of_accessibility_is_broken(
    site: Site, url: str, browser: Browser, axe: str, language: str, theme: str
) -> None:
    person = people.add(site)
    with Visitor(browser, url, locale=language, color_scheme=theme) as visitor:
        page = visitor.page

        def broken() -> list[str]:
            page.evaluate(axe)
            found: list[dict[str, Any]] = page.evaluate("axe.run()")["violations"]  # type: ignore[index]
            return [f"{page.url}: {each['id']}: {each['nodes'][0]['html']}" for each in found]

        problems = []
        for path in ("/login", "/first-administrator", "/set-password#token=x"):
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            problems += broken()
        page.goto("/login")
        sign_in(page, person["login"], "wrong", language)
        expect(page.get_by_role("alert")).to_be_visible()
        problems += broken()
        sign_in(page, person["login"], people.PASSWORD, language)
        expect(page.get_by_role("button", expanded=False)).to_be_visible()
        for path in ("/", "/me/sessions", "/me/password"):
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.get_by_role("button", expanded=False).click()
            problems += broken()
        assert problems == []


@pytest.mark.parametrize(
    ("language", "title", "home"),
    [(KO, "이 주소에는 페이지가 없습니다", "홈"), (EN, "There is no page at this address", "Home")],
)
def test_an_unknown_address_leads_back(url: str, browser: Browser, language: str, title: str, home: str) -> None:
    with Visitor(browser, url, locale=language) as visitor:
        page = visitor.page
        answer = page.goto("/nowhere/<b>at-all</b>?x=1")
        assert answer is not None
        assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        assert "at-all" not in page.content()
        page.get_by_role("link", name=home, exact=True).click()
        expect(page).to_have_url(re.compile("/login"))
        assert all("404" in complaint for complaint in visitor.complaints), "the browser tells of the status only"
        visitor.complaints.clear()


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/api/nowhere", "text/html"),
        ("/api", "text/html"),
        ("/nowhere", "*/*"),
        ("/nowhere", "application/json, text/html"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_programs_get_the_error_of_an_unknown_address(site: Site, method: str, path: str, accept: str) -> None:
    answer = plain_http.request(method, site.url + path, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_what_is_not_there_for_another_reason_stays_an_error(site: Site) -> None:
    answer = plain_http.get(f"{site.url}/trust/authority.crt", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
