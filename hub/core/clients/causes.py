"""What keeps commands, as far as their clients' administration says."""

from typing import Protocol

from hub.subject import Cause, Details


class Facts(Protocol):
    """What the cause below depends on."""

    client_status: str


def _disabled(facts: Facts) -> Details:
    return None if facts.client_status == "active" else {"client_status": facts.client_status}


CAUSES = (
    Cause(
        "client_disabled",
        {"pending": 10, "queued": 30},
        _disabled,
        en="The client is {client_status}, so nothing is sent to it. Enable the client, or cancel the command.",
        ko="클라이언트 상태가 {client_status}이어서 아무것도 보내지 않습니다. 활성화하거나 명령을 취소하십시오.",
    ),
)
