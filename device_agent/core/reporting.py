"""Builds reports that fit the contract, whatever a driver said.

A report that is too large, or holds what JSON cannot, would never reach the hub: it is cut, with a note, never lost.
"""

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from device_agent.core.events import StopReason
from device_agent.core.outcome import Outcome
from schemas.messages import Failure, Report, Result
from schemas.states import ReportStatus

MAX_REPORT = 60_000
"""Bytes of one report, so that a message with one report always fits into the contract's 64 KiB."""
MAX_TEXT = 8_000
"""Characters of a message text, as the contract says."""
_HEAD = 4_000
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")

_STATUS = {
    "completed": ReportStatus.COMPLETED,
    "failed": ReportStatus.FAILED,
    "cancelled": ReportStatus.CANCELLED,
    "unknown": ReportStatus.UNKNOWN,
}


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, in the contract's words."""

    status: ReportStatus
    result: Result | None = None
    error: Failure | None = None

    @property
    def retryable(self) -> bool:
        """Whether a higher attempt may follow."""
        return self.status is ReportStatus.FAILED and self.error is not None and self.error.retryable


def failure(status: ReportStatus, code: str, message: str, *, retryable: bool = False) -> Conclusion:
    """An end that the agent itself decided."""
    return Conclusion(status=status, error=Failure(code=code, message=_clean(message), retryable=retryable))


def conclude(outcome: Outcome | None, stopped: StopReason | None, duration_s: float | None) -> Conclusion:
    """The end of an attempt that ran. `stopped`: the core had asked the effect to stop, and why."""
    if outcome is None:
        if stopped is StopReason.TIMED_OUT:
            return failure(
                ReportStatus.UNKNOWN,
                "timed_out",
                "the time-out passed, and the driver cannot say what took effect: check the device",
            )
        code = "stopped" if stopped is StopReason.CANCELLED else "no_answer"
        return failure(
            ReportStatus.UNKNOWN, code, "it was stopped, and the driver cannot say what took effect: check the device"
        )
    status, code = _STATUS[outcome.status], outcome.code
    if stopped is StopReason.EXPIRED and status is ReportStatus.CANCELLED:
        # Nobody cancelled it either. That it led to nothing is said, for the hub has heard of its start.
        return failure(ReportStatus.EXPIRED, "expired", outcome.message, retryable=True)
    if stopped is StopReason.TIMED_OUT and status is ReportStatus.CANCELLED:
        # Nobody cancelled it: the time-out stopped it, and the driver knows that it did not take effect in full.
        status, code = ReportStatus.FAILED, "timed_out"
    return _spell(status, code, outcome, outcome.data, duration_s)


def conclude_evidence(outcome: Outcome | None, stopped: str | None) -> Conclusion:
    """The end of an attempt that a restart cut off, by what the driver found out. `stopped`: as in `conclude`, from the
    journal."""
    if outcome is None:
        outcome = Outcome(status="unknown", message="the driver found no evidence")
    status, code, data = _STATUS[outcome.status], outcome.code, outcome.data
    if status is ReportStatus.UNKNOWN:
        code = code or "interrupted"
        data = data if "evidence" in data else {"evidence": data}
    if status is ReportStatus.CANCELLED and stopped == StopReason.TIMED_OUT:
        status, code = ReportStatus.FAILED, "timed_out"
    return _spell(status, code, outcome, data, None)


def _spell(
    status: ReportStatus, code: str, outcome: Outcome, data: dict[str, Any], duration_s: float | None
) -> Conclusion:
    message = _clean(outcome.message)
    result = Result(data=data, message=message, duration_s=duration_s)
    error = None
    if status is not ReportStatus.COMPLETED:
        word = code if _CODE.fullmatch(code) else status.value
        # Only a failure may be tried again: anything else may have taken effect, or was not wanted.
        retryable = outcome.retryable and status is ReportStatus.FAILED
        error = Failure(code=word, message=message, retryable=retryable)
    return Conclusion(status=status, result=result, error=error)


def encode(report: Report) -> tuple[bytes, bool]:
    """The JSON of a report, at most `MAX_REPORT` bytes, and whether it had to be cut for that."""
    try:
        body = msgspec.json.encode(report)
        if len(body) <= MAX_REPORT:
            return body, False
        size = len(body)
    except (TypeError, ValueError, OverflowError, RecursionError):
        size = None
    result, progress, error = report.result, report.progress, report.error
    if result is not None:
        result = msgspec.structs.replace(result, data=_cut(result.data, size), message=result.message[:_HEAD])
    if progress is not None:
        progress = _cut(progress, size)
    if error is not None:
        error = msgspec.structs.replace(error, message=error.message[:_HEAD])
    cut = msgspec.structs.replace(report, result=result, progress=progress, error=error)
    return msgspec.json.encode(cut), True


def _clean(text: str) -> str:
    """Text that JSON and Postgres can hold: no lone surrogates, no NUL, not too long."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:MAX_TEXT]


def _cut(data: Mapping[str, Any], size: int | None) -> dict[str, Any]:
    """What stands in for data that does not fit or is no JSON: a note, and its beginning as text."""
    if size is None:
        note = "the driver's data is no JSON and was left out"
    else:
        note = f"the report had {size} bytes, more than {MAX_REPORT}: its data was cut; send big things as a document"
    return {"truncated": True, "note": note, "head": repr(dict(data))[:_HEAD].encode("ascii", "replace").decode()}


def new_id(now: float, rng: random.Random) -> UUID:
    """A UUIDv7 of the given Unix time. The randomness is handed in so that a simulation can repeat it."""
    milliseconds = max(0, int(now * 1000)) & ((1 << 48) - 1)
    value = milliseconds << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    return UUID(int=value)


def moment(seconds: float) -> datetime:
    """Unix seconds as the UTC time that travels on the wire."""
    return datetime.fromtimestamp(seconds, UTC)
