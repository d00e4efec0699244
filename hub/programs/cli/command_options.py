"""The options that every new command has, whatever it does and whoever it is for: each is a field of the API."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.programs.cli import lists
from hub.programs.cli.sending import OfflinePolicy


class OnInterrupt(StrEnum):
    """What becomes of a command whose client stopped in the middle of it."""

    RERUN = "rerun"
    UNKNOWN = "unknown"


OrderKey = Annotated[
    str | None,
    typer.Option("--order-key", metavar="KEY", help="Commands of a client with the same key run in order."),
]
NotBefore = Annotated[
    str | None,
    typer.Option("--not-before", metavar="TIME", help="Not earlier than: 15m, 2h, tomorrow or 2026-11-30T08:00."),
]
MaxRetries = Annotated[
    int | None, typer.Option("--max-retries", metavar="NUMBER", min=0, max=100, help="Further attempts, 0 to 100.")
]
Interrupt = Annotated[
    OnInterrupt | None,
    typer.Option("--on-interrupt", help="After a crash in the middle: rerun, or unknown (default)."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", help="A tag of the command, to find it by; may be given several times."),
]
CommandTags = Annotated[
    list[str] | None,
    typer.Option("--command-tag", help="A tag of the command, to find it by; may be given several times."),
]
"""Where `--tag` chooses clients."""
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", "--timeout-s", metavar="DURATION", help="How long a run may take."),
]


def fields(
    *,
    priority: int,
    reference: str | None,
    when_offline: OfflinePolicy | None,
    expires_in: str | None,
    order_key: str | None,
    not_before: str | None,
    max_retries: int | None,
    on_interrupt: OnInterrupt | None,
    tags: list[str] | None,
    timeout: str | None,
) -> dict[str, Any]:
    """The fields of what was asked for. Ends the program with 2 when a time or a duration is none."""
    asked = {
        "priority": priority,
        "reference": reference,
        "when_offline": when_offline and when_offline.value,
        "expires_in_s": lists.seconds("--expires-in", expires_in),
        "order_key": order_key,
        "not_before": lists.later("--not-before", not_before),
        "max_retries": max_retries,
        "on_interrupt": on_interrupt and on_interrupt.value,
        "tags": tags or None,
        "timeout_s": lists.seconds("--timeout", timeout),
    }
    return {field: value for field, value in asked.items() if value is not None}
