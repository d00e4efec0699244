"""Lists of clients over HTTP and with the program: what is compared, what is refused, and that it is all or nothing."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.core.clients.service.imports import MOST
from hub.programs.cli.api import Api
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.up import is_registered
from hub.tokens import CLIENT_SECRET, new_token
from tests.support.cli import floorhub, run
from tests.support.importing import refused, secrets_of
from tests.support.site import Site
from tests.support.waiting import until

ROUTE = "/api/clients/import"


@pytest.fixture(autouse=True)
def _groups_are_those_of_a_test(site: Site) -> Iterator[None]:
    yield
    for group in site.http.get("/api/groups").json()["items"]:
        site.http.delete(f"/api/groups/{group['id']}")


def post(site: Site, clients: list[dict[str, Any]], **options: Any) -> Any:
    answer = site.http.post(ROUTE, json={"clients": clients, **options})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def problems(site: Site, clients: list[dict[str, Any]], **options: Any) -> list[tuple[str, str]]:
    answer = site.http.post(ROUTE, json={"clients": clients, **options})
    assert answer.status_code == 422, answer.text
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


def client(site: Site, client_id: str) -> Any:
    return site.http.get(f"/api/clients/{client_id}").json()


def test_a_list_is_stored_once_and_compared_afterwards(site: Site) -> None:
    secret = new_token(CLIENT_SECRET)
    row = {"id": "l-1", "name": "가", "groups": ["l-group"], "tags": ["a"], "metadata": {"x": 1}, "secret": secret}
    first = post(site, [row, {"id": "l-2"}], create_groups=True, dry_run=True)
    assert [one["outcome"] for one in first] == ["new", "new"]
    assert client(site, "l-1")["code"] == "client_not_found"
    for outcome in ("new", "unchanged"):
        items = post(site, [row, {"id": "l-2"}], create_groups=True)
        assert [(one["outcome"], one["secret_valid"]) for one in items] == [(outcome, True), (outcome, None)]
    until(lambda: site.http.get("/api/broker").json()["imports_waiting"] == 0, "the broker")
    assert refused(site, {"l-1": secret}) == {}
    made = client(site, "l-1")
    assert (made["name"], made["groups"], made["rate_limit"], made["kind"]) == ("가", ["l-group"], 60, "other")
    other = {"id": "l-1", "name": "나", "groups": [], "rate_limit": 7, "secret": new_token(CLIENT_SECRET)}
    (kept,) = post(site, [other])
    assert (kept["outcome"], kept["secret_valid"]) == ("different", False)
    assert {one["field"]: (one["before"], one["after"]) for one in kept["differences"]} == {
        "name": ("가", "나"),
        "groups": (["l-group"], []),
        "rate_limit": (60, 7),
    }
    assert client(site, "l-1")["name"] == "가"
    (changed,) = post(site, [other], existing="update")
    after = client(site, "l-1")
    assert changed["outcome"] == "updated"
    assert (after["name"], after["groups"], after["rate_limit"], after["tags"]) == ("나", [], 7, ["a"])
    assert refused(site, {"l-1": secret}) == {}
    rows = site.http.get("/api/audit", params={"resource": "client", "resource_id": "l-1"}).json()["items"]
    told = {row["action"]: row["detail"] for row in rows}
    assert told["client.create"]["after"]["name"] == "가"
    assert told["client.update"]["after"] == {"name": "나", "groups": [], "rate_limit": 7}
    assert secret not in json.dumps(rows)


def test_one_wrong_row_refuses_all_of_them_by_name(site: Site) -> None:
    site.client(id="w-gone")
    site.http.delete("/api/clients/w-gone")
    secret = site.client(id="w-there")["secret"]
    good = {"id": "w-new"}
    wrong = [
        good,
        {"id": "w-gone"},
        {"id": "w-1", "groups": ["nowhere"]},
        {"id": "w-2", "secret": secret},
        {"id": "w-2"},
    ]
    assert problems(site, wrong) == [
        ("clients[1].id", "retired_id"),
        ("clients[2].groups", "no_group_of_name"),
        ("clients[3].secret", "secret_of_another"),
        ("clients[4].id", "repeated"),
    ]
    assert problems(site, [good, {"id": "w-3", "metadata": {"a": ["\u0000"]}}]) == [
        ("clients[1].metadata.a[0]", "unstorable")
    ]
    forms = [{"id": "Upper"}, {"id": "subscribe"}, {"id": "a", "kind": "mainframe"}, {"id": "b", "secret": "fhc_short"}]
    weak = "fhc_" + "0" * 43
    assert weak not in site.http.post(ROUTE, json={"clients": [{"id": "c", "secret": weak}]}).text
    assert [field for field, _ in problems(site, [*forms, {"id": "c", "secret": weak}])] == [
        "clients[0].id",
        "clients[1].id",
        "clients[2].kind",
        "clients[3].secret",
        "clients[4].secret",
    ]
    assert problems(site, [])[0][1] == "too_few"
    assert problems(site, [{"id": f"m-{n}"} for n in range(MOST + 1)])[0][1] == "too_many"
    assert client(site, "w-new")["code"] == "client_not_found"


def test_metadata_does_not_grow_without_end(site: Site) -> None:
    def row(name: str) -> dict[str, Any]:
        return {"id": "g-1", "metadata": {name: ["x" * 600_000, {}]}}

    post(site, [row("a")])
    assert problems(site, [row("b")], existing="update") == [("clients[0].metadata", "too_long")]
    (same,) = post(site, [row("a")], existing="update")
    assert same["outcome"] == "unchanged"


def test_what_the_broker_refused_is_told_again_by_the_same_list(site: Site, database: psycopg.Connection[Any]) -> None:
    row = {"id": "r-1", "secret": new_token(CLIENT_SECRET)}
    post(site, [row])
    until(lambda: site.http.get("/api/broker").json()["imports_waiting"] == 0, "the broker")
    database.execute("UPDATE broker_outbox SET error = 'no' WHERE client_id = 'r-1'")
    assert site.http.get("/api/broker").json()["refused"] == 1
    post(site, [row])
    until(lambda: site.http.get("/api/broker").json()["refused"] == 0, "the broker again")


def test_a_broker_of_somebody_else_is_not_restarted(site: Site) -> None:
    answer = site.http.post("/api/broker/restart")
    assert (answer.status_code, answer.json()["code"]) == (409, "broker_not_ours")
    assert site.http.get("/api/broker").json()["restart"] == "elsewhere"


def test_the_program_names_each_wrong_line_and_stores_nothing(site: Site, tmp_path: Path) -> None:
    list_ = tmp_path / "pcs.csv"
    list_.write_text("id,groups,rate_limit\np-1,,5\nP-2,,5\np-3,p-group,5\np-4,,many\n", encoding="utf-8")
    done = run(site, "client", "import", str(list_))
    assert done.exit_code == ExitCode.REFUSED
    for line in ("Line 3: id must be", "Line 4: groups names p-group", "Line 5: rate_limit must be", "--create-groups"):
        assert line in done.output
    assert client(site, "p-1")["code"] == "client_not_found"
    assert not list_.with_name("pcs-secrets.csv").exists()
    done = run(site, "client", "import", str(list_), "--skip-wrong", "--create-groups")
    assert done.exit_code == ExitCode.FAILED
    assert set(secrets_of(list_)) == {"p-1", "p-3"}
    assert refused(site, secrets_of(list_)) == {}
    assert client(site, "p-3")["groups"] == ["p-group"]


def test_a_line_that_is_too_long_for_a_request_is_wrong_and_no_other(site: Site, tmp_path: Path) -> None:
    list_ = tmp_path / "long.csv"
    names, cells = ",".join(f"metadata.{n}" for n in range(60)), ",".join(["가" * 9_000] * 60)
    list_.write_text(f"id,{names}\nx-1{',' * 60}\nx-2,{cells}\nx-3{',' * 60}\n", encoding="utf-8")
    done = run(site, "client", "import", str(list_), "--no-secrets")
    assert (done.exit_code, "Line 3: " in done.output) == (ExitCode.REFUSED, True), done.output
    assert run(site, "client", "import", str(list_), "--no-secrets", "--skip-wrong").exit_code == ExitCode.FAILED
    assert [client(site, one).get("code") for one in ("x-1", "x-2", "x-3")] == [None, "client_not_found", None]


def test_the_program_writes_configurations_and_tells_differences(site: Site, tmp_path: Path) -> None:
    list_ = tmp_path / "pdas.csv"
    list_.write_text("id;zone\nq-1;hall-1\nq-2;hall-1\n", encoding="utf-8")
    mqtt = str(site.stack.mqtt_url)
    options = ["--configs", str(tmp_path / "agents"), "--mqtt-url", mqtt]
    made = floorhub(site, "client", "import", str(list_), *options)
    assert [(one["line"], one["id"], one["outcome"]) for one in made["clients"]] == [
        (2, "q-1", "new"),
        (3, "q-2", "new"),
    ]
    assert made["broker"]["imports_waiting"] == 0
    config = tmp_path / "agents" / "q-2.toml"
    assert config.stat().st_mode & 0o777 == 0o600
    # The same list again leaves what somebody added, and writes anew what does not say the same.
    added = config.read_text() + "# ours\n"
    config.write_text(added)
    other = tmp_path / "agents" / "q-1.toml"
    written = other.read_text()
    other.write_text("# ours\n" + written)
    (other.parent / ".floorhub").write_text("ours")
    floorhub(site, "client", "import", str(list_), *options)
    assert (config.read_text(), other.read_text()) == (added, written)
    assert (other.parent / ".floorhub").read_text() == "ours"
    site.wait_online("q-2", site.start_agent("q-2", config))
    list_.write_text("id;zone\nq-1;hall-2\nq-2;hall-1\n", encoding="utf-8")
    shown = run(site, "client", "import", str(list_), "--dry-run")
    assert (shown.exit_code, "Line 2: q-1: zone hall-1 -> hall-2" in shown.output) == (0, True), shown.output
    assert client(site, "q-1")["zone"] == "hall-1"
    updated = floorhub(site, "client", "import", str(list_), "--update", "--no-secrets")
    assert [one["outcome"] for one in updated["clients"]] == ["updated", "unchanged"]
    assert client(site, "q-1")["zone"] == "hall-2"


def test_a_change_by_a_hub_of_the_version_before_does_not_overtake_the_registration(
    site: Site, database: psycopg.Connection[Any]
) -> None:
    asked = "SELECT change, error FROM broker_outbox WHERE client_id = 'o-1' AND done_at IS NOT NULL ORDER BY id"

    def told() -> list[Any]:
        return database.execute(asked).fetchall()

    secret = new_token(CLIENT_SECRET)
    database.execute("SELECT pg_advisory_lock(hashtext('floorhub/broker-imports'))")
    try:
        post(site, [{"id": "o-1", "secret": secret}])
        # As that version writes it: it knows nothing of imports.
        database.execute("UPDATE clients SET status = 'disabled' WHERE id = 'o-1'")
        database.execute("INSERT INTO broker_outbox (at, client_id, change) VALUES (floorhub_now(), 'o-1', 'disable')")
        until(told, "the broker")
    finally:
        database.execute("SELECT pg_advisory_unlock(hashtext('floorhub/broker-imports'))")
    until(lambda: len(told()) == 2, lambda: str(told()))
    assert told() == [("put", None), ("disable", None)]
    assert refused(site, {"o-1": secret}) == {"o-1": "the broker said 0x87"}


def test_two_lists_of_the_same_clients_in_opposite_orders_do_not_wait_for_each_other(
    site: Site, database: psycopg.Connection[Any]
) -> None:
    one = [{"id": f"d-{n}"} for n in range(500)]
    waiting = "SELECT FROM pg_locks WHERE relation = 'clients'::regclass AND NOT granted"
    with ThreadPoolExecutor(2) as both:
        with database.transaction():
            database.execute("LOCK TABLE clients IN SHARE MODE")
            sent = [both.submit(site.http.post, ROUTE, json={"clients": clients}) for clients in (one, one[::-1])]
            until(lambda: len(database.execute(waiting).fetchall()) == 2, "both lists")
        answers = [each.result() for each in sent]
    # Whoever came second is asked to come again.
    assert sorted(answer.json().get("code", "stored") for answer in answers) == ["stored", "try_again"]


def test_floorhub_up_finds_its_own_client_behind_any_number_of_others(site: Site) -> None:
    post(site, [{"id": f"a-{n:03}"} for n in range(201)])
    site.client(id="z-desk")
    site.client(id="z-gone")
    site.http.delete("/api/clients/z-gone")
    with Api(site.url, site.key) as api:
        assert is_registered(api, "z-desk")
        assert not is_registered(api, "z-gone")
        assert not is_registered(api, "z-never")
