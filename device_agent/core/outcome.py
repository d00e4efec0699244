"""How an attempt ended, as its driver knows it."""

from typing import Any, Literal

from msgspec import Struct


class Outcome(Struct, frozen=True, kw_only=True):
    """How an attempt ended.

    `data` is JSON and small; it becomes `result.data`. `code` is a stable error code for everything but completed.
    """

    status: Literal["completed", "failed", "cancelled", "unknown"]
    data: dict[str, Any] = {}
    message: str = ""
    code: str = ""
    retryable: bool = False
    """True only when the driver KNOWS that nothing took effect."""
