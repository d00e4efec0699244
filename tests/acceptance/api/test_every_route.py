"""What holds on each route, also on those that come later: parameters by name, methods, HEAD."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from hub.core.access.rules import Permission
from tests.support import plain_http
from tests.support.hubs import permissions, query_parameters, routes
from tests.support.site import NOWHERE, Site

ROUTES = {(method, route.path): route for route in routes() for method in route.methods}
GETS = sorted(path for method, path in ROUTES if method == "GET")
PAGES = ["/docs", "/docs/swagger-ui.css", "/openapi.json", "/"]
CONNECTION = plain_http.client()


@pytest.fixture(scope="module", autouse=True)
def _close() -> Iterator[None]:
    yield
    CONNECTION.close()


@pytest.fixture(scope="module")
def client(site: Site) -> dict[str, Any]:
    return site.client()


@pytest.fixture(scope="module")
def disabled(site: Site) -> dict[str, Any]:
    made = site.client()
    site.http.post(f"/api/clients/{made['id']}/disable")
    return made


def ask(site: Site, client: dict[str, Any], method: str, path: str, query: str = "") -> httpx.Response:
    """A request by whoever may use the route, for things that are not there but for the client."""
    route = ROUTES.get((method if method != "HEAD" else "GET", path))
    own = route is not None and Permission.CLIENT in permissions(route.dependant)
    auth = (client["id"], client["secret"]) if own else None
    headers = {} if own else {"Authorization": f"Bearer {site.key}"}
    names = {"client_id": client["id"], "group_id": "none", "action": "print", "token": "none"}
    filled = re.sub(r"{(\w+)}", lambda name: names.get(name[1], NOWHERE), path)
    return CONNECTION.request(method, f"{site.url}{filled}?{query}", headers=headers, auth=auth)


def named(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["code"] == "validation_error"
    return [item["field"] for item in problem["errors"]]


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES), ids=lambda value: value)
def test_a_parameter_is_taken_or_refused_by_its_name(
    site: Site, client: dict[str, Any], method: str, path: str
) -> None:
    known = query_parameters(ROUTES[method, path])
    for unknown in {"state", "stauts", "Limit", "limit[]", "%EC%83%81%ED%83%9C"} - set(known):
        [field] = named(ask(site, client, method, path, f"{unknown}=failed"))
        assert field in (unknown, "상태")
    for name, several in known.items():
        assert named(ask(site, client, method, path, f"{name}=")) == [name]
        if not several:
            assert named(ask(site, client, method, path, f"{name}=1&{name}=1")) == [name]
    assert named(ask(site, client, method, path, "%ff=1")) == ["query"]


OWN = [each for each, route in sorted(ROUTES.items()) if Permission.CLIENT in permissions(route.dependant)]


@pytest.mark.parametrize(("method", "path"), OWN, ids=lambda value: value)
def test_a_disabled_client_is_told_so_by_its_right_secret_only(
    site: Site, disabled: dict[str, Any], method: str, path: str
) -> None:
    told = ask(site, disabled, method, path)
    assert (told.status_code, told.json()["code"]) == (403, "client_disabled")
    assert disabled["id"] in told.json()["detail"]
    wrong = ask(site, {**disabled, "secret": "wrong"}, method, path)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "unauthorized")


def test_a_retired_client_is_nobody(site: Site) -> None:
    gone = site.client()
    site.http.delete(f"/api/clients/{gone['id']}")
    assert ask(site, gone, "POST", "/api/clients/{client_id}/ping").status_code == 401


def test_parameters_are_told_to_nobody_without_a_key(site: Site) -> None:
    assert plain_http.get(f"{site.url}/api/commands?state=failed").status_code == 401


@pytest.mark.parametrize("path", [*GETS, *PAGES])
def test_head_says_what_get_says(site: Site, client: dict[str, Any], path: str) -> None:
    query = "session=one&most_s=0" if path == "/api/events/{client_id}" else ""
    query = "session=one" if path == "/api/clients/{client_id}/commands" else query
    got = ask(site, client, "GET", path, query)
    head = ask(site, client, "HEAD", path, query)

    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers.get("content-type") == got.headers.get("content-type")
    assert head.headers.get("location") == got.headers.get("location")


def test_head_of_a_document_has_its_length(site: Site) -> None:
    document = site.upload()
    got = site.http.get(document["path"])
    head = site.http.head(document["path"])
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.content))


def test_head_takes_nothing_and_begins_no_session(site: Site, database: psycopg.Connection[Any]) -> None:
    waiting = site.client()
    site.send(waiting["id"], "open-door", {})
    auth = (waiting["id"], waiting["secret"])
    for path in (f"/api/events/{waiting['id']}", f"/api/clients/{waiting['id']}/commands"):
        assert plain_http.request("HEAD", f"{site.url}{path}?session=one", auth=auth).status_code == 200
        assert plain_http.request("HEAD", f"{site.url}{path}?session=one").status_code == 401
        assert plain_http.request("HEAD", f"{site.url}{path}", auth=auth).status_code == 422
    rows = database.execute("SELECT session FROM client_sessions WHERE client_id = %s", (waiting["id"],)).fetchall()
    assert [row[0] for row in rows if row[0] is not None] == []


@pytest.mark.parametrize("path", sorted({path for _, path in ROUTES}))
def test_every_method_of_a_path_is_named(site: Site, client: dict[str, Any], path: str) -> None:
    methods = {method for method, other in ROUTES if other == path}
    right = ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))

    options = ask(site, client, "OPTIONS", path)
    assert (options.status_code, options.content, options.headers["allow"]) == (204, b"", right)
    for other in ("TRACE", "PROPFIND", *({"PUT", "DELETE", "HEAD"} - methods - set(right.split(", ")))):
        refused = ask(site, client, other, path)
        assert (refused.status_code, refused.headers["allow"]) == (405, right)
        if other != "HEAD":
            assert refused.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/api/nothing", "/api", "/api/commands/", "/health/", "//api/commands", "/docs/"])
def test_a_path_that_is_not_there_is_404_whatever_the_method(site: Site, method: str, path: str) -> None:
    for headers in ({}, {"Host": "hub.example"}, {"Host": "hub.example", "X-Forwarded-Proto": "https"}):
        answer = CONNECTION.request(method, site.url + path, headers=headers)
        assert answer.status_code == 404
        assert "location" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1"])
def test_the_root_is_a_page_for_people_that_names_no_host(site: Site, host: str) -> None:
    """This hub has no built pages: it says how to build them, and where the API is."""
    answer = plain_http.get(f"{site.url}/", headers={"Host": host})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "make pages" in answer.text
    assert 'href="/docs"' in answer.text
    assert host not in answer.text
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Idempotency-Key", "order-1"),
        ("Authorization", ""),
        ("X-API-Key", "x"),
        ("Content-Type", "application/json"),
        ("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ],
)
@pytest.mark.parametrize("path", ["/api/commands", "/api/batches", "/api/clients"])
def test_a_header_that_has_one_value_is_refused_twice(
    site: Site, client: dict[str, Any], name: str, value: str, path: str
) -> None:
    value = value or f"Bearer {site.key}"
    bodies = {"/api/commands": {"client_id": client["id"], "action": "status"}, "/api/clients": {"id": "twice"}}
    others = [("Authorization", f"Bearer {site.key}"), ("Content-Type", "application/json")]
    headers = [(other, said) for other, said in others if other != name] + [(name, value)]
    content = httpx.Request("POST", "http://hub", json=bodies.get(path, {})).content

    twice = CONNECTION.request("POST", site.url + path, content=content, headers=[*headers, (name, value)])
    assert named(twice) == [name.title()]


@pytest.mark.parametrize("path", ["/api/commands", "/api/dead-letters", "/api/dead-letters/summary"])
def test_bounds_between_which_nothing_lies_are_refused(site: Site, path: str) -> None:
    early, late = "2026-11-20T00:00:00Z", "2026-11-21T00:00:00+09:00"
    assert site.http.get(path, params={"created_after": early, "created_before": late}).status_code == 200
    for after, before in ((late, early), (early, early)):
        answer = site.http.get(path, params={"created_after": after, "created_before": before})
        assert named(answer) == ["created_after"]


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/commands?status=done", "status"),
        ("/api/commands?status=failed&status=x", "status"),
        ("/api/commands?client_id=PRESS", "client_id"),
        ("/api/commands?action=rm%20-rf", "action"),
        ("/api/commands?limit=-1", "limit"),
        ("/api/commands?limit=1.5", "limit"),
        ("/api/commands?limit=ten", "limit"),
        ("/api/commands?limit=1_0", "limit"),
        ("/api/dead-letters?limit=%2B5", "limit"),
        ("/api/clients?limit=5%0A", "limit"),
        ("/api/batches?limit=5.0", "limit"),
        ("/api/schedules?enabled=yes", "enabled"),
        ("/api/commands?created_after=yesterday", "created_after"),
        ("/api/commands?created_after=1764000000", "created_after"),
        ("/api/dead-letters?client_id=PRESS", "client_id"),
        ("/api/clients?presence=away", "presence"),
        ("/api/clients?status=ACTIVE", "status"),
        ("/api/clients?group=A", "group"),
        ("/api/batches?status=open", "status"),
        (f"/api/batches/{NOWHERE}?trouble=offline", "trouble"),
        (f"/api/batches/{NOWHERE}?blocked_by=silent", "blocked_by"),
        (f"/api/batches/{NOWHERE}?blocked_by=offline&status=completed", "blocked_by"),
        ("/api/schedules?enabled=2", "enabled"),
    ],
)
def test_a_filter_that_can_match_nothing_is_refused(site: Site, path: str, parameter: str) -> None:
    [field] = {item.partition(".")[0] for item in named(site.http.get(path))}
    assert field == parameter
