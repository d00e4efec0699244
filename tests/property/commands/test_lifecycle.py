"""What holds for every command, every back-off and every order of signs, however unlikely."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import (
    FINAL,
    HANDED_OUT,
    TRANSITIONS,
    CancelRequested,
    Command,
    DeadlinePassed,
    Decision,
    Event,
    Ignore,
    JournalLost,
    Move,
    Reported,
    Status,
    Touch,
    decide,
)
from hub.core.commands.rules.retry import RetryPolicy
from hub.core.presence.rules.identity import Claim, Finding, Identity, identify
from hub.core.presence.rules.presence import SILENCE, Evidence, Observation, ObservationKind, age, observe
from hub.features.dead_letters import rules as dead_letters
from hub.features.dead_letters.rules import OUTCOMES, Decide, Dismiss, Replay, Wish
from schemas.states import Level, Presence, ReportStatus
from tests.support.examples import examples

START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
CLAIM = "claim"
"""Dispatch's own move, which is SQL; a test of the store holds it against the same table."""

# More of what keeps a command going than of what ends it, else few examples get far. `attempt` is told from the
# command's present one: mostly that, now and then the one before or after.
reports = st.builds(
    Reported,
    status=st.sampled_from([*ReportStatus, *[ReportStatus.FAILED] * 4, ReportStatus.STARTED, ReportStatus.HELD]),
    attempt=st.sampled_from([0, 0, 0, 0, -1, 1]),
    retryable=st.sampled_from([True, True, False]),
    error=st.none() | st.just({"code": "media_jam"}),
    result=st.none() | st.just({"data": {}}),
    progress=st.none() | st.just({"reasons": ["media-empty"]}),
    chance=st.floats(0, 1, exclude_max=True),
)
wishes = st.sampled_from(
    [
        *(Replay(UUID(int=1), "kim", force=force) for force in (False, True)),
        Dismiss("kim"),
        *(Decide(outcome, "kim") for outcome in sorted(OUTCOMES)),
    ]
)
events = (
    reports
    | wishes
    | st.just(CancelRequested())
    | st.just(DeadlinePassed())
    | st.sampled_from([JournalLost(), JournalLost("session_lost")])
    | st.just(CLAIM)
)
steps = st.lists(st.tuples(events, st.floats(0, 5_000)), min_size=3, max_size=30)


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """A command anywhere in its life."""
    status = draw(st.sampled_from(Status))
    retry = RetryPolicy(max_retries=draw(st.integers(0, 4)))
    held = status is Status.RUNNING and draw(st.booleans())
    expires_at, timeout_s = START + timedelta(hours=1), draw(st.floats(1, 3_600))
    reason = "reason" if status in (Status.FAILED, Status.EXPIRED, Status.UNKNOWN) else None
    return Command(
        status=status,
        attempt=draw(st.integers(1, max(retry.max_retries, 1))),
        expires_at=expires_at,
        timeout_s=timeout_s,
        retry=retry,
        cancel_requested=status in HANDED_OUT and draw(st.booleans()),
        held=held,
        accepted=status in HANDED_OUT and draw(st.booleans()),
        rerun=draw(st.booleans()),
        unknown_reason=draw(st.sampled_from(["reported", "no_word"])) if status is Status.UNKNOWN else None,
        deadline_at=lifecycle.deadline_of(status, expires_at, timeout_s, START, held=held),
        dead_letter_reason=reason,
        dead_letter_closed_by=draw(st.sampled_from([None, "replayed", "dismissed", "decided"])) if reason else None,
    )


def _about(command: Command, event: Event | Wish) -> Event | Wish:
    """The event with its attempt counted from the command's."""
    return structs.replace(event, attempt=command.attempt + event.attempt) if isinstance(event, Reported) else event


