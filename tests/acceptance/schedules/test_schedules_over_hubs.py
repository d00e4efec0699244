"""Recurring schedules over HTTP and by `floorhub`, and fired once for each time over two hubs that are killed."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from hub.keys import new_api_key
from hub.programs.cli import testpage
from tests.support import plain_http
from tests.support.cli import floorhub, run
from tests.support.site import Process, Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("kills hubs, and makes schedules for everybody")

Database = psycopg.Connection[Any]
OPEN = {"target": {"all": True}, "command": {"action": "open-door"}}
STATUS = {"target": {"all": True}, "command": {"action": "status"}}
YEARLY = "0 7 1 1 *"
LOCK = 4711
WAIT_HERE = f"""
    CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared({LOCK});
        RETURN NEW;
    END $$
"""
POINTS = {
    "before its commands": "BEFORE INSERT ON commands FOR EACH ROW",
    "between its commands and its batch": "BEFORE INSERT ON batches FOR EACH ROW",
    "before its last row": "BEFORE INSERT ON audit_logs FOR EACH ROW WHEN (NEW.action = 'schedule.fire')",
}
AT_COMMIT = "AFTER INSERT ON audit_logs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.action = 'schedule.fire')"


@pytest.fixture(scope="module")
def two(site: Site) -> Process:
    """A second hub over the same database."""
    started = site.add_hub("two")
    site.wait_ready("two", started)
    return started


def make(site: Site, name: str, **fields: Any) -> str:
    """A schedule that will not fire by itself while a test runs; its id."""
    answer = site.http.post("/api/schedules", json={"name": name, "cron": YEARLY, "request": OPEN, **fields})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


def let_come(database: Database, ids: list[str], seconds_ago: float) -> datetime:
    """Let the time of these have come so long ago; it."""
    rows = database.execute(
        "UPDATE schedules SET next_at = date_trunc('second', now()) - make_interval(secs => %s) "
        "WHERE id = ANY (%s::uuid[]) RETURNING next_at",
        (seconds_ago, ids),
    ).fetchall()
    [at] = {at for (at,) in rows}
    assert isinstance(at, datetime)
    return at


def wait_judged(database: Database, ids: list[str], at: datetime) -> None:
    """Until that time of these was judged."""
    query = "SELECT count(*) FROM schedules WHERE id = ANY (%s::uuid[]) AND last_at = %s AND next_at > now()"

    def judged() -> bool:
        return database.execute(query, (ids, at)).fetchone() == (len(ids),)

    until(judged, f"{len(ids)} schedules, each at its time")


def fired(database: Database, ids: list[str]) -> list[tuple[str, datetime]]:
    """(schedule, time) of each firing. Every batch is one of them, or was asked for over HTTP."""
    rows = database.execute(
        "SELECT resource_id, (detail ->> 'at')::timestamptz, (detail ->> 'batch_id')::uuid FROM audit_logs "
        "WHERE action = 'schedule.fire' AND resource_id = ANY (%s)",
        (ids,),
    ).fetchall()
    batches = database.execute(
        "SELECT b.id FROM batches b WHERE NOT EXISTS (SELECT FROM audit_logs a WHERE a.action = 'schedule.fire' "
        "AND NOT a.resource_id = ANY (%s) AND (a.detail ->> 'batch_id')::uuid = b.id)",
        (ids,),
    ).fetchall()
    assert {batch_id for (batch_id,) in batches} == {batch_id for *_, batch_id in rows}
    return [(schedule_id, at) for schedule_id, at, _ in rows]


def commands_of(database: Database, ids: list[str]) -> int:
    """How many commands came of these schedules."""
    row = database.execute(
        "SELECT count(*) FROM commands c WHERE c.batch_id IN (SELECT (detail ->> 'batch_id')::uuid FROM audit_logs "
        "WHERE action = 'schedule.fire' AND resource_id = ANY (%s))",
        (ids,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def told(site: Site, ids: list[str]) -> list[str]:
    """What the hubs logged of firing these."""
    lines = [line for file in site.folder.logs.glob("hub-*.log") for line in file.read_text().splitlines()]
    return [line for line in lines if '"schedule.fired"' in line and json.loads(line)["schedule_id"] in ids]


# --- once, over all hubs --------------------------------------------------------------------------------------


def test_two_hubs_fire_each_time_once_and_agents_get_it(site: Site, two: Process, database: Database) -> None:
    client = site.client()
    site.agent(client)
    request = {"target": {"clients": [client["id"]]}, "command": {"action": "status"}}
    ids = [make(site, f"both-{number}", request=request) for number in range(8)]
    expected = []
    for ago in (30, 20, 10):
        at = let_come(database, ids, ago)
        wait_judged(database, ids, at)
        expected += [(schedule_id, at) for schedule_id in ids]

    assert sorted(fired(database, ids)) == sorted(expected)
    assert commands_of(database, ids) == len(expected)
    until(lambda: len(told(site, ids)) >= len(expected), "the hubs' own word")
    assert len(told(site, ids)) == len(expected)
    batch = site.http.get(f"/api/schedules/{ids[0]}").json()["last_batch_id"]
    until(lambda: site.http.get(f"/api/batches/{batch}").json()["counts"]["completed"] == 1, "the agent's answer")


def test_hubs_that_are_killed_again_and_again_fire_each_time_once(site: Site, two: Process, database: Database) -> None:
    site.client()
    ids = [make(site, f"killed-{number}") for number in range(20)]
    hubs = cycle([two, site.hub])
    expected = []
    for ago in (40, 30, 20):
        at = let_come(database, ids, ago)
        expected += [(schedule_id, at) for schedule_id in ids]
        # As soon as one has fired, whoever it was, one of the two dies among the others.
        until(lambda: len(fired_at(database, ids, at)) > 0, "the first one")  # noqa: B023 - called at once
        hub = next(hubs)
        hub.kill()
        wait_judged(database, ids, at)
        hub.start()
    site.wait_ready()
    site.wait_ready("two", two)

    assert sorted(fired(database, ids)) == sorted(expected)


def fired_at(database: Database, ids: list[str], at: datetime) -> list[Any]:
    return database.execute(
        "SELECT FROM schedules WHERE id = ANY (%s::uuid[]) AND last_at = %s LIMIT 1", (ids, at)
    ).fetchall()


@contextmanager
def stands_still(site: Site, database: Database, trigger: str) -> Iterator[None]:
    """Within the block, whoever fires stands still at a point of its transaction, and is there when it begins."""
    kind = "CONSTRAINT TRIGGER" if trigger == AT_COMMIT else "TRIGGER"
    database.execute(WAIT_HERE)
    database.execute(f"CREATE {kind} wait_here {trigger} EXECUTE FUNCTION wait_here()")
    try:
        with psycopg.connect(site.stack.database_url, autocommit=True) as holder:
            holder.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            yield
    finally:
        database.execute("DROP FUNCTION wait_here CASCADE")


def waiting(database: Database) -> bool:
    row = database.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
    return row == (1,)


@pytest.mark.parametrize("point", [*POINTS, "at its commit"])
def test_a_hub_killed_at_any_point_of_a_firing_leaves_one(
    site: Site, two: Process, database: Database, point: str
) -> None:
    away = site.client()["id"]
    schedule_id = make(site, f"stands {point}", request=OPEN | {"target": {"clients": [away]}})
    two.kill()  # So that it is known who fires.
    try:
        with stands_still(site, database, POINTS.get(point, AT_COMMIT)):
            at = let_come(database, [schedule_id], 30)
            until(lambda: waiting(database), "hub one in the middle of it")
            assert fired(database, [schedule_id]) == []
            site.hub.kill()
        two.start()
        wait_judged(database, [schedule_id], at)
    finally:
        if site.hub.process.poll() is not None:
            site.hub.start()
            site.wait_ready()

    assert fired(database, [schedule_id]) == [(schedule_id, at)]
    assert commands_of(database, [schedule_id]) == 1
    # At its commit the first hub has fired, and nobody heard; at any other point the second has.
    if point == "at its commit":
        assert told(site, [schedule_id]) == []
    else:
        until(lambda: told(site, [schedule_id]), "hub two's own word")


# --- over HTTP ------------------------------------------------------------------------------------------------


def test_a_schedule_over_http(site: Site) -> None:
    http = site.http
    away = site.client()["id"]
    body = {"name": "morning", "cron": "0 7 * * 1-5", "time_zone": "Asia/Seoul", "request": STATUS}
    made = http.post("/api/schedules", json=body)
    shown = made.json()
    path = f"/api/schedules/{shown['id']}"
    assert (made.status_code, made.headers["location"], http.get(path).json()) == (201, path, shown)
    assert (shown["misfire"], shown["grace_s"], shown["enabled"], shown["version"]) == ("once", 3600, True, 1)
    assert shown["request"] == STATUS
    times = http.get(f"{path}/next", params={"count": 3}).json()["items"]
    assert times[0] == shown["next_at"]
    assert {datetime.fromisoformat(time).hour for time in times} == {22}
    taken = http.post("/api/schedules", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "schedule_exists")

    sent = {"commands": [{"client_id": away, "action": "open-door", "maxRetries": 1}], "max_failures": 0}
    changed = http.patch(path, json={"name": "evening", "cron": "30 18 * * *", "request": sent, "enabled": False})
    assert changed.status_code == 200
    row = changed.json()
    assert (row["name"], row["next_at"], row["version"]) == ("evening", None, 2)
    assert row["request"] == {
        "commands": [{"client_id": away, "action": "open-door", "max_retries": 1}],
        "max_failures": 0,
    }
    assert len(http.get(f"{path}/next").json()["items"]) == 5
    other = make(site, "other")
    assert [one["id"] for one in http.get("/api/schedules", params={"name": "evening"}).json()["items"]] == [row["id"]]
    first = http.get("/api/schedules", params={"limit": 1}).json()
    assert [one["id"] for one in first["items"]] == [other]
    assert "request" not in first["items"][0]
    rest = http.get("/api/schedules", params={"cursor": first["next_cursor"], "enabled": False}).json()["items"]
    assert row["id"] in {one["id"] for one in rest}

    assert http.delete(path).json() == row
    for answer in (http.get(path), http.get(f"{path}/next"), http.patch(path, json={"name": "x"}), http.delete(path)):
        assert (answer.status_code, answer.json()["code"]) == (404, "schedule_not_found")


@pytest.fixture
def person(site: Site, database: Database, request: pytest.FixtureRequest) -> Iterator[tuple[str, httpx.Client]]:
    """A principal with a role (the fixture's parameter), and its HTTP."""
    who, key = str(uuid.uuid4()), new_api_key()
    database.execute("INSERT INTO principals VALUES (%s, 'user', %s, %s, now())", (who, who, request.param))
    database.execute(
        "INSERT INTO api_keys (id, principal_id, prefix, sha256, created_at) VALUES (%s, %s, %s, %s, now())",
        (uuid.uuid4(), who, key.prefix, key.sha256),
    )
    headers = {"Authorization": f"Bearer {key.text}"}
    with plain_http.client(site.url, headers=headers) as http:
        yield who, http


@pytest.mark.parametrize("person", ["viewer"], indirect=True)
def test_a_viewer_looks_and_changes_nothing(site: Site, person: tuple[str, httpx.Client]) -> None:
    _, http = person
    path = f"/api/schedules/{make(site, f'seen by {person[0]}')}"
    refused = [
        http.post("/api/schedules", json={"name": "mine", "cron": YEARLY, "request": OPEN}),
        http.patch(path, json={"enabled": False}),
        http.delete(path),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "forbidden")}
    assert {http.get(seen).status_code for seen in ("/api/schedules", path, f"{path}/next")} == {200}
    assert site.http.get(path).json()["version"] == 1


