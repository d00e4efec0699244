"""What an agent commands: a printer that can be slow, fail before its effect or after it, hang, or run out of paper.

It lives apart from the agent: a job that it has goes on when the agent dies. It never lies, but it may not know.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from device_agent.core.outcome import Outcome
from tests.simulation.scheduler import Scheduler

KINDS = (
    *(["prints"] * 12),
    *("slow", "slow", "offline", "offline", "refuses", "half", "doubt", "hangs", "hangs", "no paper"),
)
DONE = Outcome(status="completed", data={"pages": 1})
NOTHING = Outcome(status="failed", code="printer_offline", retryable=True)
DOUBT = Outcome(status="unknown")


@dataclass
class Job:
    """What the device knows of one run of an attempt."""

    command_id: UUID
    attempt: int
    kind: str
    has_it: bool = False
    effect: bool = False
    stopped: bool = False


class Device:
    """One device. `effect` hears of each effect that really happens."""

    def __init__(self, scheduler: Scheduler, rng: random.Random, effect: Callable[[UUID, int], None]) -> None:
        self._scheduler = scheduler
        self._rng = rng
        self._effect = effect
        self.well = False
        """From now on it neither fails nor hangs."""
        self.jobs: dict[tuple[UUID, int], Job] = {}

    def begin(
        self,
        command_id: UUID,
        attempt: int,
        alive: Callable[[], bool],
        say: Callable[[str, Outcome | None], None],
    ) -> None:
        """Run an attempt for an agent that may die: then `alive` is false, and `say` reaches nobody."""
        rng, after = self._rng, self._scheduler.after
        job = Job(command_id, attempt, "prints" if self.well else rng.choice(KINDS))
        self.jobs[command_id, attempt] = job

        def submit() -> None:
            if job.stopped or not alive():
                return  # the agent died before the device had the job
            if job.kind == "offline":
                say("ended", NOTHING)
            elif job.kind == "refuses":
                say("ended", Outcome(status="failed", code="bad_document"))
            else:
                job.has_it = True
                if job.kind == "hangs":
                    return
                work = rng.uniform(5.0, 40.0) if job.kind == "slow" else rng.uniform(0.05, 3.0)
                if job.kind == "no paper":
                    after(work, say, "held", None)
                    work += rng.uniform(1.0, 20.0)
                    after(work - 0.5, say, "resumed", None)
                after(work, take_effect)

        def take_effect() -> None:
            if job.stopped:
                return
            job.effect = True
            self._effect(command_id, attempt)
            outcome = {"half": Outcome(status="failed", code="jam"), "doubt": DOUBT}.get(job.kind, DONE)
            after(rng.uniform(0.0, 0.5), say, "ended", outcome)

        after(rng.uniform(0.0, 1.0), submit)

    def stop(self, command_id: UUID, attempt: int, say: Callable[[str, Outcome | None], None]) -> None:
        """Stop a run, as far as it can be stopped."""
        job = self.jobs[command_id, attempt]
        delay = self._rng.uniform(0.0, 3.0)
        if job.effect:
            self._scheduler.after(delay, say, "ended", self._rng.choice([DONE, None]))
        elif not job.has_it or self._rng.random() < 0.7:
            job.stopped = True
            self._scheduler.after(delay, say, "ended", Outcome(status="cancelled", code="cancelled"))
        else:  # it can be neither stopped nor asked
            self._scheduler.after(delay, say, "ended", None)

    def ask(self, command_id: UUID, attempt: int, say: Callable[[str, Outcome | None], None]) -> None:
        """Evidence: what became of an attempt that a restart cut off."""
        job = self.jobs.get((command_id, attempt))
        wait = self._rng.uniform(0.0, 5.0)
        if job is None or not job.has_it:
            sure = self._rng.random() < 0.4
            if job is not None and sure:
                job.stopped = True
            self._scheduler.after(wait, say, "ended", NOTHING if sure else DOUBT)
            return

        def look(left: int) -> None:
            if job.effect and job.kind in ("prints", "slow", "no paper"):
                say("ended", DONE)
            elif left == 0 or job.kind not in ("prints", "slow", "no paper"):
                say("ended", DOUBT)
            else:
                self._scheduler.after(5.0, look, left - 1)

        if job.kind in ("prints", "slow", "no paper"):  # it has a list of its jobs, from which it can take them, too
            self._scheduler.after(wait * 0.5, say, "found", None)
        self._scheduler.after(wait, look, 10)