def _apply(command: Command, decision: Decision) -> Command:
    """The command after a decision: what the store's write amounts to."""
    if isinstance(decision, Ignore):
        return command
    changes = decision.changes
    to = decision.to if isinstance(decision, Move) else command.status
    ended = to in lifecycle.ENDED
    closed_by = changes.get("dead_letter_closed_by", command.dead_letter_closed_by)
    settled = to in (Status.COMPLETED, Status.CANCELLED) and "dead_letter_reason" not in changes
    if command.waits and closed_by is None and settled:
        closed_by = "late_answer"
    return structs.replace(
        command,
        status=to,
        attempt=changes.get("attempt", command.attempt),
        cancel_requested=command.cancel_requested or "cancel_requested_at" in changes,
        held=not ended and bool(changes.get("held_reasons", command.held)),
        accepted=command.accepted or "accepted_at" in changes,
        unknown_reason=changes.get("unknown_reason", command.unknown_reason) if to is Status.UNKNOWN else None,
        deadline_at=None if ended else changes.get("deadline_at", command.deadline_at),
        dead_letter_reason=changes.get("dead_letter_reason", command.dead_letter_reason),
        dead_letter_closed_by=closed_by,
    )


def _claim(command: Command, now: datetime) -> Command:
    if command.status is not Status.PENDING:
        return command
    deadline = lifecycle.deadline_of(Status.QUEUED, command.expires_at, command.timeout_s, now, held=False)
    return structs.replace(command, status=Status.QUEUED, accepted=False, held=False, deadline_at=deadline)


def _step(command: Command, event: Event | Wish | str, now: datetime) -> Command:
    if isinstance(event, str):
        return _claim(command, now)
    if isinstance(event, Wish):
        return _apply(command, dead_letters.judge(command, event, now))
    return _apply(command, decide(command, event, now))


@settings(max_examples=examples(600))
@given(commands(), steps)
def test_a_command_keeps_the_rules_whatever_happens(
    command: Command, happenings: list[tuple[Event | Wish | str, float]]
) -> None:
    now = START
    tries = set()
    for happening, later_s in happenings:
        now += timedelta(seconds=later_s)
        event = happening if isinstance(happening, str) else _about(command, happening)
        before, command = command, _step(command, event, now)
        if before.status in FINAL:
            # Nothing but a person, who closes its dead letter, and that once.
            assert command == before or (isinstance(event, Wish) and before.waits)
            assert structs.replace(command, dead_letter_closed_by=before.dead_letter_closed_by) == before
        if before.dead_letter_closed_by is not None:
            assert command.dead_letter_closed_by == before.dead_letter_closed_by
        if isinstance(event, Decide) and before.status is Status.UNKNOWN:
            assert (command.status, command.waits) == (event.outcome, False)
        if isinstance(event, Replay) and before.waits:
            # An effect that may have happened is never repeated by mistake.
            assert command.waits == (before.status is Status.UNKNOWN and not event.force)
        if isinstance(event, Reported) and event.attempt != before.attempt:
            assert command == before
        if command.status is not before.status:
            assert command.status in TRANSITIONS[before.status]
        if command.status is not before.status and command.status is Status.CANCELLED:
            # Somebody asked for it, or somebody has to look at it.
            assert before.cancel_requested or command.cancel_requested or command.dead_letter_reason is not None
        assert command.attempt >= before.attempt
        assert command.attempt <= command.retry.max_retries + 1
        # Every unfinished command has a deadline, and only those.
        assert (command.deadline_at is None) == (command.status in lifecycle.ENDED)
        if command.status is Status.QUEUED and before.status is Status.PENDING:
            # An attempt is handed out once; only the agent's word, failed and retryable, makes the next.
            assert command.attempt not in tries
            tries.add(command.attempt)
        if command.attempt > before.attempt:
            assert isinstance(event, Reported)
            assert (event.status, event.retryable, event.attempt) == (ReportStatus.FAILED, True, before.attempt)
            # Not of an unknown one, which may have taken effect, nor of one that nobody wants any more.
            assert before.status in HANDED_OUT
            assert not before.cancel_requested


