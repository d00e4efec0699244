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


KINDS = (
    Kind("agent_kill", 16, "agent", 0.2, 4),
    Kind("agent_freeze", 6, "agent", 1, 20),
    Kind("agent_stop", 3, "agent", 0.2, 2),
    Kind("agent_cut", 5, "agent"),
    Kind("agent_reset", 5, "agent"),
    Kind("agent_half_open", 5, "agent", 3, 20),
    Kind("agent_deaf", 3, "agent", 3, 15),
    Kind("agent_mute", 3, "agent", 3, 15),
    Kind("agent_slow", 4, "agent", 3, 15),
    Kind("agent_slices", 3, "agent", 3, 15),
    Kind("hub_kill", 7, "hub", 0.2, 4),
    Kind("hub_freeze", 4, "hub", 7, 25),
    Kind("hub_stop", 2, "hub", 0.2, 2),
    Kind("hub_broker_cut", 3, "hub"),
    Kind("hub_broker_half_open", 3, "hub", 3, 15),
    Kind("hub_broker_slow", 2, "hub", 3, 10),
    Kind("hub_database_cut", 3, "hub"),
    Kind("hub_database_reset", 3, "hub"),
    Kind("hub_database_half_open", 3, "hub", 2, 12),
    Kind("hub_database_slow", 2, "hub", 3, 8),
    Kind("hub_database_refused", 2, "hub", 1, 6),
    Kind("broker_kill", 3, "broker", 0.2, 4),
    Kind("broker_wipe", 4, "broker", 0.2, 3),
    Kind("broker_freeze", 2, "broker", 1, 8),
    Kind("broker_repeats", 6, "broker"),
    Kind("postgres_kill", 3, "postgres", 0.2, 3),
    Kind("postgres_sessions", 4, "postgres"),
    Kind("postgres_freeze", 2, "postgres", 1, 6),
    Kind("clock_shift", 3, "clock", 5, 20),
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