@pytest.mark.parametrize("person", ["operator"], indirect=True)
@pytest.mark.parametrize("loses", ["role = 'viewer'", "disabled_at = now()"])
def test_what_somebody_may_no_longer_do_his_schedule_does_not(
    site: Site, database: Database, person: tuple[str, httpx.Client], loses: str
) -> None:
    who, http = person
    site.client()
    made = http.post("/api/schedules", json={"name": f"of {who}", "cron": YEARLY, "request": OPEN}).json()
    ids = [made["id"]]
    wait_judged(database, ids, let_come(database, ids, 30))
    batch_id = site.http.get(f"/api/schedules/{ids[0]}").json()["last_batch_id"]
    [(by,)] = database.execute("SELECT created_by FROM batches WHERE id = %s", (batch_id,)).fetchall()
    assert str(by) == who

    database.execute(f"UPDATE principals SET {loses} WHERE id = %s", (who,))  # noqa: S608 - our own words
    wait_judged(database, ids, let_come(database, ids, 20))
    assert site.http.get(f"/api/schedules/{ids[0]}").json()["last_error"] == "principal_revoked"
    assert len(fired_of(database, ids)) == 1

    # Another one says it again, and answers for it from then on.
    answer = site.http.patch(f"/api/schedules/{ids[0]}", json={"cron": YEARLY})
    assert answer.json()["runs_as"] != who
    wait_judged(database, ids, let_come(database, ids, 10))
    assert len(fired_of(database, ids)) == 2


