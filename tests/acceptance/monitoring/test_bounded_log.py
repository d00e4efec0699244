"""A stranger, or one client, does not fill the hub's disk with lines."""

import json
from collections import Counter
from typing import Any

from hub.api.server import MOST_REQUESTS
from hub.telemetry.throttle import MOST_LINES
from schemas.topics import Channel
from tests.support import plain_http
from tests.support.site import Process, Site
from tests.support.speaker import Speaker
from tests.support.waiting import until

MANY = 300


def events(process: Process) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.log.read_text().splitlines()]


def test_requests_without_a_key_have_a_bound_and_those_with_one_have_none(site: Site) -> None:
    hub = site.add_hub("asked")
    site.wait_ready("asked")
    url = site.hub_url("asked")
    with plain_http.client(url) as http:
        for _ in range(MANY):
            assert http.get("/api/commands").status_code == 401
    with plain_http.client(url, headers={"Authorization": f"Bearer {site.key}"}) as http:
        for _ in range(MANY):
            assert http.get("/api/clients?limit=1").status_code == 200

    def written() -> Counter[int]:
        return Counter(line["status"] for line in events(hub) if line["event"] == "http.request")

    until(lambda: written()[200] >= MANY, "a line for each request with a key")
    assert MOST_REQUESTS <= written()[401] <= 2 * MOST_REQUESTS < MANY
    assert hub.stop() == 0  # it would take a share of what the other test says


def test_messages_of_one_client_that_are_refused_have_a_bound(site: Site, speaker: Speaker, other: Speaker) -> None:
    for number in range(MANY):
        speaker.say(Channel.HEARTBEAT, b"junk %d" % number)
    other.say(Channel.HEARTBEAT, b"junk")

    def written(client_id: str) -> int:
        refused = [line for line in events(site.hub) if line["event"] == "message.refused"]
        return len([line for line in refused if line["client_id"] == client_id])

    until(lambda: written(other.id) == 1, "the line about the other client, which comes last")
    assert MOST_LINES <= written(speaker.id) <= 2 * MOST_LINES < MANY
