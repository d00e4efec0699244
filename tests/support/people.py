"""People of a site, and what they sign in with."""

import itertools
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support import plain_http
from tests.support.site import Site

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Page:
    """A page that somebody has signed in on; a browser's view of the hub. Close `http`."""

    http: httpx.Client
    csrf: str
    signed_in: dict[str, Any]

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request with the page's token."""
        headers = {"X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)


def add(site: Site, role: str = "operator", **fields: Any) -> dict[str, Any]:
    """A person of a name of his own, by the administrator's key; the answer."""
    body = {"login": f"person-{next(_numbers)}", "role": role, "password": PASSWORD, **fields}
    answer = site.http.post("/api/users", json=body)
    assert answer.status_code == 201, answer.text
    person: dict[str, Any] = answer.json()
    return person


def sign_in(url: str, login: str, password: str = PASSWORD, **fields: Any) -> httpx.Response:
    """Ask for tokens, or for a page's session."""
    body = {"login": login, "password": password, **fields}
    return plain_http.request("POST", f"{url}/api/auth/login", json=body)


def tokens(url: str, login: str, **fields: Any) -> dict[str, Any]:
    """The tokens of a person; the answer."""
    answer = sign_in(url, login, **fields)
    assert answer.status_code == 200, answer.text
    pair: dict[str, Any] = answer.json()
    return pair


def refresh(url: str, token: str, **fields: Any) -> httpx.Response:
    """Use a refresh token."""
    return plain_http.request("POST", f"{url}/api/auth/refresh", json={"refreshToken": token, **fields})


def who(url: str, access_token: str) -> httpx.Response:
    """Who an access token stands for."""
    return plain_http.get(f"{url}/api/auth/whoami", headers={"Authorization": f"Bearer {access_token}"})


def open_page(url: str, login: str, password: str = PASSWORD) -> Page:
    """Sign in on a page. Close it."""
    http = plain_http.client(url)
    answer = http.post("/api/auth/login", json={"login": login, "password": password, "session": "page"})
    assert answer.status_code == 200, answer.text
    return Page(http, answer.json()["csrfToken"], answer.json())
