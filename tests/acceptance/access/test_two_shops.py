"""Two shops at one hub, with the same names for everything: neither sees, uses or blocks what the other has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from hub.core.access.rules import Permission
from tests.support.hubs import permissions, query_parameters, routes
from tests.support.shops import TEXT, Maker, alike, made
from tests.support.site import NOWHERE

pytestmark = pytest.mark.own_site("what others left behind would be in the lists")

ORDER = {"reference": "order-1", "tags": ["urgent"], "order_key": "order-1"}
PRINT = {"action": "print", "expires_in_s": 3600}


@dataclass
class Shop:
    """A shop: its clients, its key, and what it has made, by a name that both shops use."""

    zone: str
    clients: list[str]
    group: str
    principal_id: str
    http: httpx.Client
    things: dict[str, str] = field(default_factory=dict)
    answers: dict[str, httpx.Response] = field(default_factory=dict)

    @property
    def marks(self) -> list[str]:
        """What tells of this shop, wherever it stands."""
        return [*self.clients, self.zone, self.group, self.principal_id, *self.things.values()]

    @property
    def names(self) -> dict[str, str]:
        """The same, each with a word in its place that both shops have."""
        own = {self.group: "GROUP", self.principal_id: "PRINCIPAL", self.zone: "ZONE"}
        listed = {client_id: f"CLIENT {place}" for place, client_id in enumerate(self.clients)}
        return {value: name.upper() for name, value in self.things.items()} | listed | own


def open_shop(maker: Maker, zone: str) -> Shop:
    clients = [maker.client(zone)["id"] for _ in range(2)]
    principal_id, key = maker.principal("operator", "granted", ("zone", zone, "command"))
    return Shop(zone, clients, maker.group(*clients), str(principal_id), maker.http(key))


def work(shop: Shop, maker: Maker) -> None:
    """What a shop does on a day: the same as the other, under the same names."""
    http, first = shop.http, shop.clients[0]

    def post(name: str, path: str, key: str | None = None, /, **body: Any) -> str:
        headers = {} if key is None else {"Idempotency-Key": key}
        shop.answers[name] = http.post(path, headers=headers, json=body)
        shop.things[name] = made(shop.answers[name])["id"]
        return shop.things[name]

    pdf = {"Content-Type": "application/pdf"}
    for name in ("document", "document again"):
        uploaded = http.post("/api/documents", params={"filename": "label.pdf"}, content=TEXT, headers=pdf)
        shop.answers[name], shop.things[name] = uploaded, made(uploaded)["id"]
    document = {"printer": "office", "document": shop.things["document"]}
    post("command", "/api/commands", "order-1", client_id=first, payload=document, **PRINT, **ORDER)
    all_of_it = {"target": {"all": True}, "command": {"action": "open-door", **ORDER}}
    post("batch", "/api/batches", "order-1", **all_of_it)
    post("tags", "/api/batches", target={"tags": {"any": ["door"]}}, command={"action": "open-door"})
    post("group", "/api/batches", target={"group": shop.group}, command={"action": "open-door"})
    post("schedule", "/api/schedules", name="every morning", cron="0 7 29 2 *", request=all_of_it)
    shop.answers["preview"] = http.post("/api/batches", json={**all_of_it, "dry_run": True})
    for name in ("dead letter", "another dead letter"):
        shop.things[name] = maker.dead(http, first)
    for name, path in (("the same command", "/api/commands"), ("the same batch", "/api/batches")):
        body = all_of_it if "batch" in name else {"client_id": first, "payload": document, **PRINT, **ORDER}
        shop.answers[name] = http.post(path, headers={"Idempotency-Key": "order-1"}, json=body)


@pytest.fixture(scope="module")
def shops(maker: Maker) -> tuple[Shop, Shop]:
    shops = open_shop(maker, "north"), open_shop(maker, "south")
    maker.database.execute("UPDATE clients SET tags = '{door}'")
    for shop in shops:
        work(shop, maker)
    return shops


@pytest.fixture(params=["the first", "the second"])
def pair(shops: tuple[Shop, Shop], request: pytest.FixtureRequest) -> tuple[Shop, Shop]:
    """Who asks, and the other."""
    return shops if request.param == "the first" else (shops[1], shops[0])


def without_time(answer: httpx.Response, names: Mapping[str, str]) -> Any:
    """What an answer says but for ids, times and what a client's limits have left."""
    status, told, headers = alike(answer, names)
    found = httpx.Response(status, text=told).json()

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items() if not name.endswith(("_at", "version"))}
        return [plain(one) for one in value] if isinstance(value, list) else value

    return status, plain(found), headers


