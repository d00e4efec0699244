"""What keeps commands, as far as their clients' presence says."""

from datetime import datetime
from typing import Protocol

from hub.subject import Cause, Details


class Facts(Protocol):
    """What the causes below depend on."""

    status: str
    session: str | None
    presence: str | None
    presence_since: datetime | None
    fenced: bool
    unconfirmed: bool | None
    """Its journal has an id of which its agent has shown nothing yet."""
    distrusts: str | None
    """Why the client refuses what the hub signs, as it last said."""
    accepted_at: datetime | None


def _never_seen(facts: Facts) -> Details:
    return {} if facts.session is None else None


def _fenced(facts: Facts) -> Details:
    return {} if facts.fenced else None


def _offline(facts: Facts) -> Details:
    return {"since": facts.presence_since} if facts.presence == "offline" else None


def _distrusts(facts: Facts) -> Details:
    return {"reason": facts.distrusts} if facts.distrusts is not None else None


def _unconfirmed(facts: Facts) -> Details:
    return {"since": facts.presence_since} if facts.unconfirmed else None


def _unknown(facts: Facts) -> Details:
    # A pending command goes out all the same, so that this is told last; one that the agent has cannot be told of.
    holds = facts.presence == "unknown" if facts.status == "pending" else facts.accepted_at is not None
    return {"since": facts.presence_since} if holds else None


CAUSES = (
    Cause(
        "client_never_seen",
        {"pending": 60, "queued": 60},
        _never_seen,
        en=(
            "The client has never connected. Start its agent; on that machine, `floorhub-agent doctor` names the "
            "problem."
        ),
        ko=(
            "클라이언트가 한 번도 접속하지 않았습니다. 에이전트를 시작하고, 그 PC에서 `floorhub-agent doctor`로 "
            "원인을 확인하십시오."
        ),
    ),
    Cause(
        "client_fenced",
        {"pending": 70, "queued": 70},
        _fenced,
        en=(
            "Two machines use this client's identity, so dispatch to it is stopped. Remove one of the "
            "two, then run `floorhub client unfence`."
        ),
        ko=(
            "두 기기가 같은 클라이언트 ID를 사용해 전송이 중지되었습니다. 한 대를 제거하고 `floorhub "
            "client unfence`를 실행하십시오."
        ),
    ),
    Cause(
        "client_offline",
        {"pending": 90, "queued": 90},
        _offline,
        en=(
            "The client has been offline since {since}. Check its power, network and agent; the command continues when "
            "the client returns."
        ),
        ko=(
            "클라이언트가 {since}부터 오프라인입니다. 전원, 네트워크, 에이전트를 확인하십시오. 돌아오면 자동으로 "
            "계속됩니다."
        ),
    ),
    Cause(
        "keys_refused",
        {"pending": 92, "queued": 92},
        _distrusts,
        en=(
            "The client refuses the messages of this hub ({reason}). Compare the client's root_key with the root key "
            "that `floorhub key show` shows. If they agree, check the database's clock and restart the hub: when the "
            "hub starts, it signs a newer list of keys."
        ),
        ko=(
            "클라이언트가 이 허브의 서명을 거부합니다({reason}). 클라이언트의 root_key와 `floorhub key show`의 root 행"
            "을 비교하십시오. 같으면 데이터베이스의 시계를 확인하고 허브를 다시 시작하십시오. 허브는 시작할 때 새 키 "
            "목록에 서명합니다."
        ),
    ),
    Cause(
        "client_unconfirmed",
        {"pending": 95},
        _unconfirmed,
        en=(
            "The client connected at {since} with a new journal, and the agent has not confirmed this journal yet. "
            "Until the agent confirms it, the hub hands out nothing to this client. Agents usually confirm at once; "
            "if this lasts, check the agent's log."
        ),
        ko=(
            "클라이언트가 {since}에 새 저널로 접속했고, 에이전트가 아직 이 저널을 승인하지 않았습니다. 승인하기 전에는 "
            "허브가 아무것도 보내지 않습니다. 에이전트는 보통 바로 승인합니다. 계속되면 에이전트 로그를 확인하십시오."
        ),
    ),
    Cause(
        "client_unknown",
        {"pending": 140, "queued": 100},
        _unknown,
        en=(
            "Since {since} the hub does not know whether the client is alive. The hub is asking the client; if this "
            "lasts, check the machine."
        ),
        ko="{since}부터 클라이언트의 접속 여부를 알 수 없습니다. 허브가 확인하고 있으며, 계속되면 기기를 확인하십시오.",
    ),
)
