"""Limits, replayed requests, hosts and other sites' pages, as a hub with these settings answers over HTTP."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from hub.api.strangers import CountedRoutes, Counting
from hub.features.web_pages.rules import PAGES
from tests.support import plain_http
from tests.support.hubs import routes
from tests.support.site import NOWHERE, Site

LIMIT, STRANGERS = 20, 5
PROCESSES = 2
"""That share a limit."""
SHOP = "https://shop.example"
COUNTED = CountedRoutes(routes())
ASKED = sorted(
    {(method, re.sub("{.*?}", NOWHERE, route.path)) for route in routes() for method in route.methods}
    - {("GET", page) for page in PAGES}
)
"""Every route. Pages stand in memory."""
WATCHED = {"/health", "/health/ready", "/api/health", "/metrics", "/api/metrics"}
"""What may be asked again and again."""
_RULE = re.compile(r'"([a-z-]+)"((?:;[a-z]=\d+)+)')


@pytest.fixture(scope="module")
def limited(site: Site) -> Iterator[str]:
    """The URL of a hub with small limits."""
    settings = {
        "FLOORHUB_LIMIT_PROGRAMS": str(LIMIT * PROCESSES),
        "FLOORHUB_LIMIT_ADDRESSES": str(STRANGERS * PROCESSES),
        "FLOORHUB_HOSTS": "hub.example",
        "FLOORHUB_CORS_ORIGINS": SHOP,
        "FLOORHUB_TRUSTED_PROXIES": "",
    }
    with site.another_hub("limited", FLOORHUB_ROLES="api", **settings):
        yield site.hub_url("limited")


def rules(header: str) -> dict[str, dict[str, int]]:
    """The rules that a header lists, with their parameters."""
    return {
        name: {key: int(value) for key, value in re.findall(r";([a-z])=(\d+)", parameters)}
        for name, parameters in _RULE.findall(header)
    }


def test_a_command_tells_of_each_rule(site: Site) -> None:
    client = site.client(rate_limit=7, max_commands_per_day=3)
    command = {"client_id": client["id"], "action": "status"}
    answers = [site.http.post("/api/commands", json=command) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    policy, left = (rules(answers[0].headers[name]) for name in ("RateLimit-Policy", "RateLimit"))
    assert policy == {"client-minute": {"q": 7, "w": 60}, "client-day": {"q": 3, "w": 86_400}}
    assert (left["client-minute"]["r"], left["client-day"]["r"]) == (6, 2)
    assert 0 < left["client-minute"]["t"] <= 60
    assert 0 < left["client-day"]["t"] <= 86_400
    refused = answers[-1]
    assert refused.json()["code"] == "quota_exceeded"
    shown = [refused.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining")]
    assert shown == ["3", "0"]
    assert int(refused.headers["Retry-After"]) == pytest.approx(int(refused.headers["RateLimit-Reset"]), abs=1)
    # The slow path tells the same.
    slow = site.http.post("/api/commands", json=command, params={"wait": "0.5"})
    assert rules(slow.headers["RateLimit"])["client-day"]["r"] == 0


def test_a_principal_has_its_minute_and_strangers_have_another(site: Site, limited: str) -> None:
    with (
        plain_http.client(limited) as stranger,
        plain_http.client(limited, headers={"Authorization": f"Bearer {site.key}"}) as http,
    ):
        asked = [stranger.get("/api/clients") for _ in range(STRANGERS + 2)]
        codes = [answer.status_code for answer in asked]
        assert codes == [401] * STRANGERS + [429] * 2
        told = [rules(answer.headers["RateLimit"])["address"]["r"] for answer in asked]
        assert (told[0], told[STRANGERS - 1 :]) == ((STRANGERS - 1) * PROCESSES, [0, 0, 0])
        assert {answer.headers["RateLimit-Limit"] for answer in asked} == {str(STRANGERS * PROCESSES)}
        assert asked[-1].headers["Retry-After"] == asked[-1].headers["RateLimit-Reset"]
        refused = stranger.get("/api/clients", headers={"Accept-Language": "ko"})
        assert (refused.json()["code"], refused.json()["remaining"]) == ("too_many_requests", 0)
        assert "FLOORHUB_LIMIT_ADDRESSES" in refused.json()["detail"]
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        # Nor may it guess on, whatever it shows; and no header makes it another address.
        guess = {"Authorization": "Bearer wrong", "X-Forwarded-For": "203.0.113.1"}
        assert stranger.get("/api/clients", headers=guess).status_code == 429
        assert stranger.get("/api/clients", headers={"X-Forwarded-For": "203.0.113.2"}).status_code == 429
        # Nor does it help to show something where nobody looks, or to guess addresses.
        assert stranger.get("/openapi.json", headers=guess).status_code == 429
        assert stranger.get("/api/downloads/guessed").status_code == 429
        for method, path in ASKED:
            answer = stranger.request(method, path, headers={**guess, "Cookie": "a=b"}, json={})
            refused_here = COUNTED.of(method, path) is not Counting.NEVER
            assert (answer.status_code == 429) == refused_here, (method, path, answer.text)
        # Whoever watches the hub is served, and so are clients and callers at the same address.
        assert stranger.get("/health/ready").status_code == 200
        client = site.client()
        secret = {"Authorization": f"Bearer {client['secret']}"}
        for _ in range(3 * STRANGERS):
            answer = stranger.post(f"/api/clients/{client['id']}/ping", json={}, headers=secret)
            assert answer.status_code == 200, answer.text
        answers = [http.get("/api/clients") for _ in range(LIMIT + 1)]
    assert [answer.status_code for answer in answers] == [200] * LIMIT + [429]
    left = [rules(answer.headers["RateLimit"])["requests"]["r"] for answer in answers]
    assert left[-1] == 0
    assert left == sorted(left, reverse=True)
    assert answers[-1].json()["code"] == "too_many_requests"


def test_only_what_watches_the_hub_is_not_counted() -> None:
    free = {
        route.path for route in routes() for method in route.methods if COUNTED.of(method, route.path) is Counting.NEVER
    }
    assert free == WATCHED


def test_a_request_counts_once(site: Site) -> None:
    now = {"X-Request-Timestamp": str(time.time()), "X-Request-Nonce": "once"}
    command = {"client_id": site.client()["id"], "action": "status"}

    def post(**headers: str) -> httpx.Response:
        return site.http.post("/api/commands", json=command, headers=headers)

    assert post(**now).status_code == 201
    again = post(**now)
    assert (again.status_code, again.json()["code"], again.json()["title"]) == (401, "nonce_used", "REQUEST_EXPIRED")
    # By the other path through the hub, too, and from another hub's route.
    assert site.http.get("/api/clients", headers=now).json()["code"] == "nonce_used"
    late = post(**{"X-Request-Timestamp": str(int(time.time()) - 301)})
    assert (late.status_code, late.json()["title"]) == (401, "REQUEST_EXPIRED")
    wrong = post(**{"X-Request-Timestamp": "yesterday"})
    assert [problem["field"] for problem in wrong.json()["errors"]] == ["X-Request-Timestamp"]
    with plain_http.client(site.url) as stranger:
        taken = {**now, "X-Request-Nonce": "of-a-stranger", "Authorization": "Bearer wrong"}
        assert stranger.get("/api/clients", headers=taken).status_code == 401
    assert site.http.get("/api/clients", headers={**now, "X-Request-Nonce": "of-a-stranger"}).status_code == 200


def test_a_name_that_is_not_the_hub_s_gets_nothing(site: Site, limited: str) -> None:
    with plain_http.client(limited, headers={"Authorization": f"Bearer {site.key}"}) as http:
        answers = {
            host: http.get("/health", headers={"Host": host})
            for host in ("hub.example", "127.0.0.1", "localhost", "evil.example", "127.0.0.1.evil.example")
        }
        command = {"client_id": "none", "action": "status"}
        posted = http.post("/api/commands", json=command, headers={"Host": "evil.example"})
    assert [answer.status_code for answer in answers.values()] == [200, 200, 200, 421, 421]
    assert answers["evil.example"].json()["code"] == "unknown_host"
    assert "evil.example" in answers["evil.example"].json()["detail"]
    assert posted.status_code == 421


def test_pages_of_an_allowed_site_may_call_and_others_not(limited: str) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "Authorization"}
    with plain_http.client(limited) as http:
        allowed = http.options("/api/commands", headers={"Origin": SHOP, **asks})
        refused = http.options("/api/commands", headers={"Origin": "https://evil.example", **asks})
        # Also what is refused can be read by the page: it must know why.
        unknown = http.get("/api/clients", headers={"Origin": SHOP})
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert (refused.status_code, refused.json()["code"]) == (403, "cors_refused")
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert unknown.status_code in (401, 429)
    assert unknown.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Origin" in unknown.headers["Vary"]


def test_without_a_list_no_other_site_is_let_in(site: Site) -> None:
    answer = site.http.get("/api/clients", headers={"Origin": SHOP})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/api/clients", "default-src 'none'; frame-ancestors 'none'"),
        ("/health", "default-src 'none'; frame-ancestors 'none'"),
        ("/nowhere", "default-src 'none'; frame-ancestors 'none'"),
        ("/docs", "frame-ancestors 'none'"),
    ],
)
def test_what_every_answer_tells_a_browser(site: Site, path: str, policy: str) -> None:
    headers = site.http.get(path).headers
    assert headers["Content-Security-Policy"] == policy
    told = {name: headers[name] for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")}
    assert told == {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"}
    assert headers["Cache-Control"] == "no-store"


def test_a_document_keeps_the_headers_of_its_own(site: Site) -> None:
    headers = site.http.get(f"/api/documents/{site.upload()['id']}").headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers.get_list("X-Content-Type-Options") == ["nosniff"]


def test_far_too_much_for_a_client_is_a_security_event(site: Site, database: psycopg.Connection[Any]) -> None:
    client = site.client(max_commands_per_day=2)
    command = {"client_id": client["id"], "action": "status"}
    codes = [site.http.post("/api/commands", json=command).status_code for _ in range(6)]
    assert codes == [201, 201, 429, 429, 429, 429]
    found = database.execute(
        "SELECT kind, address, detail FROM security_events WHERE client_id = %s", (client["id"],)
    ).fetchall()
    reason = "Exceeds daily command quota by 50%"
    expected = {"clientId": client["id"], "reason": reason, "limit": 2, "asked": 4}
    assert found == [("suspicious_activity", "127.0.0.1", expected)]
