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
            "The client uses HTTP, and has not answered the command since {since} (offered {sends} times). The client "
            "reads commands from its event stream or with its next poll. If this lasts, the client does not read, or "
            "does not answer. Check the client's log."
        ),
        ko=(
            "HTTP를 쓰는 클라이언트가 {since}부터 이 명령에 응답하지 않았습니다(전달 {sends}번). 클라이언트는 이벤트 "
            "스트림이나 다음 폴링에서 명령을 읽습니다. 계속되면 클라이언트가 읽지 않거나 응답하지 않는 것이니 "
            "클라이언트 로그를 확인하십시오."
        ),
    ),
)
