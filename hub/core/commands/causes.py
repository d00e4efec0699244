"""What keeps commands, as far as commands themselves say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from hub.core.commands.rules.lanes import PER_CLIENT, PER_LANE, URGENT_PRIORITY
from hub.core.commands.rules.lifecycle import ENDED, GOODBYE_QUIET
from hub.core.commands.rules.remedies import remedy
from hub.subject import Cause, Details


class Facts(Protocol):
    """What the causes below depend on."""

    status: str
    attempt: int
    max_retries: int
    not_before: datetime | None
    scheduled: bool
    error: Mapping[str, Any] | None
    unknown_reason: str | None
    order_key: str | None
    blocker: UUID | None
    """The oldest command of its order key that stands before it."""
    blocker_is_dead_letter: bool | None
    lane: str
    priority: int
    in_lane: list[UUID]
    """What its client holds in its lane."""
    at_client: int
    """How many commands its client holds."""
    ahead: list[UUID]
    """Pending ones of its lane that go first."""
    lane_runs: UUID | None
    presence: str | None
    cancel_requested_at: datetime | None
    accepted_at: datetime | None
    started_at: datetime | None
    goodbye_at: datetime | None
    withheld_at: datetime | None
    expires_at: datetime
    held_reasons: list[str] | None
    progress: Mapping[str, Any] | None


def _reason(facts: Facts) -> str | None:
    """Why it ended without success, as a code."""
    code: str | None = (facts.error or {}).get("code")
    if facts.unknown_reason == "reported":  # the agent said so, and its code says why
        return code or facts.unknown_reason
    return facts.unknown_reason or code


def _ended_well(facts: Facts) -> Details:
    return {"status": facts.status, "reason": None} if _reason(facts) is None else None


def _ended_with_a_message(facts: Facts) -> Details:
    message = (facts.error or {}).get("message")
    return {**_without_success(facts), "message": message} if message else None


def _ended(facts: Facts) -> Details:
    return _without_success(facts)


def _without_success(facts: Facts) -> dict[str, Any]:
    reason = _reason(facts)
    return {"status": facts.status, "reason": reason, "what_to_do": remedy(reason or "")}


def _retry_waits(facts: Facts) -> Details:
    if not facts.scheduled or facts.attempt == 1:
        return None
    return {
        "attempt": facts.attempt,
        "max_retries": facts.max_retries,
        "until": facts.not_before,
        "error": facts.error,
    }


def _principal_revoked(facts: Facts) -> Details:
    if facts.withheld_at is None:
        return None
    return {"since": facts.withheld_at, "expires_at": facts.expires_at}


def _scheduled(facts: Facts) -> Details:
    return {"until": facts.not_before} if facts.scheduled else None


def _order_key_dead_letter(facts: Facts) -> Details:
    return _order_key_waits(facts) if facts.blocker_is_dead_letter else None


def _order_key_waits(facts: Facts) -> Details:
    return {"order_key": facts.order_key, "command_id": facts.blocker} if facts.blocker is not None else None


def _is_urgent(facts: Facts) -> bool:
    return facts.priority >= URGENT_PRIORITY


def _lane_full(facts: Facts) -> Details:
    full = len(facts.in_lane) >= PER_LANE + _is_urgent(facts)
    return {"lane": facts.lane, "command_ids": facts.in_lane} if full else None


def _client_full(facts: Facts) -> Details:
    full = not _is_urgent(facts) and facts.at_client >= PER_CLIENT
    return {"commands": facts.at_client} if full else None


def _behind_others(facts: Facts) -> Details:
    return {"lane": facts.lane, "command_ids": facts.ahead} if facts.ahead else None


def _dispatch_due(_facts: Facts) -> Details:
    return {}


def _cancel_asked(facts: Facts) -> Details:
    if facts.cancel_requested_at is None:
        return None
    return {"since": facts.cancel_requested_at, "presence": facts.presence}


def _waits_in_agent(facts: Facts) -> Details:
    if facts.accepted_at is None or facts.presence != "online":
        return None
    return {"since": facts.accepted_at, "command_id": facts.lane_runs}


def _waits_in_lane(facts: Facts) -> Details:
    return _waits_in_agent(facts) if facts.lane_runs is not None else None


def _held_by_absence(facts: Facts) -> Details:
    return _held(facts) if facts.held_reasons == ["printer-unreachable"] else None


def _held_by_others(facts: Facts) -> Details:
    return _held(facts) if facts.held_reasons == ["printer-busy"] else None


def _held_without_document(facts: Facts) -> Details:
    held = _held(facts) if facts.held_reasons == ["document-pending"] else None
    problem = (facts.progress or {}).get("problem")
    return {**held, "problem": problem} if held and problem else None


def _held_until_document(facts: Facts) -> Details:
    return _held(facts) if facts.held_reasons == ["document-pending"] else None


def _held_by_delay(facts: Facts) -> Details:
    return _held(facts) if facts.held_reasons == ["delay"] else None


def _held(facts: Facts) -> Details:
    return {"reasons": facts.held_reasons, "since": facts.started_at} if facts.held_reasons else None


def _said_goodbye(facts: Facts) -> Details:
    if facts.goodbye_at is None:
        return None
    return {"since": facts.goodbye_at, "until": facts.goodbye_at + GOODBYE_QUIET}


def _running(facts: Facts) -> Details:
    return {"since": facts.started_at, "progress": facts.progress, "presence": facts.presence}


CAUSES = (
    Cause(
        "ended",
        dict.fromkeys(ENDED, 1),
        _ended_well,
        en="It has ended: {status}. The timeline shows each step.",
        ko="끝났습니다: {status}. 전체 과정은 timeline에 있습니다.",
    ),
    Cause(
        "ended",
        dict.fromkeys(ENDED, 2),
        _ended_with_a_message,
        en="It has ended: {status} ({reason}): {message}; what to do: {what_to_do}",
        ko="끝났습니다: {status}({reason}): {message}; 할 일: {what_to_do}",
    ),
    Cause(
        "ended",
        dict.fromkeys(ENDED, 3),
        _ended,
        en="It has ended: {status} ({reason}). What to do: {what_to_do}",
        ko="끝났습니다: {status}({reason}). 할 일: {what_to_do}",
    ),
    Cause(
        "principal_revoked",
        {"pending": 15},
        _principal_revoked,
        en=(
            "The user or integration that sent the command was disabled, or lost the grant to send this action to this "
            "client. The hub has withheld the command since {since}. If the access is given back before {expires_at}, "
            "the command continues; otherwise it expires. If nobody needs the command, cancel it."
        ),
        ko=(
            "명령을 보낸 사용자나 연동이 비활성화되었거나 이 동작의 권한을 잃어 {since}부터 보류 중입니다. "
            "{expires_at} 전에 권한을 되돌리면 계속되고, 그러지 않으면 만료됩니다. 필요 없으면 취소하십시오."
        ),
    ),
    Cause(
        "retry_waits",
        {"pending": 30},
        _retry_waits,
        en=(
            "The previous attempt failed without effect. Attempt {attempt} (at most {max_retries} retries) is sent "
            "at {until}. The field `error` says what went wrong."
        ),
        ko=(
            "앞선 시도가 아무 효과 없이 실패했습니다. {attempt}번째 시도(재시도 최대 {max_retries}회)는 {until}에 "
            "전송됩니다. 원인은 error를 보십시오."
        ),
    ),
    Cause(
        "scheduled",
        {"pending": 50},
        _scheduled,
        en="It is scheduled and will be sent at {until}. Nothing to do.",
        ko="예약된 명령이며 {until}에 전송됩니다. 할 일은 없습니다.",
    ),
    Cause(
        "order_key_dead_letter",
        {"pending": 100},
        _order_key_dead_letter,
        en=(
            "An older command with the same order key {order_key} failed and blocks this command. Replay or dismiss "
            "the older command: {command_id}."
        ),
        ko="같은 순서 키 {order_key}의 앞선 명령 {command_id}이(가) 실패했습니다. 다시 실행하거나 종결하십시오.",
    ),
    Cause(
        "order_key_waits",
        {"pending": 105},
        _order_key_waits,
        en="An older command with the same order key {order_key} has not ended: {command_id}. Explain that command.",
        ko="같은 순서 키 {order_key}의 앞선 명령 {command_id}이(가) 끝나지 않았습니다. 그 명령을 확인하십시오.",
    ),
    Cause(
        "lane_full",
        {"pending": 110},
        _lane_full,
        en=(
            "Lane {lane} is full: earlier commands of the client in this lane have not ended (command_ids). "
            "Explain those commands."
        ),
        ko=(
            "레인 {lane}이(가) 가득 찼습니다. 먼저 배정된 명령(command_ids)이 끝나지 않았습니다. 그 명령을 "
            "확인하십시오."
        ),
    ),
    Cause(
        "client_full",
        {"pending": 120},
        _client_full,
        en=(
            "The client has {commands} unfinished commands in all its lanes, which is the maximum. When one of them "
            "ends, the next command is sent."
        ),
        ko="클라이언트에 끝나지 않은 명령이 {commands}개로 한도에 달했습니다. 하나가 끝나면 계속됩니다.",
    ),
    Cause(
        "behind_others",
        {"pending": 130},
        _behind_others,
        en="Other commands in lane {lane} (command_ids) are sent first, because of their priority or age.",
        ko="레인 {lane}에서 우선순위가 높거나 오래된 명령(command_ids)이 먼저 전송됩니다.",
    ),
    Cause(
        "dispatch_due",
        {"pending": 150},
        _dispatch_due,
        en=(
            "Nothing blocks the command: it is sent now. If this lasts for more than 2 s, the hub's workers are down "
            "or overloaded."
        ),
        ko="막는 것이 없어 곧 전송됩니다. 2초 넘게 계속되면 허브의 워커가 멈췄거나 과부하 상태입니다.",
    ),
    Cause(
        "cancel_asked",
        {"queued": 10, "running": 10},
        _cancel_asked,
        en=(
            "A cancel was requested at {since}. The agent ({presence}) has not answered yet; the hub repeats the "
            "request until the agent answers."
        ),
        ko="{since}에 취소를 요청했고 에이전트({presence})의 답을 기다립니다. 답할 때까지 다시 묻습니다.",
    ),
    Cause(
        "waits_in_agent",
        {"queued": 20},
        _waits_in_lane,
        en=(
            "It has been in the agent's journal since {since} and waits for its lane. Command {command_id} is running "
            "in this lane."
        ),
        ko="{since}부터 에이전트 저널에서 레인을 기다립니다. 실행 중인 명령: {command_id}.",
    ),
    Cause(
        "waits_in_agent",
        {"queued": 21},
        _waits_in_agent,
        en=(
            "It has been in the agent's journal since {since}. No other command runs in its lane; the agent has not "
            "reported the start yet."
        ),
        ko="{since}부터 에이전트 저널에 있습니다. 그 레인에서 실행 중인 명령이 없으며 시작 보고를 기다립니다.",
    ),
    Cause(
        "held",
        {"running": 14},
        _held_without_document,
        en=(
            "Its agent cannot fetch the document: {problem}. Make sure that a hub answers at this address, or correct "
            "hub_url in agent.toml; the command continues automatically."
        ),
        ko=(
            "에이전트가 문서를 가져올 수 없습니다: {problem}. 그 주소에서 허브가 응답하는지 확인하거나 agent.toml의 "
            "hub_url을 고치십시오. 명령은 자동으로 계속됩니다."
        ),
    ),
    Cause(
        "held",
        {"running": 16},
        _held_until_document,
        en="The document is on its way ({reasons}); nothing has been printed yet. Nothing to do.",
        ko="문서를 보내는 중입니다({reasons}). 아직 아무것도 인쇄되지 않았습니다. 할 일은 없습니다.",
    ),
    Cause(
        "held",
        {"running": 17},
        _held_by_delay,
        en=(
            "It waits until the time in its `delay_s` is over ({reasons}); nothing has been done yet. If you do not "
            "want the command any more, cancel it."
        ),
        ko="`delay_s`가 지나기를 기다립니다({reasons}). 아직 아무것도 실행되지 않았습니다. 원하지 않으면 취소하십시오.",
    ),
    Cause(
        "held",
        {"running": 18},
        _held_by_absence,
        en=(
            "The printer cannot be reached ({reasons}). Switch it on and connect it; the command continues "
            "automatically."
        ),
        ko="프린터에 연결할 수 없습니다({reasons}). 전원을 켜고 연결을 확인하십시오. 명령은 자동으로 계속됩니다.",
    ),
    Cause(
        "held",
        {"running": 19},
        _held_by_others,
        en=(
            "The printer is printing another job ({reasons}). Nothing to do: the command continues when the printer "
            "is free."
        ),
        ko="프린터가 다른 작업을 인쇄하고 있습니다({reasons}). 할 일은 없으며, 프린터가 비면 자동으로 계속됩니다.",
    ),
    Cause(
        "held",
        {"running": 20},
        _held,
        en="The device needs attention: {reasons}. When the device is ready, the command continues automatically.",
        ko="장치에 조치가 필요합니다: {reasons}. 장치가 준비되면 명령이 자동으로 계속됩니다.",
    ),
    Cause(
        "goodbye_said",
        {"running": 15},
        _said_goodbye,
        en=(
            "The client disconnected cleanly at {since}. If the client does not return by {until}, this `shutdown` "
            "command counts as completed. Nothing to do."
        ),
        ko=(
            "클라이언트가 {since}에 정상적으로 연결을 끊었습니다. 클라이언트가 {until}까지 돌아오지 않으면 이 shutdown "
            "명령은 완료된 것으로 처리됩니다. 할 일은 없습니다."
        ),
    ),
    Cause(
        "running",
        {"running": 30},
        _running,
        en="It has been running since {since}. Client: {presence}.",
        ko="{since}부터 실행 중입니다. 클라이언트: {presence}.",
    ),
)
