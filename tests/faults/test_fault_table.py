"""Faults of hub, Postgres, broker, lines and clocks, one at a time, at the moment that matters."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.chaos.faults import children
from tests.chaos.records import read_notes
from tests.faults.commands import accepted, agree, body, effects, post
from tests.support.fault_proxy import GOOD, HALF_OPEN, Conditions
from tests.support.testbed import Testbed
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _well(testbed: Testbed) -> Iterator[None]:
    """After each test everything is as before."""
    yield
    for proxy in (*testbed.to_broker.values(), *testbed.to_database.values()):
        proxy.set(GOOD)
    for process in testbed.processes.values():
        if process.process.poll() is not None:
            process.start()
        process.process.send_signal(signal.SIGCONT)
    testbed.wait_hubs(30)
    for name in ("pc-1", "pc-2"):
        testbed.wait_online(name)


@contextmanager
def asked(testbed: Testbed, hub: int, key: str, said: dict[str, Any]) -> Iterator[Future[httpx.Response]]:
    """A request that is under way while the block runs."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(post, testbed, hub, key, said)


def commands(testbed: Testbed, where: str, *values: object) -> int:
    with psycopg.connect(testbed.stack.database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM commands WHERE {where}".encode(), values).fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


# --- the hub dies ----------------------------------------------------------------------------------------------


@pytest.mark.fault("F1")
def test_a_hub_killed_before_its_commit_promised_nothing_and_the_key_works_elsewhere(testbed: Testbed) -> None:
    key, said = uuid4().hex, body(reference=f"before-{uuid4().hex}")
    testbed.to_database["two"].set(Conditions(up_silent=True))
    with asked(testbed, 1, key, said) as answer:
        with pytest.raises(TimeoutError):
            answer.result(0.5)
        testbed.processes["two"].kill()
        with pytest.raises(httpx.HTTPError):
            answer.result(10)
    testbed.to_database["two"].cut(reset=True)
    assert commands(testbed, "reference = %s", said["reference"]) == 0

    agree(testbed, accepted(post(testbed, 0, key, said)))
    assert commands(testbed, "reference = %s", said["reference"]) == 1


@pytest.mark.fault("F2")
@pytest.mark.fault("F9")
@pytest.mark.parametrize("dies", ["the hub", "the connection"])
def test_a_commit_that_nobody_heard_of_is_found_by_its_key(testbed: Testbed, dies: str) -> None:
    key, said = uuid4().hex, body(reference=f"after-{uuid4().hex}")
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(testbed.stack.database_url) as connection:
            # The statement waits here, behind the lock; its answer will stay in the line.
            connection.execute("SELECT FROM client_usage WHERE client_id = 'pc-1' FOR UPDATE")
            answer = pool.submit(post, testbed, 1, key, said)
            until(lambda: _waiting(testbed) > 0, "a statement behind the lock")
            testbed.to_database["two"].set(Conditions(down_silent=True))
        until(lambda: commands(testbed, "reference = %s", said["reference"]) == 1, "the row")
        if dies == "the hub":
            testbed.processes["two"].kill()
            with pytest.raises(httpx.HTTPError):
                answer.result(10)
        else:
            testbed.to_database["two"].cut(reset=True)
            testbed.to_database["two"].set(GOOD)
            assert answer.result(20).status_code in (200, 201, 503)

    command_id = accepted(post(testbed, 0, key, said))
    assert commands(testbed, "reference = %s", said["reference"]) == 1
    agree(testbed, command_id)


def _waiting(testbed: Testbed) -> int:
    with psycopg.connect(testbed.stack.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.fault("F3")
def test_what_a_hub_published_and_could_not_note_is_sent_again_by_the_other_and_happens_once(testbed: Testbed) -> None:
    testbed.processes["one"].process.send_signal(signal.SIGSTOP)
    # The run leaves, its acknowledgement and all reports stay in the line.
    testbed.to_broker["two"].set(Conditions(down_silent=True))
    command_id = accepted(post(testbed, 1, uuid4().hex, body()))
    until(lambda: effects(testbed, command_id) == 1, "the effect")
    assert commands(testbed, "id = %s AND sent_at IS NULL AND status = 'queued'", command_id) == 1

    testbed.processes["two"].kill()
    testbed.processes["one"].process.send_signal(signal.SIGCONT)

    agree(testbed, command_id)


@pytest.mark.fault("F4")
def test_a_report_that_a_hub_took_and_could_not_store_comes_again(testbed: Testbed) -> None:
    testbed.processes["one"].kill()
    command_id = accepted(post(testbed, 1, uuid4().hex, body(before=2_000)))
    until(lambda: commands(testbed, "id = %s AND status = 'running'", command_id), "it runs")
    testbed.to_database["two"].set(Conditions(up_silent=True))
    until(lambda: effects(testbed, command_id) == 1, "the effect")

    testbed.processes["two"].kill()
    assert commands(testbed, "id = %s AND status = 'running'", command_id) == 1
    testbed.processes["one"].start()
    testbed.wait_ready()

    agree(testbed, command_id)


@pytest.mark.fault("F5")
def test_a_hub_that_stood_still_longer_than_its_lease_overwrites_nothing(testbed: Testbed) -> None:
    testbed.to_broker["pc-1"].set(Conditions(down_silent=True))
    ids = [accepted(post(testbed, 0, uuid4().hex, body())) for _ in range(3)]
    until(lambda: commands(testbed, "id = ANY(%s) AND status = 'queued'", ids) == 2, "handed out")
    testbed.processes["one"].process.send_signal(signal.SIGSTOP)
    testbed.to_broker["pc-1"].set(GOOD)

    for command_id in ids:
        until(lambda c=command_id: commands(testbed, "id = %s AND status = 'completed'", c), "the other hub", 60)  # type: ignore[misc]
    before = _versions(testbed, ids)
    testbed.processes["one"].process.send_signal(signal.SIGCONT)
    testbed.wait_hubs(30)
    # A command through the hub that came back: all that it still had in hand was written before.
    agree(testbed, accepted(post(testbed, 0, uuid4().hex, body())))

    assert _versions(testbed, ids) == before
    for command_id in ids:
        agree(testbed, command_id)


def _versions(testbed: Testbed, ids: list[str]) -> list[tuple[Any, ...]]:
    with psycopg.connect(testbed.stack.database_url) as connection:
        found = connection.execute(
            "SELECT id::text, status, version, attempt FROM commands WHERE id = ANY(%s) ORDER BY id", (ids,)
        )
        return found.fetchall()


# --- Postgres --------------------------------------------------------------------------------------------------


@pytest.mark.fault("F8")
def test_callers_that_hang_up_leave_no_transaction_open_and_no_connection_missing(testbed: Testbed) -> None:
    testbed.to_database["two"].set(Conditions(delay_s=0.2))
    said = body(reference=f"hung-up-{uuid4().hex}")
    with ThreadPoolExecutor(30) as pool:
        for _ in range(60):
            pool.submit(post, testbed, 1, uuid4().hex, said, 0.1)
    testbed.to_database["two"].set(GOOD)

    def none_open() -> bool:
        with psycopg.connect(testbed.stack.database_url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
            ).fetchone()
        return row == (0,)

    until(none_open, "no transaction left open", 10)
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: post(testbed, 1, uuid4().hex, said), range(30)))
    assert {answer.status_code for answer in answers} == {201}


