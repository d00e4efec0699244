"""Bugs planted on purpose: the simulation must find each, or it would not find a real one either.

Each replaces a function of the product in this process, as long as the block lasts; the product has no switch for it.

    .venv/bin/python -m tests.simulation.plants        # the table
"""

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import msgspec

from device_agent.core.commands import Commands
from device_agent.core.core import Core
from device_agent.core.events import StartEffect
from device_agent.core.ledger import Ledger
from device_agent.core.outbox import Outbox
from device_agent.core.records import Phase, PutAttempt
from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import Command, Event, Move, Reported, Status
from hub.core.commands.service.reports import Arrived, Reports
from schemas.messages import Receipt
from tests.simulation.command_store import CommandStore
from tests.simulation.world import World

MOST = 1_000
"""Seeds until a bug counts as not found."""

Plant = Callable[[], contextlib.AbstractContextManager[Any]]


def _started_is_not_written() -> contextlib.AbstractContextManager[Any]:
    """The agent drops the journal write of `started`."""
    real = Core.handle

    def handle(self: Core, event: Any, at: Any) -> Any:
        decision = real(self, event, at)
        kept = tuple(w for w in decision.writes if not (isinstance(w, PutAttempt) and w.record.phase is Phase.STARTED))
        return _with(decision, writes=kept)

    return mock.patch.object(Core, "handle", handle)


def _effect_before_its_journal() -> contextlib.AbstractContextManager[Any]:
    """The effect begins first, and its start is written with whatever is written next."""
    real = Core.handle

    def handle(self: Core, event: Any, at: Any) -> Any:
        decision = real(self, event, at)
        late: list[Any] = self.__dict__.setdefault("_late", [])
        begins = {step.command_id for step in decision.steps if isinstance(step, StartEffect)}
        now = [w for w in decision.writes if isinstance(w, PutAttempt) and w.record.command_id in begins]
        kept = (*late, *(w for w in decision.writes if w not in now))
        late[:] = now
        return _with(decision, writes=kept)

    return mock.patch.object(Core, "handle", handle)


def _receipt_before_the_commit() -> contextlib.AbstractContextManager[Any]:
    """The hub acknowledges reports before they are durable."""
    real = Reports._apply

    async def apply(self: Reports, batch: Any) -> None:
        for item in batch:
            if isinstance(item, Arrived):
                self._publisher.receipt(
                    Receipt(client_id=item.client_id, report_ids=[item.report.report_id], hub_time=item.report.at)
                )
        await real(self, batch)

    return mock.patch.object(Reports, "_apply", apply)


def _attempt_is_ignored() -> contextlib.AbstractContextManager[Any]:
    """The hub takes a report of any attempt for one of the present attempt."""
    real = lifecycle.decide

    def decide(command: Command, event: Event, now: Any) -> Any:
        if isinstance(event, Reported):
            event = _with(event, attempt=command.attempt)
        return real(command, event, now)

    return mock.patch.object(lifecycle, "decide", decide)


def _receipt_is_skipped() -> contextlib.AbstractContextManager[Any]:
    """The agent forgets a report once it is sent, without waiting for its receipt."""
    real = Outbox._sent

    def sent(self: Outbox, record: Any, mono: float, jitter: float) -> None:
        real(self, record, mono, jitter)
        self._schedule.pop(record.report_id, None)
        self._records[record.report_id] = _with(record, receipted=True)

    return mock.patch.object(Outbox, "_sent", sent)


def _tombstone_is_forgotten() -> contextlib.AbstractContextManager[Any]:
    """A cancel of what has not arrived yet, or may come as another attempt, is not remembered."""
    return mock.patch.object(Commands, "_remember_cancel", return_value=None)


def _unknown_is_tried_again() -> contextlib.AbstractContextManager[Any]:
    """The hub makes a new attempt of what may have had its effect."""
    real = lifecycle.decide

    def decide(command: Command, event: Event, now: Any) -> Any:
        decision = real(command, event, now)
        unknown = isinstance(decision, Move) and decision.to is Status.UNKNOWN
        if unknown and command.status in lifecycle.HANDED_OUT and command.attempt <= command.retry.max_retries:
            changes = {"attempt": command.attempt + 1, "not_before": now, "scheduled": True}
            return Move(Status.PENDING, "retry", {**changes, "deadline_at": command.expires_at})
        return decision

    return mock.patch.object(lifecycle, "decide", decide)


def _repeated_run_is_new() -> contextlib.AbstractContextManager[Any]:
    """The agent takes a delivery of a command that has ended for a new one."""
    real = Ledger.get

    def get(self: Ledger, command_id: Any) -> Any:
        known = real(self, command_id)
        return None if known is not None and known.phase is Phase.FINISHED else known

    return mock.patch.object(Ledger, "get", get)


def _version_is_not_guarded() -> contextlib.AbstractContextManager[Any]:
    """The hub's guarded move looks at the id alone, so that a memory of the row overwrites what came after it."""
    real = CommandStore._apply

    def apply(self: CommandStore, new: Any) -> bool:
        row = self._tables.commands[new["id"]]
        new |= {f"from_{name}": row[name] for name in ("status", "attempt", "version", "deadline_at")}
        return real(self, new)

    return mock.patch.object(CommandStore, "_apply", apply)


def _expiry_is_not_looked_at() -> contextlib.AbstractContextManager[Any]:
    """The agent begins what waited in its journal although it expired meanwhile."""
    real = Commands.advance

    def advance(self: Commands, turn: Any, *, clock_known: bool, may_begin: bool) -> None:
        hub_now, turn.hub_now = turn.hub_now, 0.0
        real(self, turn, clock_known=clock_known, may_begin=may_begin)
        turn.hub_now = hub_now

    return mock.patch.object(Commands, "advance", advance)


def _with(struct: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(struct, **changes)


PLANTS: dict[str, Plant] = {
    "the journal write of `started` is dropped": _started_is_not_written,
    "the effect begins before its journal": _effect_before_its_journal,
    "the receipt goes out before the commit": _receipt_before_the_commit,
    "the attempt number is ignored": _attempt_is_ignored,
    "a report is forgotten before its receipt": _receipt_is_skipped,
    "the tombstone of a cancel is forgotten": _tombstone_is_forgotten,
    "an unknown outcome is offered as a new attempt": _unknown_is_tried_again,
    "a repeated run is not recognised": _repeated_run_is_new,
    "the guarded move does not look at the row's version": _version_is_not_guarded,
    "the agent does not look at expires_at again": _expiry_is_not_looked_at,
}


@dataclass(frozen=True)
class Found:
    """Which check found a bug, and at which seed."""

    bug: str
    check: str | None
    seed: int | None
    tried: int


def hunt(bug: str, first: int = 0, most: int = MOST) -> Found:
    """Run seeds with a bug until a check finds it."""
    with PLANTS[bug]():
        for tried, seed in enumerate(range(first, first + most), start=1):
            try:
                result = World(seed).run()
            except Exception as crash:  # noqa: BLE001 - a bug that makes the product fail is found, too
                return Found(bug, f"the product fails ({type(crash).__name__})", seed, tried)
            if result.check is not None:
                return Found(bug, result.check, seed, tried)
    return Found(bug, None, None, most)


def main() -> int:
    found = [hunt(bug) for bug in PLANTS]
    print(f"{'bug':56} {'found by':40} {'seed':>5} {'after':>6}")  # noqa: T201
    for one in found:
        print(f"{one.bug:56} {one.check or 'NOT FOUND':40} {one.seed!s:>5} {one.tried:>6}")  # noqa: T201
    return 0 if all(one.check for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
