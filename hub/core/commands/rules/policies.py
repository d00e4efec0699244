"""What a command gets that its sender does not say: by its action's policy, or else by the hub's defaults. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from functools import lru_cache

from hub.core.commands.rules.retry import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOff:
    """How long to wait before further attempts; None: as the next level says (command, action, hub)."""

    first_delay_s: float | None = None
    factor: float | None = None
    cap_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(BackOff):
    """The defaults of an action; None: the hub's. Times in seconds."""

    max_retries: int | None = None
    timeout_s: float | None = None
    expires_in_s: float | None = None


HUB = Policy(max_retries=3, first_delay_s=1.0, factor=2.0, cap_s=32.0, timeout_s=300.0, expires_in_s=3600.0)
"""What counts where nobody says anything else."""
NAMES = tuple(field.name for field in fields(Policy))
BACK_OFF = tuple(field.name for field in fields(BackOff))


@lru_cache(1_000)
def effective(policy: Policy) -> Policy:
    """All values as they count: the hub's where the policy has none. A cap below the first delay counts as that."""
    given = {name: value for name, value in asdict(policy).items() if value is not None}
    whole = asdict(HUB) | given
    return Policy(**whole | {"cap_s": max(whole["cap_s"], whole["first_delay_s"])})


@lru_cache(1_000)
def back_off_of(asked: BackOff | None, policy: Policy) -> dict[str, float] | None:
    """The back-off to be stored with a command, complete; None: the hub's own."""
    levels = [level for level in (asked, policy) if level is not None]
    found = {
        name: next((value for level in levels if (value := getattr(level, name)) is not None), None)
        for name in BACK_OFF
    }
    if all(value is None for value in found.values()):
        return None
    whole = effective(Policy(**found))
    return {name: float(getattr(whole, name)) for name in BACK_OFF}


def retry_policy(max_retries: int, back_off: Mapping[str, float] | None) -> RetryPolicy:
    """The policy of a stored command."""
    if back_off is None:
        return RetryPolicy(max_retries=max_retries)
    return RetryPolicy(
        max_retries=max_retries,
        first=timedelta(seconds=back_off["first_delay_s"]),
        factor=back_off["factor"],
        cap=timedelta(seconds=back_off["cap_s"]),
    )
