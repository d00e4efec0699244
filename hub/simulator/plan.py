"""The file of faults, and what it means for each client: pure, the same for the same seed.

Each client has a stream of chances of its own, so that one more client changes nothing for the others. What the
network and the hub do in between is not planned, therefore two runs have the same plan and not the same minutes.
"""

import random
import tomllib
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from hub.errors import SetupError

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Span = tuple[Seconds, Seconds]
"""The least and the most."""


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to messages in one direction; shares of them."""

    drop: Share = 0.0
    duplicate: Share = 0.0
    delay: Share = 0.0
    delay_s: Span = (0.1, 1.0)


class Messages(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"inward": "in", "outward": "out"}
):
    """`in`: commands and receipts to a client; `out`: its reports."""

    inward: Line = Line()
    outward: Line = Line()


class Away(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`share` of the clients go away, again and again; `every_s` between, `down_s` gone."""

    share: Share = 0.0
    every_s: Span = (20.0, 60.0)
    down_s: Span = (1.0, 5.0)


class Crash(Away, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process dies: no good-bye, memory gone. `lose_journal`: share of crashes that cost the journal, too."""

    lose_journal: Share = 0.0


class Effects(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How effects go: how long, and the shares that end in another way than completed."""

    work_s: Span = (0.05, 0.3)
    slow: Share = 0.0
    slow_s: Span = (5.0, 20.0)
    held: Share = 0.0
    held_s: Span = (1.0, 5.0)
    fail: Share = 0.0
    fail_retryable: Share = 0.0
    unknown: Share = 0.0


class Clock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`share` of the clients have a wrong clock, by so many seconds."""

    share: Share = 0.0
    skew_s: tuple[float, float] = (-600.0, 600.0)


class Faults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file. Without one: nothing goes wrong."""

    seed: int = 1
    messages: Messages = Messages()
    crash: Crash = Crash()
    offline: Away = Away()
    effects: Effects = Effects()
    clock: Clock = Clock()


def parse(text: str, name: str) -> Faults:
    """The faults of a TOML text. Raises SetupError with the field, what is wrong and what may stand there."""
    try:
        faults = msgspec.convert(tomllib.loads(text), Faults)
    except tomllib.TOMLDecodeError as problem:
        raise SetupError(f"{name} is not TOML: {problem}. / TOML 형식이 아닙니다.") from None
    except msgspec.ValidationError as problem:
        raise SetupError(
            f"{name}: {problem}. Fields and ranges: docs/how-to/simulate-a-floor.md. / 필드와 범위를 확인하십시오."
        ) from None
    spans = {
        "messages.in.delay_s": faults.messages.inward.delay_s,
        "messages.out.delay_s": faults.messages.outward.delay_s,
        "crash.every_s": faults.crash.every_s,
        "crash.down_s": faults.crash.down_s,
        "offline.every_s": faults.offline.every_s,
        "offline.down_s": faults.offline.down_s,
        "effects.work_s": faults.effects.work_s,
        "effects.slow_s": faults.effects.slow_s,
        "effects.held_s": faults.effects.held_s,
        "clock.skew_s": faults.clock.skew_s,
    }
    for field, (least, most) in spans.items():
        if least > most:
            raise SetupError(f"{name}: {field}: write the smaller number first. / 작은 값을 먼저 쓰십시오.")
    effects = faults.effects
    if effects.fail + effects.fail_retryable + effects.unknown > 1:
        raise SetupError(f"{name}: effects: fail, fail_retryable and unknown are more than 1. / 합이 1을 넘습니다.")
    return faults


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


class ClientPlan:
    """The chances of one client."""

    def __init__(self, faults: Faults, client_id: str) -> None:
        self._faults = faults
        self._rng = {kind: random.Random(f"{faults.seed}/{client_id}/{kind}") for kind in ("in", "out", "job", "away")}  # noqa: S311 - a plan, no secret
        once = random.Random(f"{faults.seed}/{client_id}/once")  # noqa: S311 - a plan, no secret
        self.crashes = once.random() < faults.crash.share
        self.leaves = once.random() < faults.offline.share
        skew = once.uniform(*faults.clock.skew_s)
        self.skew_s = skew if once.random() < faults.clock.share else 0.0

    def message(self, direction: str) -> Fate:
        """What becomes of the next message in a direction, `in` or `out`."""
        line = self._faults.messages.inward if direction == "in" else self._faults.messages.outward
        rng = self._rng[direction]
        drop, twice, late = (rng.random() < share for share in (line.drop, line.duplicate, line.delay))
        wait = rng.uniform(*line.delay_s)
        if drop:
            return Fate((), ("dropped",))
        first = wait if late else 0.0
        names = (("delayed",) if late else ()) + (("duplicated",) if twice else ())
        return Fate((first, first) if twice else (first,), names)

    def job(self) -> Job:
        """How the next effect goes."""
        effects, rng = self._faults.effects, self._rng["job"]
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
        crash, rng = self._faults.crash, self._rng["away"]
        return rng.uniform(*crash.every_s), rng.uniform(*crash.down_s), rng.random() < crash.lose_journal

    def leave(self) -> tuple[float, float]:
        """Seconds until the next clean leave, and seconds away."""
        offline, rng = self._faults.offline, self._rng["away"]
        return rng.uniform(*offline.every_s), rng.uniform(*offline.down_s)
