"""A word is the same word in both of its normal forms: keyboards type NFC, names of files from macOS are NFD."""

from collections.abc import Callable
from unicodedata import normalize

import pytest

from tests.support.cli import floorhub
from tests.support.site import Site


def nfc(text: str) -> str:
    return normalize("NFC", text)


def nfd(text: str) -> str:
    return normalize("NFD", text)


Form = Callable[[str], str]
PDF = {"Content-Type": "application/pdf"}
FORMS = pytest.mark.parametrize(("stored", "asked"), [(nfc, nfd), (nfd, nfc)], ids=["NFD asks", "NFC asks"])


@FORMS
def test_zone_tags_and_groups_are_found_by_either_form(site: Site, stored: Form, asked: Form) -> None:
    made = site.client(zone=stored("포장"), tags=[stored("라벨")], name=stored("포장 é 1"))
    client_id = made["id"]
    assert (made["zone"], made["tags"], made["name"]) == (nfc("포장"), [nfc("라벨")], nfc("포장 é 1"))

    for query in ({"zone": asked("포장")}, {"tag": asked("라벨")}):
        listed = site.http.get("/api/clients", params=query).json()["items"]
        assert client_id in [each["id"] for each in listed]
    assert client_id in [each["id"] for each in floorhub(site, "client", "list", "--zone", asked("포장"))]
    for target in ({"zone": asked("포장")}, {"tags": {"any": [asked("라벨")]}}, {"tags": {"all": [asked("라벨")]}}):
        body = {"target": target, "command": {"action": "status"}, "dry_run": True}
        preview = site.http.post("/api/batches", json=body).json()
        assert client_id in [each["client_id"] for each in preview["items"]]
    site.http.delete(f"/api/clients/{client_id}")


@FORMS
def test_an_order_is_found_and_held_by_either_form(site: Site, stored: Form, asked: Form) -> None:
    client_id = site.client()["id"]
    words = {"reference": stored("주문 7"), "order_key": stored("트럭 7"), "tags": [stored("급함")]}
    first = site.send(client_id, "open-door", {}, **words)
    again = {"reference": asked("주문 7"), "order_key": asked("트럭 7"), "tags": [asked("급함")]}
    second = site.send(client_id, "open-door", {}, **again)

    for query in ({"reference": asked("주문 7")}, {"tag": asked("급함")}):
        found = site.http.get("/api/commands", params={"client_id": client_id, **query}).json()["items"]
        assert {each["id"] for each in found} == {first["id"], second["id"]}
    assert first["order_key"] == second["order_key"] == nfc("트럭 7")


@FORMS
def test_a_schedule_has_one_name(site: Site, stored: Form, asked: Form) -> None:
    request = {"target": {"all": True}, "command": {"action": "status"}}
    body = {"name": stored("아침"), "cron": "0 7 1 1 *", "request": request, "enabled": False}
    made = site.http.post("/api/schedules", json=body).json()
    taken = site.http.post("/api/schedules", json={**body, "name": asked("아침")})
    found = site.http.get("/api/schedules", params={"name": asked("아침")}).json()["items"]
    site.http.delete(f"/api/schedules/{made['id']}")
    assert (taken.status_code, [each["id"] for each in found]) == (409, [made["id"]])


def test_a_document_has_the_name_that_a_keyboard_types(site: Site) -> None:
    answer = site.http.post("/api/documents", params={"filename": nfd("송장.pdf")}, content=b"%PDF-1.4", headers=PDF)
    assert answer.json()["filename"] == nfc("송장.pdf")


def test_what_a_device_is_asked_stays_as_it_was_sent(site: Site) -> None:
    payload = {nfd("문"): nfd("열림")}
    posted = site.send(site.client(metadata=payload)["id"], "open-door", payload)
    assert posted["payload"] == payload
    assert site.http.get(f"/api/clients/{posted['client_id']}").json()["metadata"] == payload