def test_the_second_shop_is_told_what_the_first_was(shops: tuple[Shop, Shop]) -> None:
    first, second = shops
    for name, answer in first.answers.items():
        assert without_time(second.answers[name], second.names) == without_time(answer, first.names), name
    assert {first.answers[name].status_code for name in ("document", "command", "batch", "schedule")} == {201}
    assert {first.answers[name].status_code for name in ("the same command", "the same batch")} == {200}
    # Nothing is shared, and nothing says that the same bytes were there already: not even to the same shop.
    assert len({shop.things[name] for shop in shops for name in ("document", "document again")}) == 4


def test_a_batch_reaches_ones_own_clients_only(pair: tuple[Shop, Shop]) -> None:
    shop, other = pair
    for name in ("batch", "tags", "group"):
        shown = made(shop.http.get(f"/api/batches/{shop.things[name]}"))
        assert {item["client_id"] for item in shown["items"]} == set(shop.clients)
        assert (shown["total"], shown["rejected"], sum(shown["counts"].values())) == (2, 0, 2)
    assert [item["client_id"] for item in shop.answers["preview"].json()["items"]] == sorted(shop.clients)
    assert not set(shop.answers["preview"].text.split('"')) & set(other.marks)


READING = {
    route.path: query_parameters(route)
    for route in routes()
    if route.methods == {"GET"} and Permission.READ in permissions(route.dependant) and "{" not in route.path
}


@pytest.mark.parametrize("path", sorted(READING))
def test_no_list_and_no_filter_tells_of_the_other(pair: tuple[Shop, Shop], path: str) -> None:
    shop, other = pair
    of_other = {"client_id": other.clients[0], "zone": other.zone, "group": other.group}
    same = {"reference": "order-1", "tag": "urgent", "name": "every morning", "action": "open-door"}
    nothing = {"client_id": "nobody", "zone": "nowhere", "group": "nobody"}
    asked: list[dict[str, str]] = [{}, {"limit": "1"}, *({name: value} for name, value in (same | of_other).items())]
    asked += [{name: same[name], "client_id": other.clients[0]} for name in ("reference", "action")]
    for wanted in asked:
        if not set(wanted) <= set(READING[path]):
            continue
        answer = shop.http.get(path, params=wanted)
        found = [mark for mark in other.marks if mark in answer.text and mark not in wanted.values()]
        assert found == [], f"{path} {wanted}: {answer.text[:500]}"
        if set(wanted) & set(of_other):
            unknown = shop.http.get(path, params={name: nothing.get(name, value) for name, value in wanted.items()})
            assert alike(answer, {}) == alike(unknown, {}), wanted
    while cursor := (answer.json() if answer.is_success and answer.text[:1] == "{" else {}).get("next_cursor"):
        answer = shop.http.get(path, params={"limit": "1", "cursor": cursor})
        assert [mark for mark in other.marks if mark in answer.text] == []


