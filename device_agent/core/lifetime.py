"""What ends with a restart, so that a later process can tell that there was one."""

from msgspec import Struct


class Lifetime(Struct, frozen=True, kw_only=True):
    """When something happened, by the machine's boot and the agent's process."""

    boot: str
    """The machine's boot; `""` where the system does not tell."""
    process: str
    """The agent's process: its session."""
