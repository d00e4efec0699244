"""Bugs planted on purpose, to see that chaos finds them. The product has no switch for any of them: a process with a
bug starts through this module, which replaces a function and then runs the program's own `main`.

    .venv/bin/python -m tests.chaos.plants            # plants each and says whether it was found
    .venv/bin/python -m tests.chaos.plants NAME agent run --config FILE
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec


def _what_was_cut_off_runs_again() -> None:
    """The agent's journal keeps every command as one that may run again after an interruption."""
    from device_agent.core.core import Core
    from device_agent.core.records import PutAttempt

    real = Core.handle

    def again(write: Any) -> Any:
        if not isinstance(write, PutAttempt) or write.record.run is None:
            return write
        run = write.record.run.replace(b'"on_interrupt":"unknown"', b'"on_interrupt":"rerun"')
        return _with(write, record=_with(write.record, run=run))

    def handle(self: Core, event: Any, at: Any) -> Any:
        decision = real(self, event, at)
        return _with(decision, writes=tuple(map(again, decision.writes)))

    Core.handle = handle  # type: ignore[method-assign]


def _what_ended_is_new() -> None:
    """The agent takes a command that it has finished, delivered again, for a new one."""
    from device_agent.core.ledger import Ledger
    from device_agent.core.records import Phase

    real = Ledger.get

    def get(self: Ledger, command_id: Any) -> Any:
        known = real(self, command_id)
        return None if known is not None and known.phase is Phase.FINISHED else known

    Ledger.get = get  # type: ignore[method-assign]


def _answers_before_the_disk() -> None:
    """The hub's commits return before they are on Postgres's disk."""
    from psycopg import sql

    from hub.database import engine, session

    async def nothing(_: Any) -> None:
        """Durability is not asked for."""

    session._SAFE = sql.SQL("set_config('synchronous_commit', 'off', false)")
    engine._require_durability = nothing


def _keys_are_forgotten() -> None:
    """The hub takes each request for a new one, whatever its Idempotency-Key says."""
    from hub.core.commands.service.submission import Submission

    real = Submission.submit

    async def submit(self: Submission, caller: Any, request: Any, key: Any = None, **more: Any) -> Any:
        return await real(self, caller, request, None, **more)

    Submission.submit = submit  # type: ignore[method-assign]


def _with(struct: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(struct, **changes)


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug: in which program, and which promises it breaks."""

    program: str
    plant: Callable[[], None]
    breaks: frozenset[str]


BUGS = {
    "what_was_cut_off_runs_again": Bug("agent", _what_was_cut_off_runs_again, frozenset({"twice"})),
    "what_ended_is_new": Bug("agent", _what_ended_is_new, frozenset({"twice"})),
    "answers_before_the_disk": Bug("hub", _answers_before_the_disk, frozenset({"lost", "invented"})),
    "keys_are_forgotten": Bug("hub", _keys_are_forgotten, frozenset({"answers", "invented"})),
}


def hunt(name: str, seed: int, minutes: float) -> list[str]:
    """The promises that a run with the bug saw broken."""
    from tests.chaos.run import run

    outcome = run(seed, minutes, agents=6, rate=30, gap_s=0.7, plant=name)
    return sorted(promise for promise, findings in outcome.verdict.broken.items() if findings)


def main() -> int:
    """Run a program with a bug, or hunt all of them."""
    if len(sys.argv) > 2:
        name, program, *rest = sys.argv[1:]
        if BUGS[name].program == program:
            BUGS[name].plant()
        sys.argv = [program, *rest]
        if program == "agent":
            from device_agent.__main__ import main as agent

            agent()
        else:
            from hub.__main__ import main as hub

            hub()
        return 0
    missed = 0
    for name in sys.argv[1:] or BUGS:
        for seed in range(1, 6):
            found = hunt(name, seed, 0.75)
            print(f"{name}, seed {seed}: {', '.join(found) or 'nothing found'}", flush=True)  # noqa: T201
            if BUGS[name].breaks & set(found):
                break
        else:
            missed += 1
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