@settings(max_examples=examples(600))
@given(commands(), st.lists(st.tuples(events, st.floats(0, 5_000)), max_size=3), reports)
def test_a_report_that_comes_again_changes_nothing(
    command: Command, happenings: list[tuple[Event | Wish | str, float]], report: Reported
) -> None:
    now = START
    for event, later_s in happenings:
        now += timedelta(seconds=later_s)
        command = _step(command, event if isinstance(event, str) else _about(command, event), now)
    told = _about(command, report)
    once = _apply(command, decide(command, told, now))
    again = decide(once, told, now)
    # A hold may be confirmed and progress told again: the same words, nothing moves.
    assert _apply(once, again) == once
    if isinstance(again, Move):
        assert report.status is ReportStatus.HELD
    elif isinstance(again, Touch):
        assert report.status in (ReportStatus.PROGRESS, ReportStatus.BUSY)


@given(commands(), steps)
def test_deadlines_alone_bring_every_command_to_an_end(
    command: Command, happenings: list[tuple[Event | Wish | str, float]]
) -> None:
    now = START
    for event, later_s in happenings:
        now += timedelta(seconds=later_s)
        command = _step(command, event if isinstance(event, str) else _about(command, event), now)
    if command.deadline_at is not None:
        assert _step(command, DeadlinePassed(), max(now, command.deadline_at)).status in lifecycle.ENDED


