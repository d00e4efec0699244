"""The same things happen to both stores in an order drawn from a seed: all that they answer, and all rows, are equal.

What the cases beside this one name one by one meets here in combinations that nobody has thought of.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from hub.core.commands.rules.lifecycle import (
    CancelRequested,
    DeadlinePassed,
    Event,
    JournalLost,
    LockedCommand,
    Reported,
    decide,
)
from schemas.states import Presence, ReportStatus
from tests.contract.stores import PC, MemoryTrial, PostgresTrial, Trial
from tests.simulation.command_store import CommandStore
from tests.support.factories import new_command

SEEDS = 12
STEPS = 90
CLIENTS = (PC, "other-pc")
JAM: dict[str, Any] = {"code": "media_jam", "message": "paper jam", "retryable": False}

Step = Callable[[Trial], Awaitable[Any]]
"""Does something to a store; what it answers, in a form that can be compared."""


class Story:
    """What happens, step by step: each is drawn before it is done to either store."""

    def __init__(self, seed: int, trials: tuple[Trial, Trial]) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - repeats
        self.trials = trials
        self.ids: list[UUID] = []
        self._disabled: set[str] = set()
        self._said: list[tuple[UUID, UUID, Reported]] = []
        self._remembered: dict[Trial, dict[UUID, LockedCommand]] = {trial: {} for trial in trials}
        self.told: list[str] = []

    async def run(self) -> None:
        """All of it. Raises AssertionError at the first difference."""
        for trial in self.trials:
            await trial.add_client("other-pc")
        for _ in range(STEPS):
            draw = self._rng.choice(self.kinds())
            name, step = draw.__name__.strip("_"), draw()
            one, two = [await step(trial) for trial in self.trials]
            self.told.append(f"{name}: {one}")
            assert one == two, self.told
        for command_id in self.ids:
            one, two = [await trial.row(command_id) for trial in self.trials]
            assert one == two, (command_id, self.told)

    def kinds(self) -> list[Callable[[], Step]]:
        """What can happen next, the usual more often."""
        usual = [self._submit, self._submit, self._wait, self._wait, self._claim, self._claim, self._claim]
        sending = [self._mark_sent, self._resend, self._resend_cancels, self._offer_again, self._wake, self._clients]
        if not self.ids:
            return [self._submit]
        said = [self._report] * 6 + [self._report_again, self._remember, self._apply_remembered]
        return [*usual, *sending, *said, self._cancel, self._overdue, self._lose, self._client, self._close, self._hold]

    # --- what happens ----------------------------------------------------------------------------------------

    def _submit(self) -> Step:
        rng, now = self._rng, self.trials[0].now
        command = new_command(
            rng.choice([client_id for client_id in CLIENTS if client_id not in self._disabled]),
            id=UUID(int=(7 << 76) | (2 << 62) | len(self.ids) + 1),
            lane=rng.choice("aab"),
            priority=rng.choice([1, 5, 5, 8, 9, 10]),
            order_key=rng.choice([None, None, "box", "bag"]),
            order_place=rng.choice([None, None, *self.ids]),
            not_before=rng.choice([None, None, None, now + timedelta(seconds=7)]),
            expires_in_s=rng.choice([20.0, 100.0, 1000.0]),
            timeout_s=rng.choice([5.0, 60.0]),
            max_retries=rng.choice([0, 1, 3]),
            on_interrupt=rng.choice(["unknown", "unknown", "rerun"]),
        )
        self.ids.append(command.id)
        return lambda trial: trial.submit(command)

    def _wait(self) -> Step:
        seconds = self._rng.choice([0.25, 1.0, 5.0, 31.0, 70.0])

        async def step(trial: Trial) -> Any:
            return trial.wait(seconds)

        return step

    def _claim(self) -> Step:
        client_ids = self._rng.choice([(PC,), ("other-pc",), CLIENTS])

        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                claim = await trial.dispatch.claim(connection, client_ids)
            self._remembered[trial] |= {command.id: command for command in claim.handed_out}
            return claim

        return step

    def _resend(self) -> Step:
        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                return sorted(await trial.dispatch.resend(connection), key=lambda run: run.command_id)

        return step

    def _resend_cancels(self) -> Step:
        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                cancels = await trial.dispatch.resend_cancels(connection)
            return sorted((cancel.client_id, cancel.command_id) for cancel in cancels)

        return step

    def _mark_sent(self) -> Step:
        acknowledged = {self._rng.choice(self.ids): self._rng.choice([0.5, 0.25])}

        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                return await trial.dispatch.mark_sent(connection, acknowledged)

        return step

    def _offer_again(self) -> Step:
        client_id, journal = self._rng.choice(CLIENTS), self._rng.choice(["journal-1", "journal-2"])

        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                return await trial.dispatch.offer_again(connection, client_id, journal)

        return step

    def _wake(self) -> Step:
        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                seconds = await trial.dispatch.seconds_to_next_due(connection)
                return seconds, await trial.dispatch.wake_scheduled(connection)

        return step

    def _clients(self) -> Step:
        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                return await trial.dispatch.clients_with_work(connection)

        return step

    def _happen(self, command_id: UUID, event: Event, report_id: UUID | None = None) -> Step:
        """Decide about an event that may have come before; a report is about the command's present attempt."""

        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                report_ids = [] if report_id is None else [report_id]
                locked = (await trial.transitions.lock(connection, [command_id], report_ids))[command_id]
                if report_id in locked.seen:
                    locked.repeated(locked.state.attempt)
                else:
                    about = (
                        structs.replace(event, attempt=locked.state.attempt) if isinstance(event, Reported) else event
                    )
                    locked.fold(decide(locked.state, about, locked.now), report_id)
                moved = await trial.transitions.apply_timed(connection, [locked])
            return moved, await trial.row(command_id)

        return step

    def _report(self) -> Step:
        rng = self._rng
        status = rng.choice([*ReportStatus, ReportStatus.STARTED, ReportStatus.FAILED, ReportStatus.COMPLETED])
        event = Reported(
            status,
            1,
            retryable=rng.random() < 0.5,
            error=rng.choice([None, JAM]),
            result=rng.choice([None, {"data": {"pages": 3}}]),
            progress=rng.choice([None, {"reasons": ["media-empty"], "percent": 40}]),
            chance=rng.random(),
        )
        said = (rng.choice(self.ids), UUID(int=rng.getrandbits(128)), event)
        self._said.append(said)
        return self._happen(said[0], event, said[1])

    def _report_again(self) -> Step:
        if not self._said:
            return self._report()
        command_id, report_id, event = self._rng.choice(self._said)
        return self._happen(command_id, event, report_id)

    def _cancel(self) -> Step:
        return self._happen(self._rng.choice(self.ids), CancelRequested())

    def _remember(self) -> Step:
        command_id = self._rng.choice(self.ids)

        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                locked = await trial.transitions.lock(connection, [command_id])
            self._remembered[trial] |= locked
            return locked

        return step

    def _apply_remembered(self) -> Step:
        """As a worker that decides from memory, whatever has become of the command meanwhile."""
        command_id, report_id = self._rng.choice(self.ids), UUID(int=self._rng.getrandbits(128))
        status = self._rng.choice([ReportStatus.ACCEPTED, ReportStatus.STARTED, ReportStatus.COMPLETED])

        async def step(trial: Trial) -> Any:
            command = self._remembered[trial].pop(command_id, None)
            if command is None:
                return None
            command.now = trial.now
            command.fold(decide(command.state, Reported(status, command.state.attempt), command.now), report_id)
            async with trial.transaction() as connection:
                moved = await trial.transitions.apply(connection, [command])
            return moved, await trial.row(command_id)

        return step

    def _overdue(self) -> Step:
        return self._happen_to_all(lambda trial, connection: trial.transitions.lock_overdue(connection, 100))

    def _lose(self) -> Step:
        client_id = self._rng.choice(CLIENTS)
        return self._happen_to_all(
            lambda trial, connection: trial.transitions.lock_handed_out(connection, client_id), JournalLost()
        )

    def _happen_to_all(
        self, lock: Callable[[Trial, Any], Awaitable[list[LockedCommand]]], event: Event | None = None
    ) -> Step:
        async def step(trial: Trial) -> Any:
            async with trial.transaction() as connection:
                found = await lock(trial, connection)
                for locked in found:
                    locked.fold(decide(locked.state, event or DeadlinePassed(), locked.now))
                return sorted(one.id for one in found), await trial.transitions.apply(connection, found)

        return step

    def _client(self) -> Step:
        client_id = self._rng.choice(CLIENTS)
        changes: list[dict[str, Any]] = [
            *({"presence": presence} for presence in (*Presence, Presence.ONLINE, Presence.ONLINE)),
            *({"keep_away": reason} for reason in ("two machines", None, None)),
        ]
        if client_id != PC:
            changes += [{"client_status": status} for status in ("disabled", "active", "active")]
        change = self._rng.choice(changes)
        if "client_status" in change:
            self._disabled = {client_id} if change["client_status"] == "disabled" else set()
        return lambda trial: trial.change_client(client_id, **change)

    def _close(self) -> Step:
        command_id = self._rng.choice(self.ids)

        async def step(trial: Trial) -> Any:
            row = await trial.row(command_id)
            if row["dead_letter_reason"] is not None and row["dead_letter_closed_at"] is None:
                await trial.close_letter(command_id)
                return command_id
            return None

        return step

    def _hold(self) -> Step:
        command_id = self._rng.choice(self.ids)

        async def step(trial: Trial) -> Any:
            row = await trial.row(command_id)
            if row["status"] == "pending" and row["not_before"] is not None:
                await trial.hold(command_id)
                return command_id
            return None

        return step


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_both_stores_do_the_same(postgres_trial: PostgresTrial, memory_trial: MemoryTrial, seed: int) -> None:
    await Story(seed, (postgres_trial, memory_trial)).run()


