"""`POST /api/commands` is served past the framework when it is plainly right: the answers of both ways are the same."""

import uuid
from typing import Any

import httpx
import pytest

from tests.support.site import Site

LONG = {"Content-Type": "application/json; way=long"}
"""A content type that the fast path does not know and the framework takes for JSON all the same."""
SHORT = {"Content-Type": "application/json"}
OWN = {"id", "created_at", "expires_at"}
"""What differs between any two commands."""


def post(site: Site, body: Any, headers: dict[str, str], path: str = "/api/commands") -> httpx.Response:
    return site.http.post(path, json=body, headers=headers)


def told(response: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    body = response.json()
    kept = ("content-type", "content-language", "retry-after", "www-authenticate", "ratelimit-remaining")
    headers = {name: response.headers[name] for name in kept if name in response.headers}
    headers.pop("ratelimit-remaining", None)
    assert ("location" in response.headers) == response.is_success
    return response.status_code, {name: value for name, value in body.items() if name not in OWN}, headers


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"action": "open-door"}, {}),
        ({"action": "open-door", "payload": {"a": [1, 2.5, None, "ä"]}, "tags": ["x"], "maxRetries": 0}, {}),
        ({"action": "open-door", "expires_at": "2199-01-01T00:00:00+09:00", "order_key": "k", "priority": 9}, {}),
        ({"action": "open-door", "not_before": "2198-01-01T00:00:00Z"}, {"traceparent": "00-ab-cd-01"}),
        ({"action": "open-door", "client_id": "nobody"}, {"Accept-Language": "ko"}),
        ({"action": "open-door"}, {"Authorization": "Bearer wrong"}),
        ({"action": "open-door"}, {"Authorization": "", "X-API-Key": "wrong"}),
        ({"action": "open-door", "payload": {"t": "\0"}}, {}),
        ({"action": "open-door", "payload": {"n": 2**80}}, {}),
        ({"action": "open-door", "when_offline": "fail"}, {}),
        ({"action": "print", "payload": {"printer": "p", "document": str(uuid.UUID(int=1))}}, {}),
        ({"action": "open-door", "expires_at": "2001-01-01T00:00:00Z"}, {}),
        ({"action": "open-door", "payload": {"text": "x" * 60_000}}, {}),
    ],
)
def test_both_ways_answer_the_same(site: Site, body: dict[str, Any], headers: dict[str, str]) -> None:
    # One client for both ways, so that nothing else can differ.
    whole = {"client_id": site.client()["id"], **body}
    assert told(post(site, whole, {**SHORT, **headers})) == told(post(site, whole, {**LONG, **headers}))


def test_limits_and_keys_hold_over_both_ways(site: Site) -> None:
    client = site.client(rate_limit=2)
    body = {"client_id": client["id"], "action": "open-door"}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = post(site, body, {**SHORT, **key})
    assert first.status_code == 201
    for way in (SHORT, LONG):
        again = post(site, body, {**way, **key})
        assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
        other = post(site, {**body, "priority": 1}, {**way, **key})
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert post(site, body, LONG).status_code == 201
    for way in (SHORT, LONG):
        refused = post(site, body, way)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 61
