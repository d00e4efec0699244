"""`GET /api/printers`: the printers of all clients as each last reported them, with filters and pages."""

from typing import Any

import pytest

from schemas.topics import Channel
from tests.support.site import Site
from tests.support.speaker import Speaker, now
from tests.support.waiting import until

LASER = {
    "name": "laser",
    "uri": "ipp://printer.example/ipp/print",
    "state": "stopped",
    "reasons": [{"reason": "media-empty", "severity": "error"}, {"reason": "toner-low", "severity": "warning"}],
    "supplies": [{"name": "Black", "kind": "toner", "level": 7}],
    "message": "Load paper.",
    "title": "1층 카운터",
    "default": True,
    "accepting_jobs": True,
    "model": "Example Laser 4000",
    "queued_jobs": 3,
    "media_ready": ["iso_a4_210x297mm"],
    "media_default": "iso_a4_210x297mm",
}
ODD: list[dict[str, Any]] = [
    {},
    {
        "name": 7,
        "title": ["x"],
        "default": "yes",
        "reasons": 3,
        "supplies": [1, {"level": 101}],
        "queued_jobs": -1,
        "accepting_jobs": "yes",
    },
    {"name": None, "state": [], "model": {"x": 1}, "media_ready": ["iso_a4_210x297mm", 5, ""]},
    {"name": "label", "state": "idle", "reasons": ["media-low"], "model": "Zebra ZD420"},
]


@pytest.fixture
def client(site: Site, speaker: Speaker) -> str:
    """A client that has just reported these printers."""
    speaker.settle()
    speaker.say(Channel.STATE, speaker.message("state", at=now(), printers=[LASER, *ODD]), retain=True)
    until(lambda: listed(site, client_id=speaker.id), "its printers")
    return speaker.id


def listed(site: Site, **query: Any) -> list[dict[str, Any]]:
    answer = site.http.get("/api/printers", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def names(site: Site, client: str, **query: Any) -> list[str | None]:
    return [item["name"] for item in listed(site, client_id=client, **query)]


def test_a_printer_has_what_its_client_reported(site: Site, client: str) -> None:
    laser = listed(site, client_id=client)[0]
    kept = {name: value for name, value in LASER.items() if name != "uri"}
    assert laser == kept | {
        "client_id": client,
        "client_name": client,
        "zone": None,
        "presence": "online",
        "reported_at": laser["reported_at"],
    }
    assert laser["reported_at"]


def test_what_makes_no_sense_is_left_out(site: Site, client: str) -> None:
    _, nothing, numbers, lists, label = listed(site, client_id=client)
    empty = {"name": None, "model": None, "message": None, "reasons": [], "supplies": [], "media_ready": []}
    empty |= {
        "title": None,
        "default": None,
        "media_default": None,
        "accepting_jobs": None,
        "queued_jobs": None,
        "state": "unknown",
    }
    assert {name: nothing[name] for name in empty} == empty
    assert {name: numbers[name] for name in empty} == empty | {
        "supplies": [{"name": None, "kind": None, "level": None}]
    }
    assert {name: lists[name] for name in empty} == empty | {"media_ready": ["iso_a4_210x297mm"]}
    assert (label["state"], label["reasons"]) == ("idle", [{"reason": "media-low", "severity": None}])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "laser"}, ["laser"]),
        ({"name": "Laser"}, []),
        ({"model": "laser 40"}, ["laser"]),
        ({"model": "%"}, []),
        ({"state": "idle"}, ["label"]),
        ({"state": ["stopped", "idle"]}, ["laser", "label"]),
        ({"state": "unknown"}, [None, None, None]),
        ({"reason": "media-empty"}, ["laser"]),
        ({"reason": "media-low"}, ["label"]),
        ({"presence": "offline"}, []),
        ({"presence": "online", "name": "label"}, ["label"]),
        ({"zone": "nowhere"}, []),
        ({"tag": "nothing"}, []),
        ({"group": "nobody"}, []),
    ],
)
def test_filters(site: Site, client: str, query: dict[str, Any], found: list[str | None]) -> None:
    assert names(site, client, **query) == found


def test_filters_of_the_client(site: Site, client: str) -> None:
    site.http.patch(f"/api/clients/{client}", json={"zone": "dock", "tags": ["a", "b"]}).raise_for_status()
    site.http.post("/api/groups", json={"id": f"g-{client}", "clients": [client]}).raise_for_status()
    for query in ({"zone": "dock"}, {"tag": "b"}, {"group": f"g-{client}"}):
        assert len(names(site, client, **query)) == 5
    assert listed(site, client_id=client)[0]["zone"] == "dock"
    site.http.delete(f"/api/groups/g-{client}").raise_for_status()


def test_pages_have_everything_once(site: Site, client: str) -> None:
    whole, pages, cursor = listed(site, limit=200), [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = site.http.get("/api/printers", params=query).json()
        pages += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["items"]) == 2
    assert pages == whole
    assert [item["client_id"] for item in whole] == sorted(item["client_id"] for item in whole)


@pytest.mark.parametrize("cursor", ["x", ":1", "pc-1:", "pc-1:-1", "pc-1:1x", "pc-1:9999999999", "pc-1:\uff11"])
def test_a_cursor_of_something_else_is_refused(site: Site, cursor: str) -> None:
    answer = site.http.get("/api/printers", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize("query", [{"state": "broken"}, {"presence": "here"}, {"colour": "red"}, {"limit": 0}])
def test_what_can_match_nothing_is_refused(site: Site, query: dict[str, Any]) -> None:
    assert site.http.get("/api/printers", params=query).status_code == 422


def test_printers_of_a_retired_client_are_gone(site: Site, client: str) -> None:
    site.http.delete(f"/api/clients/{client}").raise_for_status()
    assert listed(site, client_id=client) == []
