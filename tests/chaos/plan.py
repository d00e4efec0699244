"""Which faults, when, on whom and for how long: a pure function of the seed."""

import random
from dataclasses import dataclass, field

HUBS = ("one", "two")
#: Some of the machines have a wrong clock, where the means to give them one are there (seconds).
CLOCKS = {"pc-3": 86_400, "pc-7": -86_400, "pc-11": -600}
GAP_S = 4.2
"""Between the beginnings of two faults, on average."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: how often it comes compared with others, and how long it lasts."""

    name: str
    weight: int
    target: str
    """agent, hub, broker, postgres or clock."""
    shortest_s: float = 0.0
    longest_s: float = 0.0


def _kinds(target: str, **kinds: tuple[float, ...]) -> list[Kind]:
    """What can happen to a target: weight, and the shortest and longest time."""
    return [Kind(f"{target}_{name}", int(weight), target, *times) for name, (weight, *times) in kinds.items()]


KINDS = (
    *_kinds("agent", kill=(16, 0.2, 4), freeze=(6, 1, 20), stop=(3, 0.2, 2), cut=(5,), reset=(5,)),
    *_kinds("agent", half_open=(5, 3, 20), deaf=(3, 3, 15), mute=(3, 3, 15), slow=(4, 3, 15), slices=(3, 3, 15)),
    *_kinds("hub", kill=(7, 0.2, 4), freeze=(4, 7, 25), stop=(2, 0.2, 2)),
    *_kinds("hub", broker_cut=(3,), broker_half_open=(3, 3, 15), broker_slow=(2, 3, 10)),
    *_kinds("hub", database_cut=(3,), database_reset=(3,), database_half_open=(3, 2, 12)),
    *_kinds("hub", database_slow=(2, 3, 8), database_refused=(2, 1, 6)),
    *_kinds("broker", kill=(3, 0.2, 4), wipe=(4, 0.2, 3), freeze=(2, 1, 8), repeats=(6,)),
    *_kinds("postgres", kill=(3, 0.2, 3), sessions=(4,), freeze=(2, 1, 6)),
    *_kinds("clock", shift=(3, 5, 20)),
)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: begins `at_s` after the load did."""

    at_s: float
    number: int
    kind: str
    target: str
    """The client's id, the hub's name, or the service."""
    lasts_s: float
    amount: float = field(default=0.0)
    """What a kind needs besides, from 0 to 1: how slow, how far the clock."""


def plan(seed: int, seconds: float, agents: int, gap_s: float = GAP_S) -> list[Fault]:
    """All faults of a run, in order. A target has one fault at a time; different targets may have theirs together."""
    chance = random.Random(f"faults {seed}")  # noqa: S311 - a plan, not a secret
    free_at: dict[str, float] = {}
    faults: list[Fault] = []
    weights = [kind.weight for kind in KINDS]
    at = 1.0
    while at < seconds:
        kind = chance.choices(KINDS, weights)[0]
        target = _target(kind, chance, agents)
        lasts = chance.uniform(kind.shortest_s, kind.longest_s)
        amount = chance.random()
        begins = max(at, free_at.get(target, 0.0))
        if begins + lasts < seconds:
            faults.append(Fault(round(begins, 3), 0, kind.name, target, round(lasts, 3), round(amount, 3)))
            # Whoever came back gets a moment: a process that never lives tests only its own start.
            free_at[target] = begins + lasts + chance.uniform(2, 8)
        at += chance.expovariate(1 / gap_s)
    ordered = sorted(faults)
    return [Fault(f.at_s, n, f.kind, f.target, f.lasts_s, f.amount) for n, f in enumerate(ordered, 1)]


def _target(kind: Kind, chance: random.Random, agents: int) -> str:
    if kind.target == "agent":
        return f"pc-{chance.randint(1, agents)}"
    if kind.target == "hub":
        return chance.choice(HUBS)
    return kind.target
