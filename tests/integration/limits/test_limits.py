"""What several processes of the hub count together, and the day of a client's limit."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.limits import store
from hub.core.limits.service import Limits, PerMinute, Presence, Replays, use_quota_time_zone
from hub.database.engine import Database
from hub.errors import RejectedError, SetupError
from hub.telemetry.log import Log
from tests.support.factories import add_client, new_command, submit_all

ShiftClock = Callable[[str], Awaitable[Database]]
API = frozenset({"api", "worker"})
WMS, SHOP = uuid7(), uuid7()


async def guarded(database: Database, *, required: bool = False) -> Replays:
    presence = Presence(database, API)
    await presence.beat()
    return Replays(database, presence, required=required)


async def code_of(
    replays: Replays, principal: UUID, timestamp: str | None, nonce: str | None, kind: str = "integration"
) -> str:
    try:
        await replays.check(principal, kind, timestamp, nonce)
    except RejectedError as refused:
        return refused.code
    return "taken"


async def _rows(database: Database, query: str) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def test_a_nonce_counts_once_for_its_principal_over_all_processes(database: Database) -> None:
    one, two = await guarded(database), await guarded(database)
    now = datetime.now(UTC).isoformat()
    assert await code_of(one, WMS, now, "a") == "taken"
    assert await code_of(two, WMS, now, "a") == "nonce_used"
    assert await code_of(two, SHOP, now, "a") == "taken"
    assert await code_of(two, WMS, now, "b") == "taken"
    assert await code_of(one, WMS, None, "b") == "nonce_used"


async def test_a_time_that_is_wrong_takes_no_nonce(database: Database) -> None:
    replays = await guarded(database)
    old = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
    early = str((datetime.now(UTC) + timedelta(minutes=6)).timestamp())
    assert await code_of(replays, WMS, old, "a") == "timestamp_expired"
    assert await code_of(replays, WMS, early, "a") == "timestamp_expired"
    assert await code_of(replays, WMS, "yesterday", "a") == "validation_error"
    assert await code_of(replays, WMS, datetime.now(UTC).isoformat(), "") == "validation_error"
    assert await _rows(database, "SELECT FROM request_nonces") == []


async def test_the_hub_s_time_is_the_database_s(shift_clock: ShiftClock) -> None:
    replays = await guarded(await shift_clock("1 hour"))
    assert await code_of(replays, WMS, datetime.now(UTC).isoformat(), None) == "timestamp_expired"
    assert await code_of(replays, WMS, (datetime.now(UTC) + timedelta(hours=1)).isoformat(), None) == "taken"


async def test_what_is_required_is_required_of_integrations(database: Database) -> None:
    replays = await guarded(database, required=True)
    now = datetime.now(UTC).isoformat()
    for timestamp, nonce in ((None, None), (now, None), (None, "a")):
        assert await code_of(replays, WMS, timestamp, nonce) == "timestamp_required"
    assert await code_of(replays, WMS, now, "a") == "taken"
    assert await code_of(replays, SHOP, None, None, kind="user") == "taken"


async def test_nonces_are_forgotten_when_their_requests_would_be_refused_anyway(shift_clock: ShiftClock) -> None:
    now = await shift_clock("0")
    await code_of(await guarded(now), WMS, None, "a")
    later = await guarded(await shift_clock("9 minutes 50 seconds"))
    await later.forget()
    assert len(await _rows(now, "SELECT FROM request_nonces")) == 1
    much_later = await guarded(await shift_clock("10 minutes 10 seconds"))
    await much_later.forget()
    assert await _rows(now, "SELECT FROM request_nonces") == []


async def test_a_limit_is_divided_among_the_processes_that_live(shift_clock: ShiftClock) -> None:
    now, soon, later = await shift_clock("0"), await shift_clock("10 seconds"), await shift_clock("1 minute")
    one, two = Presence(now, API), Presence(now, frozenset({"api"}))
    worker = Presence(now, frozenset({"worker"}))
    for presence in (worker, one, two, one):
        await presence.beat()
    assert (one.share, two.share) == (2, 2)
    three = Presence(soon, API)
    await three.beat()
    assert three.share == 3
    last = Presence(later, API)
    await last.beat()
    assert last.share == 1
    limits = Limits(PerMinute(programs=4, people=1, addresses=1), one, Replays(now, one, required=False), Log())
    for _ in range(2):
        await limits.admit({}, WMS, "integration", by_session=False)
    with pytest.raises(RejectedError, match="too_many_requests"):
        await limits.admit({}, WMS, "integration", by_session=False)
    await one.beat()
    before = one.share
    await two.leave()
    await one.beat()
    assert one.share == before - 1


async def test_a_principal_is_served_so_many_requests_at_a_time(database: Database) -> None:
    presence = Presence(database, API)
    limits = Limits(PerMinute(programs=0, people=0, addresses=0), presence, await guarded(database), Log())
    states: list[dict[str, Any]] = [{} for _ in range(1_000)]
    for state in states:
        await limits.admit(state, WMS, "integration", by_session=False)
    with pytest.raises(RejectedError, match="too_many_waiting"):
        await limits.admit({}, WMS, "integration", by_session=False)
    await limits.admit({}, SHOP, "integration", by_session=False)
    limits.ended(states[0])
    limits.ended(states[0])
    await limits.admit({}, WMS, "integration", by_session=False)
    with pytest.raises(RejectedError, match="too_many_waiting"):
        await limits.admit({}, WMS, "integration", by_session=False)


async def test_people_and_programs_have_limits_of_their_own(database: Database) -> None:
    presence = Presence(database, API)
    await presence.beat()
    limits = Limits(PerMinute(programs=2, people=1, addresses=1), presence, await guarded(database), Log())
    state: dict[str, Any] = {}
    await limits.admit(state, WMS, "user", by_session=True)
    with pytest.raises(RejectedError) as refused:
        await limits.admit({}, WMS, "user", by_session=True)
    assert refused.value.params["setting"] == "FLOORHUB_LIMIT_PEOPLE"
    # A person's program, with a key, is a program; another person is another one.
    await limits.admit({}, WMS, "user", by_session=False)
    await limits.admit({}, SHOP, "user", by_session=True)
    [rule] = state["rate_rules"]
    assert (rule.name, rule.limit, rule.left) == ("requests", 1, 0)
    assert limits.stranger({}, "2001:db8::1") is None
    assert limits.stranger({}, "2001:db8::2") is not None
    assert limits.stranger({}, "2001:db8:0:1::1") is None


# --- the day of a limit ------------------------------------------------------------------------------------


@pytest.mark.each_postgres
@pytest.mark.parametrize(
    ("zone", "at", "day", "reset"),
    [
        ("UTC", "2026-03-01T23:59:59Z", "2026-03-01", "2026-03-02T00:00:00Z"),
        ("Asia/Seoul", "2026-03-01T14:59:59Z", "2026-03-01", "2026-03-01T15:00:00Z"),
        ("Asia/Seoul", "2026-03-01T15:00:00Z", "2026-03-02", "2026-03-02T15:00:00Z"),
        # 23 and 25 hours.
        ("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25", "2026-10-25T23:00:00Z"),
        # No midnight: the day begins at one o'clock.
        ("America/Santiago", "2026-09-05T12:00:00Z", "2026-09-05", "2026-09-06T04:00:00Z"),
        # Two midnights: the day begins with the first.
        ("America/Havana", "2026-10-31T12:00:00Z", "2026-10-31", "2026-11-01T04:00:00Z"),
        ("America/Havana", "2026-11-01T04:30:00Z", "2026-11-01", "2026-11-02T05:00:00Z"),
        # A day that there is not.
        ("Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-29", "2011-12-30T10:00:00Z"),
    ],
)
async def test_the_day_of_a_limit(database: Database, zone: str, at: str, day: str, reset: str) -> None:
    await use_quota_time_zone(database, zone, Log())
    async with database.connection() as connection:
        query = b"SELECT day::text, day_reset FROM floorhub_quota_day(%s)"
        row = await (await connection.execute(query, (datetime.fromisoformat(at),))).fetchone()
    assert row is not None
    assert (row["day"], row["day_reset"]) == (day, datetime.fromisoformat(reset))


async def test_all_processes_and_statements_go_by_the_same_day(database: Database) -> None:
    await use_quota_time_zone(database, "Asia/Seoul", Log())
    await add_client(database)
    [verdict] = await submit_all(database, [new_command()])
    assert verdict.day_reset.astimezone(UTC).hour == 15
    async with database.connection() as connection:
        assert not await store.set_quota_time_zone(connection, "Asia/Seoul")
        assert await store.set_quota_time_zone(connection, "UTC")
    [verdict] = await submit_all(database, [new_command()])
    assert verdict.day_reset.astimezone(UTC).hour == 0


async def test_a_zone_that_postgres_does_not_know_is_told(database: Database) -> None:
    with pytest.raises(SetupError, match="FLOORHUB_QUOTA_TIME_ZONE"):
        await use_quota_time_zone(database, "Mars/Olympus", Log())


# --- far over the limit ------------------------------------------------------------------------------------


async def _suspicions(database: Database) -> list[Any]:
    rows = await _rows(
        database, "SELECT client_id, detail, address FROM security_events WHERE kind = 'suspicious_activity'"
    )
    return [(row["client_id"], row["detail"]["asked"]) for row in rows]


@pytest.mark.each_postgres
async def test_half_as_much_again_is_said_once_a_day(shift_clock: ShiftClock) -> None:
    today, tomorrow = await shift_clock("0"), await shift_clock("1 day")
    await add_client(today, max_commands_per_day=4)
    await add_client(today, "other", max_commands_per_day=4)

    async def ask(database: Database, number: int) -> list[str | None]:
        return [verdict.refusal for verdict in await submit_all(database, [new_command() for _ in range(number)])]

    assert await ask(today, 6) == [None] * 4 + ["quota_exceeded"] * 2
    await submit_all(today, [new_command("other") for _ in range(6)])
    assert await _suspicions(today) == []
    await ask(today, 1)
    assert await _suspicions(today) == [("front-pc", 7)]
    await ask(today, 20)
    assert await _suspicions(today) == [("front-pc", 7)]
    # What was refused took nothing, and the next day begins with nothing.
    [usage] = await _rows(today, "SELECT day_used, day_refused FROM client_usage WHERE client_id = 'front-pc'")
    assert usage == {"day_used": 4, "day_refused": 23}
    assert await ask(tomorrow, 6) == [None] * 4 + ["quota_exceeded"] * 2
    assert len(await _suspicions(today)) == 1
    await ask(tomorrow, 1)
    assert await _suspicions(today) == [("front-pc", 7), ("front-pc", 7)]


async def test_many_at_once_are_one_event(database: Database) -> None:
    await add_client(database, max_commands_per_day=2)
    await submit_all(database, [new_command() for _ in range(50)])
    assert await _suspicions(database) == [("front-pc", 50)]


async def test_a_client_that_may_be_asked_nothing_is_not_suspicious(database: Database) -> None:
    await add_client(database, max_commands_per_day=0)
    await submit_all(database, [new_command() for _ in range(5)])
    assert await _suspicions(database) == []
