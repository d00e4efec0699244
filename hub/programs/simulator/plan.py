"""What the file of faults means for each client: pure, the same for the same seed.

Each client has a stream of chances of its own, so that one more client changes nothing for the others; nor does a rule
for what it is not about. What the network and the hub do in between is not planned, therefore two runs have the same
plan and not the same minutes.
"""

import random

from msgspec import Struct

from hub.programs.simulator.faults import Effects, Faults, Line

NO_ACTION = frozenset[str]()


class Fate(Struct, frozen=True):
    """What becomes of one message: after how many seconds each copy of it arrives; empty: never."""

    copies: tuple[float, ...]
    faults: tuple[str, ...] = ()


class Job(Struct, frozen=True):
    """How one effect goes."""

    work_s: float
    held_s: float
    end: str
    """completed, failed, retryable or unknown."""
    slow: bool


class _Shares(Struct, frozen=True):
    """What goes wrong with the messages and effects of some actions."""

    lines: dict[str, Line]
    effects: Effects


class ClientPlan:
    """The chances of one client."""

    def __init__(self, faults: Faults, client_id: str) -> None:
        self._faults = faults
        self._rules = [rule for rule in faults.rule if rule.for_client(client_id)]
        self._shares: dict[frozenset[str], _Shares] = {}
        self._crash, self._offline, clock = faults.crash, faults.offline, faults.clock
        for rule in self._rules:
            self._crash = rule.crash or self._crash
            self._offline = rule.offline or self._offline
            clock = rule.clock or clock
        self._rng = {kind: random.Random(f"{faults.seed}/{client_id}/{kind}") for kind in ("in", "out", "job", "away")}  # noqa: S311 - a plan, no secret
        once = random.Random(f"{faults.seed}/{client_id}/once")  # noqa: S311 - a plan, no secret
        self.crashes = once.random() < self._crash.share
        self.leaves = once.random() < self._offline.share
        skew = once.uniform(*clock.skew_s)
        self.skew_s = skew if once.random() < clock.share else 0.0

    def message(self, direction: str, actions: frozenset[str] = NO_ACTION) -> Fate:
        """What becomes of the next message in a direction, `in` or `out`, that is about commands of these actions."""
        line, rng = self._of(actions).lines[direction], self._rng[direction]
        drop, twice, late = (rng.random() < share for share in (line.drop, line.duplicate, line.delay))
        wait = rng.uniform(*line.delay_s)
        if drop:
            return Fate((), ("dropped",))
        first = wait if late else 0.0
        names = (("delayed",) if late else ()) + (("duplicated",) if twice else ())
        return Fate((first, first) if twice else (first,), names)

    def job(self, action: str) -> Job:
        """How the next effect goes."""
        effects, rng = self._of(frozenset({action})).effects, self._rng["job"]
        slow, held, end = rng.random() < effects.slow, rng.random() < effects.held, rng.random()
        work, wait = rng.uniform(*(effects.slow_s if slow else effects.work_s)), rng.uniform(*effects.held_s)
        name = "completed"
        for candidate, share in (
            ("failed", effects.fail),
            ("retryable", effects.fail_retryable),
            ("unknown", effects.unknown),
        ):
            if end < share:
                name = candidate
                break
            end -= share
        return Job(work, wait if held else 0.0, name, slow)

    def crash(self) -> tuple[float, float, bool]:
        """Seconds until the next crash, seconds down, and whether the journal is lost."""
        crash, rng = self._crash, self._rng["away"]
        return rng.uniform(*crash.every_s), rng.uniform(*crash.down_s), rng.random() < crash.lose_journal

    def leave(self) -> tuple[float, float]:
        """Seconds until the next clean leave, and seconds away."""
        offline, rng = self._offline, self._rng["away"]
        return rng.uniform(*offline.every_s), rng.uniform(*offline.down_s)

    def _of(self, actions: frozenset[str]) -> _Shares:
        known = self._shares.get(actions)
        if known is None:
            messages, effects = self._faults.messages, self._faults.effects
            lines = {"in": messages.inward, "out": messages.outward}
            for rule in self._rules:
                if rule.for_actions(actions):
                    lines = {direction: rule.line(line, direction) for direction, line in lines.items()}
                    effects = rule.effects(effects)
            known = self._shares[actions] = _Shares(lines, effects)
        return known
