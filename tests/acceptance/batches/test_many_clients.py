"""One batch to a whole site of simulated clients: a fifth is away, some are refused, some never answer, some fail.

Over two hubs, 1,000 clients by default. `FLOORHUB_TEST_CLIENTS=10000` makes it the size that the hub is meant for; it
prints how long each step took (`-s`), and is not part of every test run because it takes a minute or more.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from broker_config.render import Client, hash_password
from hub.programs.cli.up import prepare_database
from hub.programs.embedded.data_folder import DataFolder
from tests.support.many_clients import Wanted, insert
from tests.support.paths import ROOT
from tests.support.site import Site, open_site
from tests.support.waiting import until

MANY = int(os.environ.get("FLOORHUB_TEST_CLIENTS", "1000"))
SECRET = "the-same-for-all-of-them"
REFUSED, MUTE, FAILING = 20, 10, 30
"""So many of each kind, from the front; then come the good ones, and at the end the fifth that is away."""
AWAY = MANY // 5
PATIENCE_S = 180


class Watch:
    """Says how long each step took."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def lap(self, what: str) -> None:
        """Print and begin anew."""
        now = time.perf_counter()
        print(f"{MANY} clients: {what} {now - self._began:.2f} s")  # noqa: T201 - for whoever asks with -s
        self._began = now


def _prepare(url: str) -> list[Client]:
    list(prepare_database(url))
    numbers = {"refused": REFUSED, "mute": MUTE, "failing": FAILING}
    numbers |= {"good": MANY - AWAY - sum(numbers.values()), "away": AWAY}
    tags = [tag for tag, number in numbers.items() for _ in range(number)]
    clients = [Wanted(f"many-{n:05}", tag, "print" if tag == "refused" else None) for n, tag in enumerate(tags)]
    with psycopg.connect(url) as connection:
        insert(connection, clients, hash_password(SECRET))
    return list(prepare_database(url))


@pytest.fixture(scope="module")
def site(cluster: DataFolder) -> Iterator[Site]:
    with open_site("many", _prepare, cluster) as running:
        yield running


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module", autouse=True)
def fleet(site: Site, watch: Watch) -> Iterator[None]:
    """All that are not away are connected and born; two hubs look after them."""
    site.add_hub("two")
    assert site.stack.broker is not None
    manners = {"mute": ["mute"], "failing": ["fails"]}
    with psycopg.connect(site.stack.database_url) as connection:
        there = connection.execute("SELECT id, tags[1] FROM clients WHERE tags <> '{away}' ORDER BY id").fetchall()
    file = site.folder.root / "simulated.json"
    file.write_text(json.dumps([[client_id, SECRET, *manners.get(kind, [])] for client_id, kind in there]))
    log = site.folder.logs / "simulated.log"
    argv = [sys.executable, "-m", "tests.bench.simulated", str(site.stack.broker.options.mqtt_port), str(file)]
    with log.open("wb") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out, cwd=ROOT)
    try:

        def ready() -> bool:
            assert process.poll() is None, log.read_text()[-2000:]
            return "ready" in log.read_text()

        until(ready, "the simulated clients", PATIENCE_S)
        watch.lap("connected after")
        until(lambda: _online(site) == MANY - AWAY, "all of them online", PATIENCE_S)
        watch.lap("all online after")
        yield
    finally:
        process.kill()
        process.wait()