def bodies(one: Mapping[str, str], client_id: str, group: str, zone: str) -> dict[str, tuple[str, Any]]:
    """Requests that name a thing within their bodies."""
    document = {"printer": "office", "document": one["document"]}
    opening = {"action": "open-door"}
    target = {"group": group}
    timed = {"name": "of the other", "cron": "0 7 29 2 *"}
    return {
        "a command for a client": ("/api/commands", {"client_id": client_id, **opening}),
        "a batch for a client": ("/api/batches", {"target": {"clients": [client_id]}, "command": opening}),
        "a batch for a group": ("/api/batches", {"target": target, "command": opening}),
        "a batch for a zone": ("/api/batches", {"target": {"zone": zone}, "command": opening}),
        "a list of commands": ("/api/batches", {"commands": [{"client_id": client_id, **opening}]}),
        "a preview": ("/api/batches", {"target": target, "command": opening, "dry_run": True}),
        "a schedule for a client": (
            "/api/schedules",
            {**timed, "request": {"target": {"clients": [client_id]}, "command": opening}},
        ),
        "a schedule for a group": ("/api/schedules", {**timed, "request": {"target": target, "command": opening}}),
        "a document in a command": ("/api/commands", {"client_id": "OWN", "payload": document, **PRINT}),
        "a document in a batch": ("/api/batches", {"target": {"all": True}, "command": {"payload": document, **PRINT}}),
        "a document in a schedule": (
            "/api/schedules",
            {**timed, "request": {"target": {"all": True}, "command": {"payload": document, **PRINT}}},
        ),
        "a replay": ("/api/dead-letters/replay", {"ids": [one["dead letter"]], "force": True}),
        "a dismissal": ("/api/dead-letters/dismiss", {"ids": [one["dead letter"]]}),
        "a replay by filter": ("/api/dead-letters/replay", {"filter": {"client_id": client_id}, "force": True}),
        "a dismissal by filter": ("/api/dead-letters/dismiss", {"filter": {"client_id": client_id}}),
    }


def test_what_the_other_has_can_be_named_in_no_request(pair: tuple[Shop, Shop]) -> None:
    shop, other = pair
    theirs = bodies(other.things, other.clients[0], other.group, other.zone)
    none = bodies(dict.fromkeys(other.things, NOWHERE), "nobody", "nobody", "nowhere")
    taken = dict.fromkeys((*other.marks, NOWHERE, "nobody", "nowhere"), "ID")
    for name, (path, body) in theirs.items():
        answers = []
        for asked in (body, none[name][1]):
            if asked.get("client_id") == "OWN":
                asked = {**asked, "client_id": shop.clients[0]}
            answers.append(alike(shop.http.post(path, json=asked), taken))
        assert answers[0] == answers[1], name
        assert answers[0][0] in (200, 404, 422), name
        assert answers[0][0] != 200 or name.startswith(("a replay", "a dismissal")), name


def test_whoever_asks_for_all_dead_letters_means_his_own(shops: tuple[Shop, Shop]) -> None:
    first, second = shops

    def letters(shop: Shop) -> set[str]:
        return {item["id"] for item in made(shop.http.get("/api/dead-letters"))["items"]}

    before = letters(first)
    assert before == {first.things["dead letter"], first.things["another dead letter"]}
    for shop, other in ((first, second), (second, first)):
        of_other = letters(other)
        one = {"filter": {"reference": "order-1"}}
        replayed = made(
            shop.http.post("/api/dead-letters/replay", json={"ids": [shop.things["dead letter"]], "force": True})
        )
        assert replayed["replayed"] == 1
        assert made(shop.http.post("/api/dead-letters/dismiss", json=one))["dismissed"] == 1
        assert letters(shop) == set()
        assert letters(other) == of_other
    summary = made(first.http.get("/api/dead-letters/summary"))
    assert summary == made(second.http.get("/api/dead-letters/summary"))


def test_neither_stops_what_the_other_has_sent(pair: tuple[Shop, Shop]) -> None:
    shop, other = pair
    before = [made(other.http.get(f"/api/{kind}/{other.things[name]}")) for kind, name in _KEPT]
    for kind, name in _KEPT:
        for ask in (shop.http.delete, shop.http.get, lambda path: shop.http.post(f"{path}/cancel")):
            assert ask(f"/api/{kind}/{other.things[name]}").status_code in (404, 405)
    made(shop.http.post(f"/api/batches/{shop.things['tags']}/cancel"))
    assert [made(other.http.get(f"/api/{kind}/{other.things[name]}")) for kind, name in _KEPT] == before


_KEPT = (("batches", "batch"), ("schedules", "schedule"), ("commands", "command"))
