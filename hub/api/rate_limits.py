"""How limits are told in the headers of an answer: each rule as the IETF's draft has it (`RateLimit-Policy`,
`RateLimit`), and the one that is nearest to its end in three plain headers."""

from collections.abc import MutableMapping, MutableSequence
from functools import lru_cache
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
    nearest = rules[0]
    for rule in rules[1:]:
        if (rule.left, -rule.reset_s) < (nearest.left, -nearest.reset_s):
            nearest = rule
    state_of_each = ", ".join([f'"{name}";r={left};t={reset_s}' for name, _, _, left, reset_s in rules])
    headers += (
        (b"ratelimit-limit", b"%d" % nearest.limit),
        (b"ratelimit-remaining", b"%d" % nearest.left),
        (b"ratelimit-reset", b"%d" % nearest.reset_s),
        (b"ratelimit-policy", _policy(tuple([rule[:3] for rule in rules]))),
        (b"ratelimit", state_of_each.encode("ascii")),
    )


@lru_cache(maxsize=256)
def _policy(rules: tuple[tuple[str, int, int], ...]) -> bytes:
    """The same for most requests: limits rarely change."""
    return ", ".join(f'"{name}";q={limit};w={window_s}' for name, limit, window_s in rules).encode("ascii")
