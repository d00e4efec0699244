"""Over HTTP: two shops know nothing of each other's commands, and who may only read is told what to ask for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import psycopg
import pytest

from tests.support import access, plain_http
from tests.support.access import at_once
from tests.support.site import NOWHERE, Site
from tests.support.waiting import until

BOTH_WAYS = ["application/json", "application/json; way=long"]
"""The fast path, and the one through the framework."""


class Shop(NamedTuple):
    """One integration, granted one zone."""

    principal: UUID
    client: str
    http: httpx.Client


@pytest.fixture(scope="module")
def shops(site: Site, database: psycopg.Connection[Any]) -> Iterator[tuple[Shop, Shop]]:
    made = []
    for zone in ("shop-a", "shop-b"):
        who = at_once(access.principal(database))
        at_once(access.grant(database, who, "zone", zone))
        made.append(Shop(who, site.client(zone=zone)["id"], _http(site, at_once(access.key(database, who)))))
    yield made[0], made[1]
    for shop in made:
        shop.http.close()


def _http(site: Site, key: str) -> httpx.Client:
    return plain_http.client(site.url, headers={"Authorization": f"Bearer {key}"})


def send(shop: Shop, client_id: str, **fields: Any) -> httpx.Response:
    headers = fields.pop("headers", {})
    return shop.http.post(
        "/api/commands", json={"client_id": client_id, "action": "open-door", **fields}, headers=headers
    )


def told(answer: httpx.Response, *own: str) -> tuple[int, str, dict[str, str]]:
    """What an answer says, but for ids that it was asked about and its moment."""
    text = answer.text
    for each in own:
        text = text.replace(each, "?")
    moments = ("date", "content-length", "x-request-id")
    return answer.status_code, text, {name: said for name, said in answer.headers.items() if name not in moments}


@pytest.mark.parametrize("content_type", BOTH_WAYS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_client_of_the_other_shop_is_answered_as_one_that_there_is_not(
    shops: tuple[Shop, Shop], content_type: str, language: str
) -> None:
    one, other = shops
    headers = {"Content-Type": content_type, "Accept-Language": language, "Idempotency-Key": f"k-{content_type[-4:]}"}
    hidden = send(one, other.client, headers=headers)
    unknown = send(one, "no-such-pc", headers=headers)
    assert told(hidden, other.client) == told(unknown, "no-such-pc")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "client_not_found")


ABOUT_ONE = [
    ("GET", "/api/commands/{}", None),
    ("GET", "/api/commands/{}/logs", None),
    ("GET", "/api/commands/{}/explain", None),
    ("POST", "/api/commands/{}/cancel", None),
    ("POST", "/api/commands/{}/retry", {"force": True}),
    ("POST", "/api/commands/{}/decide", {"outcome": "completed"}),
]


def test_a_command_of_the_other_shop_is_not_there_on_any_route(shops: tuple[Shop, Shop]) -> None:
    one, other = shops
    made = send(other, other.client, reference="order-1").json()["id"]
    for method, path, body in ABOUT_ONE:
        answers = [told(one.http.request(method, path.format(asked), json=body), asked) for asked in (made, NOWHERE)]
        assert answers[0] == answers[1], path
        assert answers[0][0] == 404
        assert other.http.request(method, path.format(made), json=body).status_code in (200, 409), path
    for path in ("/api/dead-letters/replay", "/api/dead-letters/dismiss"):
        items = [one.http.post(path, json={"ids": [asked]}).json()["items"][0] for asked in (made, NOWHERE)]
        assert [item["code"] for item in items] == ["command_not_found"] * 2


def test_the_same_reference_and_idempotency_key_in_two_shops_are_two(shops: tuple[Shop, Shop]) -> None:
    one, other = shops
    key = {"Idempotency-Key": "order-77"}
    first, second = [send(shop, shop.client, reference="order-77", headers=key) for shop in shops]
    assert (first.status_code, second.status_code) == (201, 201)
    # The same key with another body names what was made with it to its own principal only.
    taken = send(one, one.client, reference="order-78", headers=key)
    assert (taken.status_code, taken.json()["made"]) == (409, first.json()["id"])
    for shop, own in ((one, first), (other, second)):
        found = shop.http.get("/api/commands", params={"reference": "order-77"}).json()["items"]
        assert [each["id"] for each in found] == [own.json()["id"]]
    asked = [one.http.get("/api/commands", params={"client_id": name}).json() for name in (other.client, "no-such-pc")]
    assert asked == [{"items": [], "next_cursor": None}] * 2


def test_printers_of_the_other_shop_are_not_listed(shops: tuple[Shop, Shop], database: psycopg.Connection[Any]) -> None:
    one, other = shops
    for shop in shops:
        database.execute(
            "UPDATE client_sessions SET state = %s WHERE client_id = %s",
            ('{"printers": [{"name": "labels", "state": "idle"}]}', shop.client),
        )
    for shop in shops:
        listed = shop.http.get("/api/printers").json()["items"]
        assert [each["client_id"] for each in listed] == [shop.client]
    assert one.http.get("/api/printers", params={"client_id": other.client}).json()["items"] == []


@pytest.mark.parametrize("content_type", BOTH_WAYS)
def test_who_may_only_read_is_told_what_to_ask_for(
    site: Site, shops: tuple[Shop, Shop], database: psycopg.Connection[Any], content_type: str
) -> None:
    one, _ = shops
    who = at_once(access.principal(database))
    at_once(access.grant(database, who, "client", one.client, "read"))
    made = send(one, one.client).json()["id"]
    with _http(site, at_once(access.key(database, who))) as http:
        assert http.get(f"/api/commands/{made}").json()["id"] == made
        body = {"client_id": one.client, "action": "open-door"}
        for answer in (
            http.post("/api/commands", json=body, headers={"Content-Type": content_type}),
            http.post(f"/api/commands/{made}/cancel"),
        ):
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (403, "grant_missing")
            assert {one.client, "open-door", "`command`"} <= set(
                problem["detail"].replace(",", " ").replace(":", " ").split()
            )
        korean = http.post("/api/commands", json=body, headers={"Accept-Language": "ko"}).json()["detail"]
        assert "open-door" in korean
        assert "접근 허용을 관리자에게 요청" in korean


@pytest.mark.parametrize(
    ("language", "whom", "what"), [("en", "an administrator", "grant"), ("ko", "관리자", "접근 허용")]
)
def test_who_names_what_he_cannot_see_is_told_whom_to_ask_for_what(
    shops: tuple[Shop, Shop], language: str, whom: str, what: str
) -> None:
    one, other = shops
    of_the_other = send(other, other.client).json()["id"]
    status = {"action": "open-door"}

    def post(path: str, body: dict[str, Any]) -> httpx.Response:
        return one.http.post(path, json=body, headers={"Accept-Language": language})

    def advice(answer: httpx.Response, name: str) -> str:
        problem = answer.json()
        detail: str = problem["detail"]
        assert whom in detail, detail
        assert what in detail, detail
        return detail.replace(name, "NAME")

    for name in (other.client, "nobody-1"):
        first = post("/api/commands", {"client_id": name, **status})
        assert (first.status_code, first.json()["code"]) == (404, "client_not_found")
        assert advice(first, name) == advice(post("/api/commands", {"client_id": "nobody-2", **status}), "nobody-2")
    hidden, absent = (post(f"/api/commands/{each}/cancel", {}) for each in (of_the_other, NOWHERE))
    assert (hidden.status_code, hidden.json()["code"]) == (404, "command_not_found")
    assert advice(hidden, of_the_other) == advice(absent, NOWHERE)
    nothing = post("/api/batches", {"target": {"zone": "no zone of theirs"}, "command": status})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "no_targets")
    advice(nothing, "")


@pytest.mark.parametrize("content_type", BOTH_WAYS)
def test_a_wait_ends_when_its_key_is_revoked_and_stores_nothing_more(
    site: Site, shops: tuple[Shop, Shop], database: psycopg.Connection[Any], content_type: str
) -> None:
    who = at_once(access.principal(database, reach="all"))
    reference = f"revoked-{content_type[-4:]}"
    with (
        _http(site, at_once(access.key(database, who))) as http,
        ThreadPoolExecutor(1) as beside,
    ):
        body = {"client_id": shops[0].client, "action": "open-door", "reference": reference}
        headers = {"Content-Type": content_type}
        waits = beside.submit(http.post, "/api/commands", params={"wait": 60}, json=body, headers=headers, timeout=30)

        def stored() -> Any:
            return site.http.get("/api/commands", params={"reference": reference}).json()["items"]

        until(stored, "the command")
        database.execute("UPDATE api_keys SET revoked_at = now() WHERE principal_id = %s", (who,))
        assert waits.result().status_code == 401
        # What was looked up just before may be believed for a moment.
        until(lambda: http.get("/api/auth/whoami").status_code == 401, "the key is refused")
        assert http.post("/api/commands", json=body, headers=headers).status_code == 401
    assert len(stored()) == 1


def test_a_wait_ends_and_its_command_is_withheld_when_the_grant_is_gone(
    site: Site, shops: tuple[Shop, Shop], database: psycopg.Connection[Any]
) -> None:
    one, _ = shops
    who = at_once(access.principal(database))
    granted = at_once(access.grant(database, who, "client", one.client))
    with (
        _http(site, at_once(access.key(database, who))) as http,
        ThreadPoolExecutor(1) as beside,
    ):
        body = {"client_id": one.client, "action": "open-door", "reference": "withheld"}
        # It would wait for as long as a request may, and this test for half of that.
        waits = beside.submit(http.post, "/api/commands", params={"wait": 60}, json=body, timeout=30)

        def stored() -> Any:
            return site.http.get("/api/commands", params={"reference": "withheld"}).json()["items"]

        until(stored, "the command")
        database.execute("DELETE FROM grants WHERE id = %s", (granted,))
        assert waits.result().json()["code"] == "command_not_found"
    [command] = stored()

    def cause() -> Any:
        return site.http.get(f"/api/commands/{command['id']}/explain").json()["cause"]

    until(lambda: cause() == "principal_revoked", "the command is withheld")
    at_once(access.grant(database, who, "client", one.client))
    until(lambda: cause() != "principal_revoked", "it is let go")