@given(st.integers(0, 100), st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_a_back_off_is_bounded_and_ends(max_retries: int, attempt: int, chance: float) -> None:
    policy = RetryPolicy(max_retries=max_retries)
    delay = policy.delay_after(attempt, chance)
    if attempt > max_retries:
        assert delay is None
        return
    assert delay is not None
    step = min(policy.first * 2.0 ** min(attempt - 1, 10), policy.cap)
    assert step / 2 <= delay <= step
    following = policy.delay_after(attempt + 1, chance)
    assert following is None or following >= delay


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_retries": -1},
        {"max_retries": 101},
        {"first": timedelta(0)},
        {"factor": 0.5},
        {"cap": timedelta(milliseconds=1)},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 100|back-off needs"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


# --- presence ------------------------------------------------------------------------------------------------

Signs = list[Observation]


@st.composite
def one_clients_signs(draw: st.DrawFn) -> Signs:
    """What a broker publishes of one client, in its order: sessions follow each other, connections count up, and
    the end of a connection may come before or after the birth that took it over, or not at all."""
    signs: Signs = []
    owed: Signs = []
    for session in range(draw(st.integers(1, 3))):
        level = draw(st.sampled_from(Level))
        for connection in range(1, draw(st.integers(1, 3)) + 1):
            name = f"s{session}"
            early: bool = draw(st.booleans())
            if owed and early:
                signs.append(owed.pop())
            signs.append(Observation(ObservationKind.BIRTH, name, connection, level))
            signs += owed
            signs += [Observation(ObservationKind.HEARTBEAT, name, connection)] * draw(st.integers(0, 2))
            ending = draw(st.sampled_from([ObservationKind.WILL, ObservationKind.GOOD_BYE, None]))
            owed = [Observation(ending, name, connection)] if ending else []
    if draw(st.booleans()):
        signs += owed
    return signs


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[Signs, Signs]:
    """The broker's order, and a mixture in which several workers, each in that order, take the same signs in."""
    signs = draw(one_clients_signs())
    places = [0] * draw(st.integers(1, 3))
    mixed: Signs = []
    while any(place < len(signs) for place in places):
        worker = draw(st.sampled_from([n for n, place in enumerate(places) if place < len(signs)]))
        mixed.append(signs[places[worker]])
        places[worker] += 1
    return signs, mixed


def _last(signs: Sequence[Observation]) -> Observation:
    return [sign for sign in signs if sign.kind is ObservationKind.BIRTH][-1]


@given(interleaved())
def test_the_newest_connection_decides_in_whatever_order_workers_hear_it(orders: tuple[Signs, Signs]) -> None:
    signs, mixed = orders
    evidence = Evidence()
    for n, observation in enumerate(mixed):
        evidence = observe(evidence, observation, START + timedelta(seconds=n))
    newest = _last(signs)
    over = any(
        sign.kind in (ObservationKind.WILL, ObservationKind.GOOD_BYE)
        and (sign.session, sign.connection) == (newest.session, newest.connection)
        for sign in signs
    )
    assert (evidence.session, evidence.connection) == (newest.session, newest.connection)
    assert evidence.presence is (Presence.OFFLINE if over else Presence.ONLINE)


@given(one_clients_signs(), st.permutations(range(6)))
def test_within_a_session_no_older_connection_overrules_a_newer_one(signs: Signs, order: list[int]) -> None:
    """In any order at all, not only one that a broker makes."""
    newest = _last(signs)
    evidence = observe(Evidence(), newest, START)
    older = [sign for sign in signs if sign.session == newest.session and sign.connection < newest.connection]
    for n in order:
        if n < len(older):
            assert observe(evidence, older[n], START + timedelta(minutes=1)) == evidence


@given(one_clients_signs(), st.floats(0, 10_000), st.none() | st.floats(-1_000, 1_000))
def test_silence_only_ever_takes_online_to_unknown(signs: Signs, later_s: float, called_s: float | None) -> None:
    evidence = Evidence()
    for observation in signs:
        evidence = observe(evidence, observation, START)
    now = START + timedelta(seconds=later_s)
    called = None if called_s is None else START + timedelta(seconds=called_s)
    after = age(evidence, now, called)
    if after != evidence:
        assert (evidence.presence, after.presence, evidence.level) == (Presence.ONLINE, Presence.UNKNOWN, Level.FULL)
        assert replace(after, presence=evidence.presence, reason=evidence.reason, since=evidence.since) == evidence
    elif evidence.presence is Presence.ONLINE and evidence.level is Level.FULL:
        assert now - START < SILENCE
    assert age(after, now, called) == after


# --- identity ------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=12),
)
def test_an_agent_that_keeps_its_journal_is_never_told_that_it_lost_it(starts: list[tuple[bool, bool, bool]]) -> None:
    """A welcome may be lost on its way, and the hub may miss the confirmation: neither is a loss of the journal."""
    identity = Identity()
    journal: str | None = None
    epoch: int | None = None
    mark = 1
    for n, (new_session, welcome_arrives, confirmed) in enumerate(starts):
        session = f"s{n}" if new_session else identity.session or "s"
        mark += new_session
        identity, finding = identify(identity, _journal_of(session, n, journal, epoch, mark), fresh=f"j{n}")
        assert finding in ((Finding.FIRST, Finding.SAME) if journal is None and n == 0 else (Finding.SAME,)) or (
            # Until the first welcome arrives it has no journal, so that nothing can have been lost.
            journal is None
        )
        if welcome_arrives:
            journal, epoch = identity.journal, identity.issued
            if confirmed:
                identity = replace(identity, confirmed=max(identity.confirmed, epoch))


@given(st.integers(0, 50), st.integers(0, 50), st.none() | st.integers(0, 60), st.booleans())
def test_epochs_issued_only_grow_and_an_older_one_than_confirmed_is_a_loss(
    confirmed: int, more: int, epoch: int | None, own: bool
) -> None:
    known = Identity("j1", issued=confirmed + more, confirmed=confirmed, session="s1")
    claim = _journal_of("s2", 1, "j1" if own else "j0", epoch, None)
    identity, finding = identify(known, claim, fresh="fresh")
    assert identity.issued > known.issued
    assert identity.issued > (epoch or 0)
    lost = not own or epoch is None or epoch < confirmed
    assert (finding is Finding.LOST) == lost
    assert identity.journal == ("fresh" if lost else "j1")


def _journal_of(session: str, connection: int, journal: str | None, epoch: int | None, mark: int | None) -> Claim:
    return Claim(level=Level.FULL, session=session, connection=connection, journal=journal, epoch=epoch, mark=mark)
