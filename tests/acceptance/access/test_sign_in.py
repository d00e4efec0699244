"""Signing in and out: tokens of programs, sessions of pages, and what is told of a wrong password."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from unicodedata import normalize

import psycopg
import pytest

from tests.support import people, plain_http
from tests.support.people import PASSWORD, Page
from tests.support.site import NOWHERE, Site

Open = Callable[..., Page]


@pytest.fixture
def open_page(site: Site) -> Iterator[Open]:
    opened: list[Page] = []

    def open_one(login: str, password: str = PASSWORD) -> Page:
        opened.append(people.open_page(site.url, login, password))
        return opened[-1]

    yield open_one
    for page in opened:
        page.http.close()


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_program_gets_tokens_and_uses_them(site: Site) -> None:
    person = people.add(site, "operator", name="테스트 운영자 1")
    answer = people.sign_in(site.url, person["login"].upper())
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    pair = answer.json()
    assert set(pair) == {"accessToken", "refreshToken", "expiresIn"}
    assert (pair["expiresIn"], pair["refreshToken"][:4]) == (900, "fhr_")

    told = people.who(site.url, pair["accessToken"]).json()
    assert (told["id"], told["login"], told["name"]) == (person["id"], person["login"], "테스트 운영자 1")
    assert (told["kind"], told["role"], told["reach"]) == ("user", "operator", "all")
    assert told["permissions"] == ["read", "command", "document", "decide", "pair"]
    assert told["sessionId"] is not None
    assert (told["keyId"], told["csrfToken"]) == (None, None)
    assert told["passwordConfirmedAt"] < told["signInExpiresAt"]

    headers = {"Authorization": f"Bearer {pair['accessToken']}"}
    client = site.client()
    body = {"client_id": client["id"], "action": "status", "payload": {}}
    sent = plain_http.request("POST", f"{site.url}/api/commands", json=body, headers=headers)
    assert sent.status_code == 201
    assert code(plain_http.request("POST", f"{site.url}/api/users", json={}, headers=headers)) == (403, "forbidden")


def test_a_key_is_known_but_has_neither_session_nor_password(site: Site) -> None:
    told = site.http.get("/api/auth/whoami").json()
    assert (told["kind"], told["role"], told["login"], told["sessionId"]) == ("user", "admin", None, None)
    assert {"administer", "decide", "pair", "audit"} <= set(told["permissions"])
    assert not {"public", "client", "self"} & set(told["permissions"])
    assert told["keyId"] is not None
    for method, path, body in (
        ("GET", "/api/auth/sessions", None),
        ("DELETE", "/api/auth/sessions", None),
        ("POST", "/api/auth/confirm", {"password": "x"}),
        ("POST", "/api/auth/password", {"currentPassword": "x", "newPassword": "y"}),
    ):
        assert code(site.http.request(method, path, json=body)) == (403, "people_only")


def test_what_is_wrong_with_a_sign_in_is_not_told(site: Site) -> None:
    known, disabled, without = people.add(site), people.add(site), people.add(site, password=None)
    assert site.http.delete(f"/api/users/{disabled['id']}").json()["disabled"] is True
    told = {
        people.sign_in(site.url, login, password).text
        for login, password in (
            ("nobody-at-all", PASSWORD),
            ("no such login!", PASSWORD),
            (known["login"], f"{PASSWORD}!"),
            (known["login"], "x"),
            (disabled["login"], PASSWORD),
            (without["login"], PASSWORD),
        )
    }
    assert len(told) == 1
    assert '"login_failed"' in told.pop()


def test_failures_are_counted_by_login_and_address_and_forgotten_by_a_success(
    site: Site, database: psycopg.Connection[Any]
) -> None:
    person, other = people.add(site), people.add(site)
    database.execute("DELETE FROM sign_in_failures")
    for _ in range(9):
        assert code(people.sign_in(site.url, person["login"], "wrong")) == (401, "login_failed")
    assert people.sign_in(site.url, person["login"]).status_code == 200
    assert code(people.sign_in(site.url, person["login"], "wrong")) == (401, "login_failed")
    refused = people.sign_in(site.url, person["login"])
    assert code(refused) == (429, "too_many_attempts")
    assert 1 <= int(refused.headers["retry-after"]) <= 900
    [event] = database.execute(
        "SELECT severity, principal_id::text, address FROM security_events WHERE kind = 'sign_in_guessed'"
    ).fetchall()
    assert event == ("warning", person["id"], "127.0.0.1")
    assert people.sign_in(site.url, other["login"]).status_code == 200
    for number in range(20):
        assert code(people.sign_in(site.url, f"nobody-{number}", "wrong")) == (401, "login_failed")
    assert code(people.sign_in(site.url, other["login"])) == (429, "too_many_attempts")
    rows = database.execute("SELECT count(*), max(octet_length(bucket)) FROM sign_in_failures").fetchone()
    assert rows is not None
    assert rows[0] < 50
    assert rows[1] == 32
    database.execute("UPDATE sign_in_failures SET resets_at = now() - interval '1 s'")
    assert people.sign_in(site.url, person["login"]).status_code == 200
    database.execute("DELETE FROM sign_in_failures")


def test_a_page_has_a_cookie_that_scripts_cannot_read(site: Site, open_page: Open) -> None:
    person = people.add(site, "viewer")
    with closing(plain_http.client(site.url)) as http:
        body = {"login": person["login"], "password": PASSWORD}
        answer = http.post("/api/auth/login", json=body, headers={"X-Floorhub-Session": "page"})
        assert answer.status_code == 200
        name, _, rest = answer.headers["set-cookie"].partition("=")
        assert name == f"floorhub-{site.hub_ports['one']}"
        assert set(rest.split("; ")[1:]) == {"HttpOnly", "Max-Age=3600", "Path=/", "SameSite=strict"}
        told = answer.json()
        assert told["principal"] == {
            "id": person["id"], "name": person["name"], "login": person["login"], "role": "viewer", "reach": "all"
        }  # fmt: skip
        assert http.get("/api/auth/whoami").json()["csrfToken"] == told["csrfToken"]
        assert http.get("/api/clients").status_code == 200
        # A cookie does not help what shows something else, and is no key.
        for header in ({"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}, {"X-API-Key": "wrong"}):
            assert code(http.get("/api/clients", headers=header)) == (401, "unauthorized")
        cookie = rest.split(";")[0]
        assert code(people.who(site.url, cookie)) == (401, "unauthorized")
        twice = {"Cookie": f"{name}={cookie}; {name}=other"}
        assert code(plain_http.get(f"{site.url}/api/clients", headers=twice)) == (401, "unauthorized")


def test_a_page_shows_its_token_and_its_origin(site: Site, open_page: Open) -> None:
    page = open_page(people.add(site, "admin")["login"])
    body = {"id": "page-made-this"}
    own = site.url
    for headers, expected in (
        ({}, "csrf_failed"),
        ({"X-CSRF-Token": "0" * 64}, "csrf_failed"),
        ({"X-CSRF-Token": page.csrf, "Origin": "https://evil.example"}, "origin_refused"),
        ({"X-CSRF-Token": page.csrf, "Origin": own.replace("http:", "https:")}, "origin_refused"),
        ({"X-CSRF-Token": page.csrf, "Origin": f"{own}0"}, "origin_refused"),
        ({"X-CSRF-Token": page.csrf, "Origin": "null"}, "origin_refused"),
        ({"X-CSRF-Token": page.csrf, "Sec-Fetch-Site": "cross-site"}, "origin_refused"),
        ({"X-CSRF-Token": page.csrf, "Sec-Fetch-Site": "same-site"}, "origin_refused"),
    ):
        assert code(page.http.post("/api/groups", json=body, headers=headers)) == (403, expected), headers
    right = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    assert page.send("POST", "/api/groups", json=body, headers=right).status_code == 201
    assert page.send("DELETE", "/api/groups/page-made-this").status_code == 200
    assert code(page.http.get("/api/clients", headers={"Sec-Fetch-Site": "cross-site"})) == (403, "origin_refused")
    opened = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert page.http.get("/api/clients", headers=opened).status_code == 200
    login = {"login": "x", "password": "y", "session": "page"}
    foreign = {"Origin": "https://evil.example"}
    assert code(page.http.post("/api/auth/login", json=login, headers=foreign)) == (403, "origin_refused")


def test_a_page_elsewhere_needs_tls(site: Site) -> None:
    login = people.add(site)["login"]
    body = {"login": login, "password": PASSWORD, "session": "page"}
    for host in ("hub.example", "hub", "hub.example:8080"):
        refused = plain_http.request("POST", f"{site.url}/api/auth/login", json=body, headers={"Host": host})
        assert code(refused) == (403, "https_needed")
        assert host in refused.json()["detail"]
    for host in ("localhost:99", "127.0.0.1:99", "[::1]:99"):
        taken = plain_http.request("POST", f"{site.url}/api/auth/login", json=body, headers={"Host": host})
        assert taken.headers["set-cookie"].startswith("floorhub-99=")


def test_sessions_are_listed_and_ended(site: Site, open_page: Open) -> None:
    login = people.add(site)["login"]
    page, other = open_page(login), open_page(login)
    pair = people.tokens(site.url, login, screenId="SCREEN-001")
    items = page.http.get("/api/auth/sessions").json()["items"]
    assert sorted((item["kind"], item["current"]) for item in items) == [
        ("page", False),
        ("page", True),
        ("token", False),
    ]
    assert {item["address"] for item in items} == {"127.0.0.1"}
    assert all(item["userAgent"].startswith("python-httpx") for item in items)
    [program] = [item for item in items if item["kind"] == "token"]
    assert program["screenId"] == "SCREEN-001"
    stranger = open_page(people.add(site)["login"])
    assert code(stranger.send("DELETE", f"/api/auth/sessions/{program['id']}")) == (404, "session_not_found")
    assert code(page.send("DELETE", f"/api/auth/sessions/{NOWHERE}")) == (404, "session_not_found")

    assert page.send("DELETE", f"/api/auth/sessions/{program['id']}").status_code == 204
    assert code(people.refresh(site.url, pair["refreshToken"])) == (401, "invalid_refresh_token")
    assert page.send("DELETE", "/api/auth/sessions").status_code == 204
    assert [item["current"] for item in page.http.get("/api/auth/sessions").json()["items"]] == [True]
    assert code(other.send("DELETE", "/api/auth/sessions"))[0] == 401


def test_signing_out_ends_the_session_that_was_shown(site: Site, open_page: Open) -> None:
    login = people.add(site)["login"]
    page = open_page(login)
    gone = page.send("POST", "/api/auth/logout")
    assert (gone.status_code, "Max-Age=0" in gone.headers["set-cookie"]) == (204, True)
    by_bearer, by_refresh = people.tokens(site.url, login), people.tokens(site.url, login)
    url = f"{site.url}/api/auth/logout"
    headers = {"Authorization": f"Bearer {by_bearer['accessToken']}"}
    assert plain_http.request("POST", url, headers=headers).status_code == 204
    assert plain_http.request("POST", url, json={"refreshToken": by_refresh["refreshToken"]}).status_code == 204
    for pair in (by_bearer, by_refresh):
        assert code(people.refresh(site.url, pair["refreshToken"])) == (401, "invalid_refresh_token")
    assert code(plain_http.request("POST", url)) == (401, "unauthorized")
    assert code(page.http.post("/api/auth/login", json={"login": login, "password": "wrong"})) == (401, "login_failed")


def test_a_password_is_changed_and_other_sessions_end(site: Site, open_page: Open) -> None:
    login = people.add(site)["login"]
    page, pair = open_page(login), people.tokens(site.url, login)
    change = {"currentPassword": PASSWORD, "newPassword": "비밀번호는 길게 씁니다"}
    assert code(page.send("POST", "/api/auth/password", json={**change, "currentPassword": "x"})) == (
        403,
        "wrong_password",
    )
    for bad, expected in (
        ("short", "password_too_short"),
        ("Password1!", "password_too_common"),
        (PASSWORD, "password_unchanged"),
    ):
        answer = page.send("POST", "/api/auth/password", json={**change, "newPassword": bad})
        assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [("newPassword", expected)]
    assert page.send("POST", "/api/auth/password", json=change).status_code == 204
    assert page.http.get("/api/auth/whoami").status_code == 200
    assert code(people.refresh(site.url, pair["refreshToken"])) == (401, "invalid_refresh_token")
    assert code(people.sign_in(site.url, login)) == (401, "login_failed")
    decomposed = normalize("NFD", change["newPassword"])
    assert decomposed != change["newPassword"]
    assert people.sign_in(site.url, login, decomposed).status_code == 200
