"""What a client owes, check by check: what is expected, and where it is written."""

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

PAGE = "docs/how-to/write-an-agent.md"


class Outcome(enum.StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_OWED = "not owed"
    """A basic client need not."""
    SKIPPED = "skipped"
    """Nobody could restart or stop the client; optional."""
    NOT_REACHED = "not reached"
    """Something before it was missing, so that nothing can be said; counts as not passed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a client owes."""

    name: str
    expected: str
    step: str
    """Of the page; a number of its list or the heading of a section."""
    full_only: bool = False

    @property
    def where(self) -> str:
        """Where it is written."""
        return f"{PAGE}, {'step ' if self.step.isdigit() else ''}{self.step}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a check."""

    check: Check
    outcome: Outcome
    seen: str

    @property
    def in_order(self) -> bool:
        """Whether nothing stands against the client."""
        return self.outcome not in (Outcome.FAILED, Outcome.NOT_REACHED)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self.check), "where": self.check.where, "outcome": self.outcome.value, "seen": self.seen}


_CHECKS = (
    Check(
        "connect",
        "MQTT 5, user name and MQTT client id are the client's id, a clean start, a keepalive of 1 to 60 s",
        "1",
    ),
    Check(
        "will",
        "a will of the kind `will` on the client's topic `presence`, QoS 1, retained, without delay, with the session"
        " and connection of the birth",
        "1",
    ),
    Check("subscribe", "the client's topics `commands` and `receipts`, at QoS 1", "2"),
    Check(
        "birth",
        "one `birth` on each connection, after the SUBACK of both topics, on `presence`, QoS 1, retained, and its"
        " clock right to 5 minutes",
        "3",
    ),
    Check("run", "the reports accepted, started, completed, in this order, each once", "6"),
    Check("once", "the same attempt delivered again: the reports it has of it, or silence; never another one", "5"),
    Check("unsupported", "an action that it does not have: one report, failed, `unsupported_action`", "6"),
    Check("expired", "a run delivered after its `expires_at`: one report, expired; it is not begun", "5"),
    Check("retained", "a retained message on `commands` is ignored", "4"),
    Check("cancel_first", "a cancel before its run: cancelled when the run comes; it is not begun", "8"),
    Check("cancel_late", "a cancel after the end: the report of the end again, with the same `report_id`", "8"),
    Check("unknown_fields", "a run with a field that it does not know is carried out like any other", "What changes"),
    Check("unknown_kind", "messages of an unknown kind are ignored, and the connection stays", "What changes"),
    Check("largest", "a run of 65,536 bytes, the most there may be, is carried out", "What changes"),
    Check("repeat", "reports without receipt come again, with the same `report_id`, after 1, 2, 4 ... 30 s", "7"),
    Check("receipt", "a report whose receipt came is not said again by itself", "7"),
    Check(
        "reconnect",
        "when the connection breaks: a new one within 60 s, the same session, a higher connection in will and birth,"
        " and the reports without receipt again",
        "3",
    ),
    Check("signature", "a run whose signature does not fit is ignored", "Checking signatures", full_only=True),
    Check("roll_call", "a heartbeat within the `spread_s` of a roll call", "A full agent", full_only=True),
    Check("epoch", "the epoch of the last welcome in heartbeats and reports", "A full agent", full_only=True),
    Check("restart", "a new session after the process was killed and started again", "3"),
    Check(
        "journal",
        "after a restart the birth bears journal and epoch of the last welcome, and nothing begins before the next",
        "A full agent",
        full_only=True,
    ),
    Check(
        "offline",
        "stopped in peace: `offline` on `presence`, QoS 1, retained, with session and connection; then DISCONNECT",
        "9",
    ),
    Check(
        "reports",
        "every message on its own topic, as the schema says, with the session of the birth; QoS 1 and not retained for"
        " reports; commands and attempts that it was sent; times within 5 minutes; at most 65,536 bytes",
        "6",
    ),
)
CHECKS: Mapping[str, Check] = {check.name: check for check in _CHECKS}
"""In the order of the table."""