@pytest.mark.fault("F10")
def test_while_postgres_stands_still_nothing_is_promised_and_then_each_key_works(testbed: Testbed) -> None:
    postgres = testbed.stack.postgres
    assert postgres is not None
    assert postgres.pid is not None
    frozen = [postgres.pid, *children(postgres.pid)]
    keys = [uuid4().hex for _ in range(12)]
    with ThreadPoolExecutor(len(keys)) as pool:
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            answers = [pool.submit(post, testbed, n % 2, key, body()) for n, key in enumerate(keys)]
            done, _ = wait(answers, timeout=3)
            assert not [answer for answer in done if answer.result().status_code < 500]
        finally:
            for pid in reversed(frozen):
                os.kill(pid, signal.SIGCONT)
        assert {answer.result().status_code for answer in answers} <= {201, 503}
    testbed.wait_hubs(30)
    for key in keys:
        agree(testbed, accepted(post(testbed, 1, key, body())))


@pytest.mark.fault("F10")
def test_a_postgres_without_a_free_connection_is_said_and_survived(testbed: Testbed) -> None:
    taken: list[psycopg.Connection[Any]] = []
    testbed.to_database["two"].set(Conditions(refuse=True))
    testbed.to_database["two"].cut(reset=True)
    try:
        with pytest.raises(psycopg.OperationalError):
            taken.extend(iter(lambda: psycopg.connect(testbed.stack.database_url), None))
        testbed.to_database["two"].set(GOOD)
        answer = post(testbed, 1, uuid4().hex, body())
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        for connection in taken:
            connection.close()
    testbed.wait_hubs(60)
    agree(testbed, accepted(post(testbed, 1, uuid4().hex, body())))


