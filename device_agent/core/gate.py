"""Which actions this client carries out: what its drivers can do, narrowed by its own allow-list.

The list lies on the machine, so that nobody who takes over the hub can widen it.
"""

from collections.abc import Callable, Collection
from typing import Any

from device_agent import logs
from device_agent.actions.base import Driver, PayloadError
from device_agent.core.commands import Refusal
from device_agent.logs import Log


class ActionGate:
    """`allowed` None: every action that there is a driver for."""

    def __init__(self, driver_for: Callable[[str], Driver | None], allowed: Collection[str] | None) -> None:
        self._driver_for = driver_for
        self._allowed = allowed

    def is_allowed(self, action: str) -> bool:
        """Whether the allow-list lets an action through."""
        return self._allowed is None or action in self._allowed

    def refuse(self, action: str, payload: dict[str, Any]) -> Refusal | None:
        """Why an action is not carried out here, or None. Never raises."""
        driver = self._driver_for(action)
        if driver is None:
            return Refusal("unsupported_action", f"this client cannot carry out {action!r}: see its capabilities")
        if not self.is_allowed(action):
            return Refusal(
                "action_not_allowed", f"this client refuses {action!r}: add it to allowed_actions in its agent.toml"
            )
        try:
            driver.check(action, payload)
        except PayloadError as problem:
            return Refusal(problem.code, problem.message)
        except Exception as problem:  # noqa: BLE001 - foreign code; nothing was begun, so a refusal is the truth
            logs.write(Log.DRIVER_FAILED, stack=True, action=action)
            return Refusal("driver_error", f"the driver cannot read this payload ({type(problem).__name__})")
        return None
