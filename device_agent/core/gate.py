"""Which actions this client carries out: what its drivers can do, narrowed by its own allow-list.

The list lies on the machine, so that nobody who takes over the hub can widen it.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from msgspec import Struct

_NAMED = 20
"""So many actions a refusal names."""


class PayloadError(Exception):
    """A payload that cannot be carried out. Nothing was started; `message` says which field and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Refusal(Struct, frozen=True):
    """Why this client does not carry out an action; `code` travels in the report."""

    code: str
    message: str


Gate = Callable[[str, dict[str, Any]], Refusal | None]
"""Says for an action and its payload why this client refuses it, or None. Pure: no I/O, no state."""


class Checks(Protocol):
    """The part of a driver that the gate asks."""

    def check(self, action: str, payload: dict[str, Any]) -> None:
        """Raise PayloadError for what can never be carried out. Pure and quick: nothing is asked, nothing begins."""


class ActionGate:
    """`allowed` None: every action that there is a driver for."""

    def __init__(
        self,
        driver_for: Callable[[str], Checks | None],
        allowed: Collection[str] | None,
        on_broken: Callable[[str], None],
        known: Sequence[str] = (),
    ) -> None:
        """`on_broken` hears of an action whose driver raised what it must not, while that is being handled. `known` are
        the actions that there is a driver for."""
        self._driver_for = driver_for
        self._allowed = allowed
        self._on_broken = on_broken
        self._known = known

    def is_allowed(self, action: str) -> bool:
        """Whether the allow-list lets an action through."""
        return self._allowed is None or action in self._allowed

    def _can(self) -> str:
        can = [action for action in self._known if self.is_allowed(action)]
        more = f" and {len(can) - _NAMED} more" if len(can) > _NAMED else ""
        return f"it has: {', '.join(can[:_NAMED])}{more} (`floorhub client show` lists them)"

    def refuse(self, action: str, payload: dict[str, Any]) -> Refusal | None:
        """Why an action is not carried out here, or None. Never raises."""
        driver = self._driver_for(action)
        if driver is None:
            return Refusal("unsupported_action", f"this client has no action {action!r}; {self._can()}")
        if not self.is_allowed(action):
            return Refusal(
                "action_not_allowed", f"this client refuses {action!r}: add it to allowed_actions in its agent.toml"
            )
        try:
            driver.check(action, payload)
        except PayloadError as problem:
            return Refusal(problem.code, problem.message)
        except Exception as problem:  # noqa: BLE001 - foreign code; nothing was begun, so a refusal is the truth
            self._on_broken(action)
            return Refusal("driver_error", f"the driver cannot read this payload ({type(problem).__name__})")
        return None
