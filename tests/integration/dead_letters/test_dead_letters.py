"""What people do about commands that ended without success: once, in their place, and never over a limit."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.access.rules import EVERYTHING, Caller, Principal
from hub.core.commands.rules.lifecycle import Event, JournalLost, Reported, Status, decide
from hub.core.commands.store import commands, transitions
from hub.database.engine import Database
from hub.errors import ConflictError, NotFoundError, RejectedError
from hub.features.batches import store as batches
from hub.features.dead_letters import service as module
from hub.features.dead_letters.service import MOST, Chosen, DeadLetters, Number, Numbers, Outcome
from hub.features.dead_letters.store import Filter
from hub.features.dead_letters.telemetry import Metrics
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.states import ReportStatus
from tests.support.factories import PRINCIPAL, add_client, add_commands, claim, new_command, row
from tests.support.hubs import command_metrics
from tests.support.recording_ports import RecordingPorts

KIM = Caller(Principal(PRINCIPAL, "user", "kim", "operator"), "10.0.0.7", key_id=UUID(int=9))
JAM = {"code": "jam", "message": "it jammed", "retryable": False}
UNKNOWN = UUID(int=7)


@pytest.fixture
def signals() -> RecordingPorts:
    return RecordingPorts()


@pytest.fixture
def letters(database: Database, signals: RecordingPorts) -> DeadLetters:
    return DeadLetters(database, signals, command_metrics(), Metrics(Meters()), Log())


@pytest.fixture
async def second_hub(database_url: str) -> AsyncIterator[DeadLetters]:
    other = Database(database_url)
    await other.open()
    yield DeadLetters(other, RecordingPorts(), command_metrics(), Metrics(Meters()), Log())
    await other.close()


async def happen(database: Database, command_id: UUID, event: Event) -> None:
    async with database.transaction() as connection:
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        locked.fold(decide(locked.state, event, locked.now), uuid7() if isinstance(event, Reported) else None)
        await transitions.apply(connection, [locked])


def failed(attempt: int = 1) -> Reported:
    return Reported(ReportStatus.FAILED, attempt, error=JAM)


async def dead(database: Database, event: Event | None = None, client_id: str = "front-pc", **fields: Any) -> UUID:
    """A dead letter: failed, or what `event` makes of what was handed out."""
    [command_id] = await add_commands(database, [new_command(client_id, **fields)])
    assert command_id in await claim(database, client_id)
    await happen(database, command_id, event or failed())
    return command_id


async def expire(database: Database, ids: Sequence[UUID]) -> None:
    """Make dead letters of pending commands, as the reaper would."""
    async with database.connection() as connection:
        await connection.execute(
            b"UPDATE commands SET status = 'expired', dead_letter_reason = 'expired', finished_at = floorhub_now(), "
            b"deadline_at = NULL WHERE id = ANY (%s)",
            (list(ids),),
        )


async def stored(database: Database, command_id: UUID) -> dict[str, Any]:
    async with database.connection() as connection:
        return await row(connection, command_id)


async def one(database: Database, query: bytes, *values: Any) -> Any:
    async with database.connection() as connection:
        found = await (await connection.execute(query, values)).fetchone()
    assert found is not None
    return next(iter(found.values()))


def codes(outcomes: Sequence[Outcome]) -> list[str | None]:
    return [outcome.refusal.code if outcome.refusal else None for outcome in outcomes]


# --- looking -------------------------------------------------------------------------------------------------


async def test_open_ones_are_listed_filtered_and_counted(database: Database, letters: DeadLetters) -> None:
    for client_id in ("front-pc", "back-pc"):
        await add_client(database, client_id)
    first = await dead(database, reference="order-1", order_key="k")
    second = await dead(database, JournalLost(), "back-pc", action="open-door", payload={})
    third = await dead(database)
    await add_commands(database, [new_command(order_key="k")])
    done = await dead(database, Reported(ReportStatus.COMPLETED, 1))
    await letters.dismiss(KIM, [third])

    page = await letters.page(KIM, Filter(), before=None, limit=50)

    assert ([item.id for item in page.rows], page.following) == ([second, first], None)
    assert [item.reason for item in page.rows] == ["unknown", "jam"]
    assert [item.blocks for item in page.rows] == [False, True]
    assert done not in [item.id for item in page.rows]
    begun = (await stored(database, second))["created_at"]
    for wanted, found in (
        (Filter(client_id="back-pc"), [second]),
        (Filter(action="print"), [first]),
        (Filter(reason="jam"), [first]),
        (Filter(reference="order-1"), [first]),
        (Filter(created_before=begun), [first]),
        (Filter(created_after=begun), [second]),
        (Filter(client_id="back-pc", reason="jam"), []),
    ):
        assert [item.id for item in (await letters.page(KIM, wanted, before=None, limit=50)).rows] == found, wanted
        assert (await letters.summary(KIM, wanted)).total == len(found), wanted
    page = await letters.page(KIM, Filter(), before=None, limit=1)
    assert ([item.id for item in page.rows], page.following) == ([second], second)
    page = await letters.page(KIM, Filter(), before=page.following, limit=1)
    assert ([item.id for item in page.rows], page.following) == ([first], None)


async def test_a_summary_names_the_largest_and_says_how_many_there_are(
    database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_GROUPS", 2)
    for number, client_id in enumerate(("a", "b", "c"), start=1):
        await add_client(database, client_id)
        for _ in range(number):
            await dead(database, None, client_id)
    await dead(database, JournalLost(), "a")

    found = await letters.summary(KIM, Filter())

    assert (found.total, found.client.different) == (7, 3)
    assert found.client.largest == [Number("c", 3), Number("a", 2)]
    assert found.action == Numbers(1, [Number("print", 7)])
    assert found.reason.largest == [Number("jam", 6), Number("unknown", 1)]
    assert found.oldest is not None
    empty = await letters.summary(KIM, Filter(client_id="nobody"))
    assert (empty.total, empty.client) == (0, Numbers())


# --- replay --------------------------------------------------------------------------------------------------

_KEPT = (
    *("client_id", "action", "lane", "payload", "priority", "max_retries", "timeout_s", "on_interrupt"),
    *("order_key", "when_offline", "reference", "tags", "estimated_duration_s"),
)


async def test_a_replay_is_a_new_command_like_the_old_one(
    database: Database, letters: DeadLetters, signals: RecordingPorts
) -> None:
    await add_client(database)
    fields = {"priority": 8, "max_retries": 1, "timeout_s": 7.0, "on_interrupt": "rerun", "order_key": "k"}
    fields |= {"reference": "order-1", "tags": ["a"], "expires_in_s": 900.0, "estimated_duration_s": 3.0}
    letter = await dead(database, **fields)

    outcome = await letters.retry(KIM, letter)

    assert outcome.command_id is not None
    old, new = await stored(database, letter), await stored(database, outcome.command_id)
    assert {name: new[name] for name in _KEPT} == {name: old[name] for name in _KEPT}
    assert (new["status"], new["attempt"], new["replay_of"]) == ("pending", 1, letter)
    assert new["expires_at"] - new["created_at"] == timedelta(seconds=900)
    assert (old["status"], old["dead_letter_reason"], old["dead_letter_closed_by"]) == ("failed", "jam", "replayed")
    async with database.connection() as connection:
        assert (await commands.find(connection, [letter], EVERYTHING))[letter].replayed_by == new["id"]
        last = (await commands.logs(connection, letter))[-1]
    assert (last.event, last.version) == ("replayed", old["version"])
    assert last.detail == {"by": "kim", "command_id": str(new["id"])}
    assert signals.woken == {"front-pc"}
    audited = b"SELECT detail ->> 'command_id' FROM audit_logs WHERE action = 'dead_letter.replay' AND resource_id = %s"
    assert await one(database, audited, str(letter)) == str(new["id"])
    asked = await dead(database)
    other = await letters.retry(KIM, asked, expires_in_s=60)
    assert other.command_id is not None
    new = await stored(database, other.command_id)
    assert new["expires_at"] - new["created_at"] == timedelta(seconds=60)


async def test_asked_twenty_times_over_two_hubs_it_runs_once(
    database: Database, letters: DeadLetters, second_hub: DeadLetters
) -> None:
    await add_client(database)
    letter = await dead(database)

    asked = await asyncio.gather(*(hub.retry(KIM, letter) for hub in (letters, second_hub) for _ in range(10)))

    [new] = {outcome.command_id for outcome in asked}
    assert sorted(outcome.repeated for outcome in asked) == [False] + [True] * 19
    assert await one(database, b"SELECT count(*) FROM commands WHERE replay_of = %s", letter) == 1
    assert await one(database, b"SELECT day_used FROM client_usage WHERE client_id = 'front-pc'") == 2
    # A replay that fails, too, is the dead letter now.
    assert new is not None
    assert await claim(database, "front-pc") == [new]
    await happen(database, new, failed())
    assert (await letters.retry(KIM, letter)).command_id == new
    assert not (await letters.retry(KIM, new)).repeated


async def test_overlapping_requests_beside_submits_and_late_reports_end_and_replay_each_once(
    database: Database, letters: DeadLetters, second_hub: DeadLetters
) -> None:
    names = ["a", "b", "c"]
    for client_id in names:
        await add_client(database, client_id)
    ids = [await dead(database, JournalLost(), names[n % 3], payload={"printer": f"p{n}"}) for n in range(30)]
    order = random.Random(1)  # noqa: S311 - the same sample each time

    async def replay(hub: DeadLetters) -> list[Outcome]:
        return await hub.replay(KIM, order.sample(ids, 25), force=True)

    async def submit() -> None:
        await add_commands(database, [new_command(name) for name in order.sample(names, 3)])

    async def late() -> None:
        async with database.transaction() as connection:
            locked = await transitions.lock(connection, order.sample(ids, 10))
            for command in locked.values():
                report = Reported(ReportStatus.FAILED, 1, error=JAM)
                command.fold(decide(command.state, report, command.now), uuid7())
            await transitions.apply(connection, locked.values())

    work = [step for _ in range(4) for step in (replay(letters), replay(second_hub), submit(), late())]
    answers = await asyncio.gather(*work)

    outcomes = [outcome for answer in answers for outcome in answer or ()]
    assert {outcome.refusal for outcome in outcomes} == {None}
    made = {(outcome.id, outcome.command_id) for outcome in outcomes}
    assert len(made) == len({letter for letter, _ in made}) == sum(not outcome.repeated for outcome in outcomes)
    assert await one(database, b"SELECT count(*) FROM commands WHERE replay_of IS NOT NULL") == len(made)


async def test_what_may_have_happened_needs_force_and_a_late_answer_leaves_the_replay_alone(
    database: Database, letters: DeadLetters
) -> None:
    await add_client(database)
    letter = await dead(database, JournalLost())
    before = await stored(database, letter)

    with pytest.raises(ConflictError, match="replay_needs_force"):
        await letters.retry(KIM, letter)

    assert await stored(database, letter) == before
    outcome = await letters.retry(KIM, letter, force=True)
    assert outcome.command_id is not None
    await happen(database, letter, Reported(ReportStatus.COMPLETED, 1))
    late = await stored(database, letter)
    assert (late["status"], late["dead_letter_closed_by"]) == ("completed", "replayed")
    assert (await stored(database, outcome.command_id))["status"] == "pending"
    # A late failure does not open it again.
    other = await dead(database, JournalLost(), payload={"printer": "other"})
    await letters.retry(KIM, other, force=True)
    await happen(database, other, failed())
    assert (await letters.page(KIM, Filter(), before=None, limit=50)).rows == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rate_limit": 1}, "rate_limited"),
        ({"max_commands_per_day": 1}, "quota_exceeded"),
        ({"allowed_actions": ["status"]}, "action_not_allowed"),
        ({"status": "disabled"}, "client_disabled"),
    ],
)
async def test_what_is_refused_as_a_submit_is_leaves_the_dead_letter_open(
    database: Database, letters: DeadLetters, change: dict[str, Any], code: str
) -> None:
    await add_client(database)
    letter = await dead(database)
    async with database.transaction() as connection:
        table = b"clients" if "status" in change else b"client_permissions"
        column, value = next(iter(change.items()))
        key = b"id" if "status" in change else b"client_id"
        await connection.execute(
            b"UPDATE " + table + b" SET " + column.encode() + b" = %s WHERE " + key + b" = 'front-pc'", (value,)
        )
    before = await stored(database, letter)

    with pytest.raises(RejectedError, match=code):
        await letters.retry(KIM, letter)

    assert await stored(database, letter) == before
    assert await one(database, b"SELECT day_used FROM client_usage WHERE client_id = 'front-pc'") == 1


async def test_each_of_many_gets_its_own_answer(
    database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    await add_client(database)
    await add_client(database, "small-pc", max_commands_per_day=3)
    good = await dead(database)
    again = await dead(database)
    await letters.retry(KIM, again)
    unsure = await dead(database, JournalLost(), payload={"printer": "other"})
    dismissed = await dead(database)
    await letters.dismiss(KIM, [dismissed])
    [pending] = await add_commands(database, [new_command()])
    older, younger = [await dead(database, None, "small-pc") for _ in range(2)]

    asked = [younger, good, again, unsure, dismissed, pending, UNKNOWN, older, good]
    outcomes = await letters.replay(KIM, asked)

    assert [outcome.id for outcome in outcomes] == asked[:-1]
    assert codes(outcomes) == [
        # The older one got what was left of the quota.
        *("quota_exceeded", None, None, "replay_needs_force", "dead_letter_closed", "not_a_dead_letter"),
        *("command_not_found", None),
    ]
    assert [outcome.repeated for outcome in outcomes] == [False, False, True, *[False] * 5]
    still_open = {item.id for item in (await letters.page(KIM, Filter(), before=None, limit=50)).rows}
    assert still_open == {younger, unsure}


async def test_a_filter_goes_through_all_and_past_what_was_refused(
    database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 4)
    monkeypatch.setattr(module, "CHUNK", 3)
    await add_client(database)
    unsure = await dead(database, JournalLost())
    ids = await add_commands(database, [new_command() for _ in range(7)])
    await expire(database, ids)

    first = await letters.replay_chosen(KIM, Chosen())
    second = await letters.replay_chosen(KIM, Chosen(after=first.following))

    assert [outcome.id for outcome in first.items] == [unsure, *ids[:3]]
    assert codes(first.items) == ["replay_needs_force", None, None, None]
    assert (first.left, first.following) == (4, ids[2])
    assert [outcome.id for outcome in second.items] == ids[3:]
    assert (second.left, second.following) == (0, None)
    rest = await letters.dismiss_chosen(KIM, Chosen(wanted=Filter(client_id="front-pc")), note="nobody wants it")
    assert [outcome.id for outcome in rest.items] == [unsure]


async def test_a_thousand_at_once(database: Database, letters: DeadLetters) -> None:
    await add_client(database)
    ids = await add_commands(database, [new_command() for _ in range(MOST + 1)])
    await expire(database, ids)

    done = await letters.replay_chosen(KIM, Chosen(wanted=Filter(reason="expired")))

    assert (len(done.items), done.left, set(codes(done.items))) == (MOST, 1, {None})
    assert await one(database, b"SELECT count(*) FROM commands WHERE replay_of IS NOT NULL") == MOST


async def test_a_replay_is_none_of_its_original_s_batch(database: Database, letters: DeadLetters) -> None:
    await add_client(database)
    batch_id = uuid7()
    letter = await dead(database, batch_id=batch_id)

    outcome = await letters.retry(KIM, letter)

    assert outcome.command_id is not None
    assert (await stored(database, outcome.command_id))["batch_id"] is None
    async with database.connection() as connection:
        counts = {(count.status, count.number) for count in await batches.progress(connection, EVERYTHING, batch_id)}
    assert counts == {("failed", 1)}


# --- the order of a key --------------------------------------------------------------------------------------


async def test_a_replay_goes_in_the_place_of_its_original(database: Database, letters: DeadLetters) -> None:
    await add_client(database)
    first = await dead(database, order_key="k")
    second, third = await add_commands(database, [new_command(order_key="k", priority=n) for n in (5, 10)])
    assert await claim(database, "front-pc") == []

    again = (await letters.retry(KIM, first)).command_id

    assert again is not None
    assert await claim(database, "front-pc") == [again]
    await happen(database, again, failed())
    assert await claim(database, "front-pc") == []
    # A replay of a replay keeps the place of the first one.
    once_more = (await letters.retry(KIM, again)).command_id
    assert once_more is not None
    for command_id in (once_more, second, third):
        assert await claim(database, "front-pc") == [command_id]
        await happen(database, command_id, Reported(ReportStatus.COMPLETED, 1))
    assert await claim(database, "front-pc") == []


@pytest.mark.parametrize("way", ["dismiss", "decide"])
async def test_what_waits_behind_it_goes_when_a_person_closes_it(
    database: Database, letters: DeadLetters, signals: RecordingPorts, way: str
) -> None:
    await add_client(database)
    first = await dead(database, JournalLost(), order_key="k")
    [second] = await add_commands(database, [new_command(order_key="k")])
    assert await claim(database, "front-pc") == []

    if way == "dismiss":
        await letters.dismiss(KIM, [first])
    else:
        await letters.decide(KIM, first, Status.FAILED)

    assert signals.woken == {"front-pc"}
    assert await claim(database, "front-pc") == [second]


# --- dismiss -------------------------------------------------------------------------------------------------


async def test_dismissing_says_who_and_why_and_is_harmless_twice(database: Database, letters: DeadLetters) -> None:
    await add_client(database)
    letter = await dead(database)

    first = await letters.dismiss(KIM, [letter, letter, UNKNOWN], note="printed by hand")
    after = await stored(database, letter)
    second = await letters.dismiss(KIM, [letter])

    assert (codes(first), [outcome.repeated for outcome in first]) == ([None, "command_not_found"], [False, False])
    assert (codes(second), second[0].repeated) == ([None], True)
    assert (after["status"], after["dead_letter_closed_by"]) == ("failed", "dismissed")
    assert after["finished_at"] < after["dead_letter_closed_at"]
    assert await stored(database, letter) == after
    async with database.connection() as connection:
        last = (await commands.logs(connection, letter))[-1]
    assert (last.event, last.detail) == ("dismissed", {"by": "kim", "note": "printed by hand"})
    audited = b"SELECT count(*) FROM audit_logs WHERE action = 'dead_letter.dismiss'"
    assert await one(database, audited) == 1
    with pytest.raises(ConflictError, match="dead_letter_closed"):
        await letters.retry(KIM, letter)
    with pytest.raises(RejectedError, match="validation_error"):
        await letters.dismiss(KIM, [letter], note="\0")


# --- decide --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["completed", "failed", "cancelled"])
async def test_a_person_s_word_about_an_unknown_command_is_final(
    database: Database, letters: DeadLetters, signals: RecordingPorts, outcome: str
) -> None:
    await add_client(database)
    letter = await dead(database, JournalLost())

    await letters.decide(KIM, letter, Status(outcome), note="three pages in the tray")

    after = await stored(database, letter)
    assert (after["status"], after["dead_letter_closed_by"], after["unknown_reason"]) == (outcome, "decided", None)
    assert {"completed": None, "failed": "decided", "cancelled": "journal_lost"}[outcome] == (
        after["error"] and after["error"]["code"]
    )
    assert signals.finished == [letter]
    async with database.connection() as connection:
        last = (await commands.logs(connection, letter))[-1]
    assert (last.event, last.status) == ("decided", outcome)
    assert {"by": "kim", "note": "three pages in the tray"}.items() <= last.detail.items()
    for late in (ReportStatus.COMPLETED, ReportStatus.FAILED, ReportStatus.UNKNOWN):
        await happen(database, letter, Reported(late, 1, error=JAM))
    assert await stored(database, letter) == after
    with pytest.raises(ConflictError, match="command_not_unknown"):
        await letters.decide(KIM, letter, Status(outcome))
    with pytest.raises(ConflictError, match="dead_letter_closed"):
        await letters.retry(KIM, letter, force=True)


async def test_what_became_of_it_can_be_said_after_it_was_dismissed(database: Database, letters: DeadLetters) -> None:
    await add_client(database)
    letter = await dead(database, JournalLost())
    await letters.dismiss(KIM, [letter])
    closed = await stored(database, letter)

    await letters.decide(KIM, letter, Status.COMPLETED)

    after = await stored(database, letter)
    assert (after["status"], after["dead_letter_closed_by"]) == ("completed", "dismissed")
    assert after["dead_letter_closed_at"] == closed["dead_letter_closed_at"]


async def test_only_an_unknown_command_is_decided_by_a_person(database: Database, letters: DeadLetters) -> None:
    await add_client(database)
    letter = await dead(database)
    before = await stored(database, letter)
    with pytest.raises(ConflictError, match="command_not_unknown"):
        await letters.decide(KIM, letter, Status.COMPLETED)
    with pytest.raises(NotFoundError, match="command_not_found"):
        await letters.decide(KIM, UNKNOWN, Status.COMPLETED)
    assert await stored(database, letter) == before
