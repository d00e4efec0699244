"""What keeps commands for clients that speak HTTP."""

from datetime import datetime
from typing import Protocol

from hub.core.presence.rules.presence import over_http
from hub.subject import Cause, Details


class Facts(Protocol):
    """What the cause below depends on."""

    session: str | None
    queued_at: datetime | None
    sends: int
    lease_until: datetime | None


def _not_fetched(facts: Facts) -> Details:
    if not over_http(facts.session):
        return None
    return {"since": facts.queued_at, "sends": facts.sends, "next_send": facts.lease_until}


CAUSES = (
    Cause(
        "not_fetched",
        {"queued": 110},
        _not_fetched,
        en=(
            "The client uses HTTP. Since {since}, the command has been waiting until the client reads it from its "
            "stream or with its next poll (offered {sends} times). If this lasts, the client does not read, or does "
            "not answer. Check the client's log."
        ),
        ko=(
            "{since}부터 HTTP 클라이언트의 스트림 또는 다음 폴링을 기다립니다(전달 {sends}번). 계속되면 "
            "클라이언트가 읽지 않거나 응답하지 않는 것이니 클라이언트 로그를 "
            "확인하십시오."
        ),
    ),
)
