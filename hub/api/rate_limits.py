"""How limits are told in the headers of an answer: each rule as the IETF's draft has it (`RateLimit-Policy`,
`RateLimit`), and the one that is nearest to its end in three plain headers."""

from collections.abc import MutableMapping, MutableSequence
from typing import Any, NamedTuple

_STATE = "rate_rules"


class Rule(NamedTuple):
    """A limit and what is left of it."""

    name: str
    limit: int
    window_s: int
    left: int
    reset_s: int
    """Seconds until it begins anew."""


def tell(state: MutableMapping[str, Any], *rules: Rule) -> None:
    """Have the answer to a request tell of these rules, besides those that it tells of already. `state`: that of the
    request's scope."""
    state[_STATE] = (*state.get(_STATE, ()), *rules)


def add_headers(headers: MutableSequence[tuple[bytes, bytes]], state: MutableMapping[str, Any]) -> None:
    """Add what `tell` was told."""
    rules: tuple[Rule, ...] = state.get(_STATE, ())
    if not rules:
        return
    # The shortest is what a caller runs into next; of those that are used up, the longest is what it waits for.
    nearest = min(rules, key=lambda rule: (rule.left, -rule.reset_s))
    policy = ", ".join(f'"{rule.name}";q={rule.limit};w={rule.window_s}' for rule in rules)
    state_of_each = ", ".join(f'"{rule.name}";r={rule.left};t={rule.reset_s}' for rule in rules)
    headers += (
        (b"ratelimit-limit", b"%d" % nearest.limit),
        (b"ratelimit-remaining", b"%d" % nearest.left),
        (b"ratelimit-reset", b"%d" % nearest.reset_s),
        (b"ratelimit-policy", policy.encode("ascii")),
        (b"ratelimit", state_of_each.encode("ascii")),
    )
