"""When a next attempt is due. Pure: the policy decides, someone else waits."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with full jitter between half and all of the step.

    `max_retries` counts attempts after the first; 0 means never.
    """

    max_retries: int = 3
    first: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    cap: timedelta = timedelta(seconds=32)

    def __post_init__(self) -> None:
        if not 0 <= self.max_retries <= 100:
            raise ValueError("max_retries must be between 0 and 100")
        if self.first <= timedelta(0) or self.cap < self.first or self.factor < 1:
            raise ValueError("a back-off needs first > 0, cap >= first and factor >= 1")

    def delay_after(self, attempt: int, chance: float) -> timedelta | None:
        """How long to wait after `attempt` (1 = the first) failed, or None to give up.

        `chance` is a random number from [0, 1): it spreads clients that failed together.
        """
        if attempt > self.max_retries:
            return None
        # In seconds, since a float holds what a timedelta does not on its way to the cap: 10 ** 99 s.
        step = min(self.first.total_seconds() * self.factor ** min(attempt - 1, 100), self.cap.total_seconds())
        return timedelta(seconds=step * (0.5 + chance / 2))