def _online(site: Site) -> int:
    with psycopg.connect(site.stack.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM client_sessions WHERE presence = 'online'").fetchone()
    assert row is not None
    return int(row[0])


def _post(site: Site, **body: Any) -> Any:
    answer = site.http.post("/api/batches", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def _batch(site: Site, batch: Any, **query: Any) -> Any:
    return site.http.get(f"/api/batches/{batch['id']}", params=query).json()


def _rows(site: Site, batch: Any) -> list[dict[str, Any]]:
    """Every row of a batch, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = _batch(site, batch, limit=1_000, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_the_preview_comes_true_and_everybody_s_fate_is_seen_at_once(site: Site, watch: Watch) -> None:
    wanted = {"target": {"zone": "hall"}, "command": {"action": "open-door", "payload": {"door": 3}}}

    watch.lap("(pause)")
    preview = _post(site, **wanted, dry_run=True)
    watch.lap("preview")
    assert site.http.get("/api/batches").json()["items"] == []
    batch = _post(site, **wanted)
    watch.lap("accepted in")

    # From the first answer on: one row each, who is refused and why, who is away.
    assert (batch["total"], batch["accepted"], batch["rejected"]) == (MANY, MANY - REFUSED, REFUSED)
    assert sum(batch["counts"].values()) == MANY
    assert (batch["rejections"], batch["offline"]) == ({"action_not_allowed": REFUSED}, AWAY)
    numbers = ("total", "accepted", "rejected", "rejections", "offline")
    assert {name: preview[name] for name in numbers} == {name: batch[name] for name in numbers}

    answering = MANY - AWAY - REFUSED - MUTE

    def answered() -> bool:
        counts = _batch(site, batch, limit=1)["counts"]
        return bool(counts["completed"] + counts["failed"] == answering)

    until(answered, "the end of all that answer", PATIENCE_S)
    watch.lap("all done after")
    rows = _rows(site, batch)
    watch.lap("all rows read in")
    assert [(row["client_id"], row["code"] if row["status"] == "rejected" else None) for row in rows] == [
        (row["client_id"], row["code"]) for row in preview["items"]
    ]
    assert Counter(row["status"] for row in rows) == {
        "completed": answering - FAILING,
        "failed": FAILING,
        "rejected": REFUSED,
        "queued": MUTE,
        "pending": AWAY,
    }

    # Who took what was sent and says nothing is unresponsive as soon as the first lease is over.
    until(lambda: _batch(site, batch, limit=1)["unresponsive"] == MUTE, "the unresponsive ones")
    for blocked_by, number in (("unresponsive", MUTE), ("offline", AWAY)):
        items = _batch(site, batch, blocked_by=blocked_by, limit=1_000)["items"]
        assert len(items) == min(number, 1_000)
        assert {row["blocked_by"] for row in items} == {blocked_by}

    shown = site.http.post(f"/api/batches/{batch['id']}/cancel").json()
    watch.lap("(wait for silence, and) cancelled in")
    assert (shown["counts"]["cancelled"], shown["counts"]["queued"]) == (AWAY, MUTE)
    assert shown["counts"]["completed"] == answering - FAILING


def test_too_many_failures_stop_a_rollout_before_it_reaches_everybody(site: Site) -> None:
    # The failing ones come first: after six failures the good ones must not be reached any more.
    clients = [row["id"] for tag in ("failing", "good") for row in _with_tag(site, tag)]
    batch = _post(
        site,
        target={"clients": clients},
        command={"action": "open-door"},
        max_failures=5,
        rollout={"per_minute": 1_200},
    )

    ended = until(
        lambda: shown if (shown := _batch(site, batch, limit=1_000))["finished_at"] else None, "its end", PATIENCE_S
    )

    assert (ended["status"], ended["stop_reason"]) == ("cancelled", "max_failures")
    counts = ended["counts"]
    assert 5 < counts["failed"] <= FAILING
    assert counts["cancelled"] + counts["failed"] + counts["completed"] == len(clients)
    assert counts["completed"] == 0


def test_a_paused_rollout_stands_still_until_it_is_resumed(site: Site) -> None:
    clients = [row["id"] for row in _with_tag(site, "good")][:60]
    # Half a second apart.
    batch = _post(site, target={"clients": clients}, command={"action": "open-door"}, rollout={"per_minute": 120})
    until(lambda: _batch(site, batch)["counts"]["completed"] >= 2, "the first two")

    paused = site.http.post(f"/api/batches/{batch['id']}/pause").json()
    assert paused["status"] == "paused"
    waiting = paused["counts"]["pending"]
    until(lambda: _batch(site, batch)["counts"]["completed"] == len(clients) - waiting, "what was handed out")
    # The time of at least one that waits has come and gone, and it waits still.
    first = next(row for row in _batch(site, batch, status="pending")["items"] if row["not_before"])
    due = datetime.fromisoformat(first["not_before"]) + timedelta(seconds=1)
    until(lambda: datetime.now(UTC) > due, "the time of one that is held back")
    assert _batch(site, batch)["counts"]["pending"] == waiting

    resumed = site.http.post(f"/api/batches/{batch['id']}/resume").json()
    assert resumed["status"] == "running"
    until(lambda: _batch(site, batch)["counts"]["completed"] > len(clients) - waiting, "the next one")
    assert site.http.post(f"/api/batches/{batch['id']}/cancel").json()["counts"]["cancelled"] > 0


def _with_tag(site: Site, tag: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = site.http.get("/api/clients", params={"tag": tag, "limit": 200}).json()["items"]
    return items
