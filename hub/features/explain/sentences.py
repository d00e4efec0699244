"""The sentences of `explain`, in English and Korean: what keeps the command, and what to do. Their only home."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.features.explain.rules.causes import Cause, Explanation

SENTENCES: Mapping[Cause, tuple[str, str]] = {
    Cause.ENDED: (
        "It has ended: {status} (reason: {reason}). The way shows each step.",
        "끝났습니다: {status}(이유: {reason}). 전체 경로는 way에 있습니다.",
    ),
    Cause.BATCH_PAUSED: (
        "Its batch {batch_id} is {batch_status}: {stop_reason}. It waits until somebody resumes or cancels the batch.",
        "배치 {batch_id}의 상태가 {batch_status}입니다({stop_reason}). 배치를 재개하거나 취소할 때까지 기다립니다.",
    ),
    Cause.ROLLOUT: (
        "It is part of the staged rollout {batch_id} ({per_minute} a minute); its turn is at {until}. Nothing to do.",
        "단계적 배포 {batch_id}(분당 {per_minute}개)의 명령이며 차례는 {until}입니다. 할 일은 없습니다.",
    ),
    Cause.SCHEDULED: (
        "It is scheduled and goes out from {until}. Nothing to do.",
        "예약되어 {until}부터 나갑니다. 할 일은 없습니다.",
    ),
    Cause.RETRY_WAITS: (
        "The attempt before failed without effect; attempt {attempt} (at most {max_retries} retries) goes out from "
        "{until}. See error for what went wrong.",
        "앞선 시도가 효과 없이 실패했습니다. {attempt}번째 시도(재시도 최대 {max_retries}회)가 {until}부터 나갑니다. "
        "원인은 error를 보십시오.",
    ),
    Cause.CLIENT_DISABLED: (
        "The client is {client_status}: nothing goes to it. Enable it, or cancel the command.",
        "클라이언트 상태가 {client_status}이어서 아무것도 보내지 않습니다. 활성화하거나 명령을 취소하십시오.",
    ),
    Cause.CLIENT_NEVER_SEEN: (
        "The client has never connected. Start its agent; `floorhub-agent doctor` there says what stands in the way.",
        "클라이언트가 한 번도 접속하지 않았습니다. 에이전트를 시작하고, 그 PC에서 `floorhub-agent doctor`로 원인을 "
        "확인하십시오.",
    ),
    Cause.CLIENT_KEPT_AWAY: (
        "Two machines used this client's identity, so dispatch to it is stopped. Remove one, then "
        "`floorhub client release`.",
        "두 대의 기기가 같은 클라이언트 신원을 사용해 전송이 중지되었습니다. 한 대를 제거하고 "
        "`floorhub client release`를 실행하십시오.",
    ),
    Cause.CLIENT_OFFLINE: (
        "The client is offline since {since}. Look at its power, network and agent; it goes on by itself on return.",
        "클라이언트가 {since}부터 오프라인입니다. 전원, 네트워크, 에이전트를 확인하십시오. "
        "돌아오면 자동으로 계속됩니다.",
    ),
    Cause.CLIENT_UNKNOWN: (
        "Nobody knows whether the client is there, since {since}. It is asked; if this stays, look at the machine.",
        "{since}부터 클라이언트의 접속 여부를 알 수 없습니다. 확인 중이며, 계속되면 기기를 확인하십시오.",
    ),
    Cause.BROKER_NOT_CONNECTED: (
        "No hub is connected to the MQTT broker. Look at the broker and at /health/ready; hubs connect by themselves.",
        "MQTT 브로커에 연결된 허브가 없습니다. 브로커와 /health/ready를 확인하십시오. 자동으로 다시 연결합니다.",
    ),
    Cause.ORDER_KEY_WAITS: (
        "An older command of its order key {order_key} has not ended: {command_id}. Explain that one.",
        "같은 순서 키 {order_key}의 앞선 명령 {command_id}이(가) 끝나지 않았습니다. 그 명령을 확인하십시오.",
    ),
    Cause.ORDER_KEY_DEAD_LETTER: (
        "An older command of its order key {order_key} failed and waits for a person: replay or dismiss {command_id}.",
        "같은 순서 키 {order_key}의 앞선 명령 {command_id}이(가) 실패했습니다. 재실행하거나 닫아 주십시오.",
    ),
    Cause.LANE_FULL: (
        "Lane {lane} is full: the client has earlier commands in it that have not ended (command_ids). Explain those.",
        "레인 {lane}이(가) 가득 찼습니다. 먼저 배정된 명령(command_ids)이 끝나지 않았습니다. 그 명령을 확인하십시오.",
    ),
    Cause.CLIENT_FULL: (
        "The client has {commands} unfinished commands in all lanes, as many as it may. It goes on when one ends.",
        "클라이언트에 끝나지 않은 명령이 {commands}개로 한도에 달했습니다. 하나가 끝나면 계속됩니다.",
    ),
    Cause.BEHIND_OTHERS: (
        "Others in lane {lane} go first: higher priority, or older (command_ids).",
        "레인 {lane}에서 우선순위가 높거나 오래된 명령(command_ids)이 먼저 나갑니다.",
    ),
    Cause.DISPATCH_DUE: (
        "Nothing keeps it: it goes out now. If this stays for more than 2 s, the hub's workers are down or overloaded.",
        "막는 것이 없어 곧 나갑니다. 2초 넘게 계속되면 허브의 워커가 멈췄거나 과부하 상태입니다.",
    ),
    Cause.CANCEL_ASKED: (
        "A cancel was asked at {since}; the agent ({presence}) has not answered. It is asked until it does.",
        "{since}에 취소를 요청했고 에이전트({presence})의 답을 기다립니다. 답할 때까지 다시 묻습니다.",
    ),
    Cause.NOT_AT_BROKER: (
        "It was sent {sends} times, and the broker has not acknowledged it. Next at {next_send}. Look at the broker.",
        "{sends}번 보냈지만 브로커가 확인하지 않았습니다. 다음 전송은 {next_send}입니다. 브로커를 확인하십시오.",
    ),
    Cause.NOT_ACKNOWLEDGED: (
        "The broker has it since {since}, the agent has not said so (sends: {sends}, next at {next_send}): it hangs, "
        "refuses it, or has no room. Look at the agent's log.",
        "브로커는 {since}에 받았지만 에이전트의 확인이 없습니다(전송 {sends}번, 다음 {next_send}). 에이전트가 멈췄거나 "
        "거부했거나 자리가 없습니다. 에이전트 로그를 확인하십시오.",
    ),
    Cause.NOT_FETCHED: (
        "It waits since {since} for the client, which speaks HTTP: by its stream or next poll (offered: {sends}). "
        "If this stays, the client does not read, or does not answer. Look at its log.",
        "{since}부터 HTTP 클라이언트의 스트림 또는 다음 폴링을 기다립니다(전달 {sends}번). 계속되면 클라이언트가 "
        "읽지 않거나 응답하지 않는 것이니 클라이언트 로그를 확인하십시오.",
    ),
    Cause.WAITS_IN_AGENT: (
        "It is in the agent's journal since {since} and waits for its lane; there runs: {command_id}.",
        "{since}부터 에이전트 저널에서 레인을 기다립니다. 실행 중인 명령: {command_id}.",
    ),
    Cause.HELD: (
        "The device waits for a person: {reasons}. See to it; the command goes on by itself.",
        "장치가 사람을 기다립니다: {reasons}. 조치하면 자동으로 계속됩니다.",
    ),
    Cause.RUNNING: (
        "It runs since {since}. Client: {presence}.",
        "{since}부터 실행 중입니다. 클라이언트: {presence}.",
    ),
}


_ENDED_WELL = (
    "It has ended: {status}. The way shows each step.",
    "끝났습니다: {status}. 전체 경로는 way에 있습니다.",
)


def sentence(explanation: Explanation, *, korean: bool) -> str:
    """What a person reads."""
    well = explanation.cause is Cause.ENDED and explanation.details["reason"] is None
    return (_ENDED_WELL if well else SENTENCES[explanation.cause])[korean].format_map(
        {name: _shown(value) for name, value in explanation.details.items()}
    )


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)
