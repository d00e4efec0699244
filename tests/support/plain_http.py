"""HTTP without TLS to what runs on this machine, past any proxy.

httpx loads the list of authorities for each client that it makes, which takes up to 50 ms, also for plain HTTP.
"""

import ssl
from typing import Any

import httpx

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody."""


def client(url: str = "", **options: Any) -> httpx.Client:
    """A client of one's own; a request may take a little more than the hub lets anybody wait. Close it."""
    return httpx.Client(base_url=url, **{"verify": NO_AUTHORITIES, "trust_env": False, "timeout": 70, **options})


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """One request on a connection of its own."""
    return httpx.request(method, url, **{"verify": NO_AUTHORITIES, "trust_env": False, "timeout": 30, **options})


def get(url: str, **options: Any) -> httpx.Response:
    """One GET on a connection of its own."""
    return request("GET", url, **options)