@pytest.mark.fault("F11")
def test_without_anybody_who_listens_the_poll_finds_the_work(testbed: Testbed) -> None:
    with psycopg.connect(testbed.stack.database_url, autocommit=True) as connection:
        cut = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%'"
        ).fetchone()
        assert cut is not None
        assert cut[0] >= 1
        # In the moment after, hints reach nobody.
        agree(testbed, accepted(post(testbed, 1, uuid4().hex, body())))

        def listens() -> Any:
            row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%'").fetchone()
            return row is not None and row[0] >= cut[0]

        until(listens, "the listeners again")


# --- the broker ------------------------------------------------------------------------------------------------


@pytest.mark.fault("F14")
def test_a_broker_that_restarts_again_and_again_is_met_with_patience(testbed: Testbed) -> None:
    broker = testbed.stack.broker
    assert broker is not None
    before = {name: proxy.taken for name, proxy in testbed.to_broker.items()}
    began = time.monotonic()
    ids = []
    for n in range(4):
        ids.append(accepted(post(testbed, n % 2, uuid4().hex, body())))
        broker.kill()
        ids.append(accepted(post(testbed, n % 2, uuid4().hex, body("pc-2"))))
        broker.start()
    for command_id in ids:
        agree(testbed, command_id)
    took = time.monotonic() - began
    for name, proxy in testbed.to_broker.items():
        # Full jitter from 0.5 s up: on average no more than some four tries a second, however short the deaths.
        assert proxy.taken - before[name] <= 8 + 4 * took, name


@pytest.mark.fault("F15")
def test_what_waits_for_an_absent_client_waits_in_the_database_and_comes_in_order(testbed: Testbed) -> None:
    agent = testbed.processes["pc-2"]
    agent.kill()
    until(lambda: testbed.http.get("/api/clients/pc-2").json()["presence"] == "offline", "offline")
    priorities = [1, 5, 9, 3, 10, 7] * 4
    ids = [accepted(post(testbed, n % 2, uuid4().hex, body("pc-2", priority=p))) for n, p in enumerate(priorities)]
    assert commands(testbed, "id = ANY(%s) AND status = 'pending'", ids) == len(ids)

    agent.start()
    for command_id in ids:
        agree(testbed, command_id)

    order = [note.command_id for note in read_notes(testbed.notes) if note.kind == "effect" and note.command_id in ids]
    urgent = {command_id for command_id, priority in zip(ids, priorities, strict=True) if priority >= 9}
    assert set(order[: len(urgent)]) == urgent


# --- lines -----------------------------------------------------------------------------------------------------

LINES = {
    "cut": None,
    "half open": HALF_OPEN,
    "deaf": Conditions(down_silent=True),
    "mute": Conditions(up_silent=True),
    "slow": Conditions(delay_s=0.5, bytes_per_s=8_000),
    "one byte at a time": Conditions(slice_bytes=1, bytes_per_s=20_000),
}


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    ("where", "line"),
    [
        *(("agent", line) for line in LINES),
        *(("hub and broker", line) for line in ("cut", "half open", "mute")),
        *(("hub and Postgres", line) for line in ("cut", "slow", "one byte at a time")),
    ],
)
def test_a_bad_line_costs_time_and_nothing_else(testbed: Testbed, line: str, where: str) -> None:
    proxy = {
        "agent": testbed.to_broker["pc-1"],
        "hub and broker": testbed.to_broker["two"],
        "hub and Postgres": testbed.to_database["two"],
    }[where]
    keys = [(uuid4().hex, body(before=50)) for _ in range(4)]
    ids = [accepted(post(testbed, 0, *key)) for key in keys[:2]]
    conditions = LINES[line]
    if conditions is None:
        proxy.cut(reset=True)
    else:
        proxy.set(conditions)
    ids += [accepted(post(testbed, 0, *key)) for key in keys[2:]]
    if conditions is not None and (conditions.up_silent or conditions.down_silent):
        # Something must have been lost in the silence before the line is well again.
        until(lambda: commands(testbed, "id = ANY(%s) AND status <> 'pending'", ids) >= 2, "handed out", 60)
        proxy.set(GOOD)
        proxy.cut(reset=True)
    for command_id in ids:
        agree(testbed, command_id)


# --- clocks ----------------------------------------------------------------------------------------------------


@pytest.mark.fault("F27")
@pytest.mark.parametrize("seconds", [600, -600])
def test_a_clock_of_the_hub_that_jumps_starts_nothing_late_and_loses_nothing_new(
    testbed: Testbed, seconds: int
) -> None:
    try:
        testbed.shift_clock(seconds)
        after = accepted(post(testbed, 0, uuid4().hex, body(expires_in_s=3_600)))
        agree(testbed, after)
    finally:
        testbed.shift_clock(0)
    agree(testbed, accepted(post(testbed, 1, uuid4().hex, body())))
