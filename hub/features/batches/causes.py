"""What keeps commands, as far as their batch says."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from hub.subject import Cause, Details


class Facts(Protocol):
    """What the causes below depend on."""

    on_hold: bool
    scheduled: bool
    not_before: datetime | None
    batch_id: UUID | None
    batch_status: str | None
    stop_reason: str | None
    per_minute: float | None


def _paused(facts: Facts) -> Details:
    if not facts.on_hold:
        return None
    return {"batch_id": facts.batch_id, "batch_status": facts.batch_status, "stop_reason": facts.stop_reason}


def _rollout(facts: Facts) -> Details:
    if not facts.scheduled or facts.per_minute is None:
        return None
    return {"until": facts.not_before, "batch_id": facts.batch_id, "per_minute": facts.per_minute}


CAUSES = (
    Cause(
        "batch_paused",
        {"pending": 20},
        _paused,
        en="Its batch {batch_id} is {batch_status}. The command waits until somebody resumes or cancels the batch.",
        ko="배치 {batch_id}의 상태가 {batch_status}입니다. 배치를 재개하거나 취소할 때까지 기다립니다.",
    ),
    Cause(
        "rollout",
        {"pending": 40},
        _rollout,
        en=(
            "It is part of the staged rollout {batch_id} ({per_minute} a minute); its turn is at {until}. "
            "Nothing to do."
        ),
        ko="단계적 배포 {batch_id}(분당 {per_minute}개)의 명령이며 차례는 {until}입니다. 할 일은 없습니다.",
    ),
)