async def test_all_this_does_happen(memory_trial: MemoryTrial) -> None:
    """A story in which nothing moves compares nothing."""
    statuses, names = set(), set()
    for seed in range(SEEDS):
        one, two = MemoryTrial(), MemoryTrial()
        for trial in (one, two):
            await trial.add_client(PC)
        story = Story(seed, (one, two))
        await story.run()
        names |= {line.split(":")[0] for line in story.told}
        statuses |= {(await one.row(command_id))["status"] for command_id in story.ids}
    assert statuses == {"pending", "queued", "running", "completed", "failed", "cancelled", "expired", "unknown"}
    assert names == {draw.__name__.strip("_") for draw in story.kinds()}


async def test_a_drift_that_only_an_order_of_things_shows_is_found() -> None:
    class Drifted(CommandStore):
        """What is handed out for the second time keeps the time at the broker of the first."""

        def _hand_out(self, row: Any) -> Any:
            sent_at = row["sent_at"]
            handed = super()._hand_out(row)
            handed["sent_at"] = sent_at
            return handed

    def differ(seed: int) -> Story:
        return Story(seed, (MemoryTrial(), MemoryTrial(Drifted)))

    found = 0
    for seed in range(4 * SEEDS):
        story = differ(seed)
        for trial in story.trials:
            await trial.add_client(PC)
        try:
            await story.run()
        except AssertionError:
            found += 1
    assert found
