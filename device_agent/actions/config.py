"""What a site configures for its drivers. The agent's configuration file embeds these tables."""

import re
from typing import Annotated, Any

from msgspec import Meta, Struct

PRINTER_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
"""What a printer may be called in commands. `fullmatch` only; `config` says the rule in words."""
Seconds = Annotated[float, Meta(gt=0, le=604_800)]


class PrinterConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[printers]]`. `uri` says how to reach it:

    - `ipp://host/ipp/print`, `ipps://...`: a printer or CUPS queue that speaks IPP;
    - `socket://host:9100`: raw bytes, for label printers;
    - `folder:/absolute/path`: writes files, for trying things out.
    """

    name: str
    """As `PRINTER_NAME` has it: what commands call it."""
    uri: Annotated[str, Meta(min_length=1, max_length=500)]
    title: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """What people call it, in any script; shown in lists."""
    default: bool = False
    """The printer of commands that name none; a client's only printer is so anyway."""
    tls_verify: bool = True
    ca_file: str | None = None
    """PEM file with the certificate to trust, for a printer with a certificate of its own."""
    timeout_s: Annotated[float, Meta(gt=0, le=300)] = 15.0
    """For one answer of the printer; a job may take as long as its command allows."""

    def __repr__(self) -> str:  # the uri may hold a password
        return f"PrinterConfig(name={self.name!r})"


Argv = Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1, max_length=100)]


class MachineConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[machine]`: what a command may do to the machine as a whole. `true` is systemd's way; a list is a program and
    its arguments, which run without a shell."""

    restart_agent: bool = True
    reboot: bool | Argv = False
    shutdown: bool | Argv = False
    boot_id_file: str = "/proc/sys/kernel/random/boot_id"
    """A file whose content is new with each boot."""

    @property
    def programs(self) -> dict[str, list[str]]:
        """How `reboot` and `shutdown` are done, as far as they are allowed."""
        ways = {
            "reboot": (self.reboot, ["systemctl", "reboot"]),
            "shutdown": (self.shutdown, ["systemctl", "poweroff"]),
        }
        return {action: usual if way is True else way for action, (way, usual) in ways.items() if way}


class OwnActionConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[actions.NAME]`: a program that carries out an action of the site's own, without a shell.

    `{name}` in an element of `argv` is filled with `payload.args.name`; `{{` and `}}` are braces.
    """

    argv: Annotated[list[str], Meta(min_length=1, max_length=100)]
    timeout_s: Seconds = 60.0
    """The program's own limit; the command's may be shorter."""
    output_limit: Annotated[int, Meta(ge=0, le=32_768)] = 16_384
    """Bytes kept of each of stdout and stderr, from the end."""
    cwd: str | None = None
    env: list[str] = []
    """Names of the agent's environment variables that the program gets, besides PATH, LANG and TZ."""
    allow_dash: list[str] = []
    """Names of args whose value may begin with `-`; others could pass for an option."""
    retryable_exit_codes: list[Annotated[int, Meta(ge=1, le=255)]] = []
    """Exit codes by which the program says that it did nothing, so that the command may be tried again."""
    payload_schema: dict[str, Any] | str | None = None
    """A JSON Schema that the whole payload must fit, or a file that holds one; once the configuration is loaded, never
    a file."""
