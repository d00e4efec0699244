"""What may go, at the boundary of each period."""

from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from hub.features.retention.rules import Candidate, Periods, first_id_of, may_go
from hub.features.retention.subject import kinds_of
from hub.subject import Kept, Subject, days
from tests.support.hubs import settings

KEEPS = ("keep_commands_days", "keep_dead_letters_days", "keep_documents_days")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
PERIODS = Periods(commands=90 * DAY, dead_letters=None, documents=90 * DAY)
OLD = NOW - 90 * DAY - SECOND
YOUNG = NOW - 90 * DAY + SECOND


@pytest.mark.parametrize(
    ("command", "goes"),
    [
        (Candidate(OLD), True),
        (Candidate(YOUNG), False),
        (Candidate(None), False),
        (Candidate(OLD, waits=True), False),
        (Candidate(OLD, closed_at=OLD), True),
        (Candidate(OLD, closed_at=YOUNG), False),
        (Candidate(OLD, in_batch=True), False),
        (Candidate(OLD, batch_finished_at=OLD), True),
        (Candidate(OLD, batch_finished_at=YOUNG), False),
    ],
)
def test_a_command_goes_when_all_that_it_belongs_to_ended_long_ago(command: Candidate, goes: bool) -> None:
    assert may_go(command, PERIODS, NOW) is goes


def test_an_open_dead_letter_goes_by_a_period_of_its_own() -> None:
    periods = Periods(None, 10 * DAY, None)
    assert may_go(Candidate(NOW - 10 * DAY - SECOND, waits=True), periods, NOW)
    assert not may_go(Candidate(NOW - 10 * DAY + SECOND, waits=True), periods, NOW)
    assert not may_go(Candidate(OLD), periods, NOW)
    assert periods.first_command == 10 * DAY


def test_without_a_period_nothing_goes() -> None:
    for_ever = Periods(None, None, None)
    kinds = kinds_of(settings(**dict.fromkeys(KEEPS, 0)), [Subject(kept=(Kept("quarantine", days(0), b"", b""),))])
    assert for_ever.first_command is None
    assert [kind.walk(NOW) for kind in kinds] == [None] * 4
    assert not may_go(Candidate(OLD), for_ever, NOW)


def test_ids_of_a_moment_divide_what_was_made_before_from_what_comes_after() -> None:
    before = first_id_of(datetime.now(UTC) - SECOND)
    made = uuid7()
    assert before < made < first_id_of(datetime.now(UTC) + SECOND)
