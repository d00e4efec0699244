"""The shapes of the broker."""

from typing import ClassVar, Literal

from pydantic import Field

from hub.api.shapes import Output
from hub.core.broker.service.restarting import Standing


class BrokerOutput(Output):
    """What the broker has yet to learn."""

    EXAMPLE: ClassVar = {
        "connected": True,
        "managed": True,
        "changes_waiting": 0,
        "imports_waiting": 180,
        "refused": 0,
        "restart": "possible",
        "restarting": False,
    }

    connected: bool | None = Field(
        description="Whether this hub process is connected to the broker; null: it has no role `worker`."
    )
    managed: bool = Field(
        description="Whether the hub tells the broker about clients; false: you keep its users yourself."
    )
    changes_waiting: int = Field(description="Changes of single clients that the broker has yet to learn.")
    imports_waiting: int = Field(description="Imported clients that the broker has yet to learn.")
    refused: int = Field(description="Clients that the broker refused to learn; the log says why.")
    restart: Literal["possible", "elsewhere"] = Field(
        description="Whether the hub can have the broker restarted; `elsewhere`: `floorhub up` did not start it."
    )
    restarting: bool = Field(description="Whether it is being restarted.")

    @classmethod
    def of(cls, one: Standing) -> "BrokerOutput":
        """As the service gives it."""
        return cls(
            connected=one.connected,
            managed=one.managed,
            changes_waiting=one.state.changes,
            imports_waiting=one.state.imports,
            refused=one.state.refused,
            restart="possible" if one.can_restart else "elsewhere",
            restarting=one.restarting,
        )