def fired_of(database: Database, ids: list[str]) -> list[Any]:
    return database.execute(
        "SELECT id FROM audit_logs WHERE action = 'schedule.fire' AND resource_id = ANY (%s)", (ids,)
    ).fetchall()


# --- by the program -------------------------------------------------------------------------------------------


def test_schedules_by_the_program(site: Site, database: Database, tmp_path: Path) -> None:
    client = site.client()["id"]
    file = tmp_path / "notice.pdf"
    file.write_bytes(testpage.page(["notice"]))
    printing = ("print", "--client", client, "--payload", '{"printer": "office"}', "--file", str(file))
    made = floorhub(
        site, "schedule", "add", "notice", "0 7 * * 1-5", *printing, "--time-zone", "Asia/Seoul", "--grace-s", "60"
    )
    document = made["request"]["command"]["payload"]["document"]
    assert (made["name"], made["grace_s"], len(made["next"])) == ("notice", 60, 5)
    assert site.http.get(f"/api/documents/{document}").content == file.read_bytes()

    assert floorhub(site, "schedule", "set", "notice", "--cron", YEARLY, "--misfire", "skip")["misfire"] == "skip"
    assert floorhub(site, "schedule", "disable", "notice")["enabled"] is False
    shown = run(site, "schedule", "show", made["id"])
    assert "notice (disabled): 0 7 1 1 *, Asia/Seoul" in shown.stdout
    assert floorhub(site, "schedule", "enable", made["id"])["enabled"] is True
    at = let_come(database, [made["id"]], 30)
    wait_judged(database, [made["id"]], at)
    shown = run(site, "schedule", "show", "notice")
    batch = floorhub(site, "schedule", "show", "notice")["last_batch_id"]
    assert f"last: {at.astimezone():%Y-%m-%d %H:%M:%S %Z}, batch {batch}" in shown.stdout
    [row] = [one for one in floorhub(site, "schedule", "list") if one["id"] == made["id"]]
    assert datetime.fromisoformat(row["last_at"]) == at
    assert "Asia/Seoul" in run(site, "schedule", "list").stdout

    for arguments, code, words in (
        (("add", "x", "0 7 * * *", "status"), 2, "Say for whom"),
        (("add", "x", "0 25 * * *", "status", "--all"), 5, "cron"),
        (("add", "x", "@daily", "status", "--all"), 5, "must be five fields"),
        (("add", "notice", "0 7 * * *", "status", "--all"), 5, "The schedule notice already exists"),
        (("add", "x", "0 7 * * *", "status", "--all", "--payload", "{"), 2, "--payload is not JSON"),
        (("set", "notice"), 2, "Say what to change"),
        (("show", "nothing"), 7, "There is no schedule nothing"),
        (("remove", str(uuid.UUID(int=7))), 7, "There is no schedule"),
    ):
        failed = run(site, "schedule", *arguments)
        assert (failed.exit_code, words in failed.stderr) == (code, True), failed.output
    assert floorhub(site, "schedule", "remove", "notice")["id"] == made["id"]
    assert run(site, "schedule", "show", "notice").exit_code == 7
