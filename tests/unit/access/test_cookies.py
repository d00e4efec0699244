"""When a page has a cookie, how it is called, and which requests are those of our own pages."""

from typing import Any

import pytest
from fastapi import Request, Response

from hub.core.access.routes.cookies import PageRules, require_csrf_token, require_our_page
from hub.core.access.service.sessions import csrf_token
from hub.errors import RejectedError


def request(scheme: str = "http", method: str = "POST", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in {"host": "localhost:8080", **headers}.items()}
    scope: dict[str, Any] = {
        "type": "http", "method": method, "scheme": scheme, "path": "/", "query_string": b"", "server": ("10.0.0.1", 8),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip
    return Request(scope)


@pytest.mark.parametrize(
    ("scheme", "host", "name"),
    [
        ("https", "hub.example", "__Host-floorhub"),
        ("https", "localhost:8443", "__Host-floorhub"),
        ("http", "localhost:8080", "floorhub-8080"),
        ("http", "hub.localhost", "floorhub-80"),
        ("http", "127.0.0.1:9", "floorhub-9"),
        ("http", "127.9.9.9:9", "floorhub-9"),
        ("http", "[::1]:8080", "floorhub-8080"),
        ("http", "hub.example", None),
        ("http", "10.0.0.1:8080", None),
        ("http", "localhost.example:8080", None),
        ("http", "127.0.0.1.example", None),
        ("http", "localhost@evil.example", None),
        ("http", "[fe80::1]:8080", None),
        ("http", "", None),
    ],
)
def test_a_page_has_a_cookie_over_tls_and_on_this_machine(scheme: str, host: str, name: str | None) -> None:
    asked = request(scheme, host=host)
    assert PageRules().cookie_name(asked) == name
    if name is None:
        with pytest.raises(RejectedError, match="https_needed"):
            PageRules().require_cookie_name(asked)
        assert (PageRules(plain=True).cookie_name(asked) or "").startswith("floorhub-")


def test_the_cookie_of_tls_is_for_this_host_alone() -> None:
    answer = Response()
    PageRules().set_cookie(request("https", host="hub.example"), answer, "value")
    assert set(answer.headers["set-cookie"].split("; ")) == {
        "__Host-floorhub=value", "HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict", "Secure"
    }  # fmt: skip


def test_a_cookie_is_taken_under_the_name_of_its_way_only() -> None:
    cookies = "floorhub-8080=plain; __Host-floorhub=secure; other=x"
    assert PageRules().cookie(request(cookie=cookies)) == "plain"
    assert PageRules().cookie(request("https", cookie=cookies)) == "secure"
    assert PageRules().cookie(request(host="hub.example", cookie=cookies)) is None
    for wrong in ("floorhub-8080=a; floorhub-8080=b", "floorhub-8080=", "floorhub-80=x", ""):
        assert PageRules().cookie(request(cookie=wrong)) is None


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "same"),
    [
        ("http", "localhost:8080", "http://localhost:8080", True),
        ("https", "hub.example", "https://hub.example", True),
        ("https", "hub.example:443", "https://hub.example", True),
        ("https", "HUB.example", "https://hub.example:443", True),
        ("https", "hub.example", "http://hub.example", False),
        ("https", "hub.example", "https://hub.example:8443", False),
        ("https", "hub.example", "https://hub.example.evil.example", False),
        ("https", "hub.example", "https://hub.example@evil.example", False),
        ("https", "hub.example", "null", False),
        ("https", "hub.example", "", False),
        ("https", "hub.example", "https://[", False),
        ("http", "localhost:8080", "http://localhost:99999", False),
    ],
)
def test_an_origin_is_ours_or_not(scheme: str, host: str, origin: str, same: bool) -> None:
    asked = request(scheme, host=host, origin=origin)
    if same:
        require_our_page(asked)
    else:
        with pytest.raises(RejectedError, match="origin_refused"):
            require_our_page(asked)


def test_what_changes_something_shows_the_token_of_its_cookie() -> None:
    right = csrf_token("cookie")
    require_csrf_token(request(x_csrf_token=right), "cookie")
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE"):
        for shown in ({}, {"x_csrf_token": ""}, {"x_csrf_token": csrf_token("other")}, {"x_csrf_token": right + "0"}):
            with pytest.raises(RejectedError, match="csrf_failed"):
                require_csrf_token(request(method=method, **shown), "cookie")
    for method in ("GET", "HEAD", "OPTIONS"):
        require_csrf_token(request(method=method), "cookie")
