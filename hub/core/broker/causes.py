"""What keeps commands between the hub and the broker, and between the broker and the agent."""

from datetime import datetime
from typing import Any, Protocol

from hub.core.presence.rules.presence import over_http
from hub.subject import Cause, Details


class Facts(Protocol):
    """What the causes below depend on."""

    session: str | None
    broker_connected: bool | None
    """Whether any hub process is at the broker; None when nobody has said so, either way."""
    sends: int
    lease_until: datetime | None
    sent_at: datetime | None


def _not_connected(facts: Facts) -> Details:
    # Before presence: while no hub is at the broker, none knows who is. Clients that speak HTTP do without it.
    return {} if facts.broker_connected is False and not over_http(facts.session) else None


def _sends(facts: Facts) -> dict[str, Any]:
    return {"sends": facts.sends, "next_send": facts.lease_until}


def _not_at_broker(facts: Facts) -> Details:
    return _sends(facts) if facts.sent_at is None else None


def _not_acknowledged(facts: Facts) -> Details:
    return {"since": facts.sent_at, **_sends(facts)}


CAUSES = (
    Cause(
        "broker_not_connected",
        {"pending": 80, "queued": 80},
        _not_connected,
        en=(
            "No hub is connected to the MQTT broker. Check the broker and /health/ready; hubs reconnect automatically."
        ),
        ko="MQTT 브로커에 연결된 허브가 없습니다. 브로커와 /health/ready를 확인하십시오. 자동으로 다시 연결합니다.",
    ),
    Cause(
        "not_at_broker",
        {"queued": 120},
        _not_at_broker,
        en=(
            "The hub has sent the command {sends} times, and the broker has not acknowledged it. The hub sends the "
            "command again at {next_send}. Check the broker."
        ),
        ko="{sends}번 보냈지만 브로커가 확인하지 않았습니다. 다음 전송은 {next_send}입니다. 브로커를 확인하십시오.",
    ),
    Cause(
        "not_acknowledged",
        {"queued": 130},
        _not_acknowledged,
        en=(
            "The broker received the command at {since}, but the agent has not confirmed it (sent {sends} times, next "
            "time at {next_send}): the agent hangs, refuses the command, or has no room for it. Check the agent's log."
        ),
        ko=(
            "브로커는 {since}에 받았지만 에이전트의 확인이 없습니다(전송 {sends}번, 다음 {next_send}). 에이전트가 "
            "멈췄거나, 명령을 거부했거나, 더 받을 수 없는 상태입니다. 에이전트 "
            "로그를 확인하십시오."
        ),
    ),
)
