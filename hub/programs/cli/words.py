"""Words for codes of the API, in Korean: statuses, presence, states and reasons of printers. The code stays beside its
word: it is what filters, programs and documents say."""

from collections.abc import Mapping
from typing import Any

from hub.programs.cli.output import korean

STATUSES = {
    "pending": "대기 중",
    "queued": "배정됨",
    "running": "실행 중",
    "completed": "완료",
    "failed": "실패",
    "cancelled": "취소됨",
    "expired": "만료",
    "unknown": "결과 불명",
    "rejected": "거부됨",
}
"""Of commands."""
BATCHES = {"running": "진행 중", "paused": "일시 정지", "cancelled": "취소됨", "finished": "끝남"}
CLIENTS = {"active": "사용 중", "disabled": "사용 중지", "retired": "폐기됨"}
PRESENCE = {"online": "온라인", "offline": "오프라인", "unknown": "확인 안 됨"}
WHY_PRESENT = {
    "birth": "접속",
    "heartbeat": "응답 확인",
    "never_seen": "접속한 적 없음",
    "stopped": "종료됨",
    "asleep": "절전",
    "connection_lost": "연결 끊김",
    "no_heartbeat": "응답 없음",
    "silent": "응답 없음",
    "silent_at_roll_call": "응답 없음",
    "secret_rotated": "비밀 값 교체됨",
    "disabled": "사용 중지됨",
    "enabled": "사용 재개됨",
    "retired": "폐기됨",
    "another_session": "다른 세션",
}
PRINTERS = {
    "idle": "대기",
    "processing": "인쇄 중",
    "stopped": "멈춤",
    "unreachable": "연결 안 됨",
    "unknown": "알 수 없음",
}
REASONS = {
    "cover-open": "덮개 열림",
    "door-open": "문 열림",
    "input-tray-missing": "용지함 없음",
    "interlock-open": "안전 장치 열림",
    "marker-supply-empty": "소모품 없음",
    "marker-supply-low": "소모품 부족",
    "media-empty": "용지 없음",
    "media-jam": "용지 걸림",
    "media-low": "용지 부족",
    "media-needed": "용지 필요",
    "output-area-almost-full": "출력함 거의 가득 참",
    "output-area-full": "출력함 가득 참",
    "output-tray-missing": "출력함 없음",
    "paused": "일시 정지됨",
    "printer-not-reading": "프린터가 데이터를 받지 않음",
    "printer-stopped": "프린터 멈춤",
    "printer-unreachable": "프린터에 연결되지 않음",
    "delay": "지정한 시간 대기",
    "document-pending": "문서를 받는 중",
    "printer-busy": "프린터가 다른 작업을 인쇄 중",
    "toner-empty": "토너 없음",
    "toner-low": "토너 부족",
}
"""What printers wait for; IPP's suffixes (-error, -warning, -report) do not count."""
NEED_NOBODY = frozenset({"delay", "document-pending", "printer-busy"})
"""Reasons of a held command that end without anybody's help."""
_SUFFIXES = ("-error", "-warning", "-report")


def word(kind: Mapping[str, str], code: Any) -> str:
    """A code as a person reads it: in Korean its word with the code behind, else the code."""
    text = "" if code is None else str(code)
    return f"{kind[text]}({text})" if korean() and text in kind else text


def reason(code: Any) -> str:
    """A reason of a printer as a person reads it."""
    return in_korean(str(code)) if korean() else str(code)


def needs_somebody(reasons: Any) -> bool:
    """Whether somebody must do something about what a held command waits for."""
    return not isinstance(reasons, list) or not reasons or not NEED_NOBODY.issuperset(map(str, reasons))


def plain_reason(code: str) -> str:
    """A reason without how severe it is."""
    for suffix in _SUFFIXES:
        code = code.removesuffix(suffix)
    return code


def in_korean(code: str) -> str:
    """A reason in Korean, with its code behind."""
    plain = plain_reason(code)
    return f"{REASONS[plain]}({code})" if plain in REASONS else code


def presence(client: Mapping[str, Any]) -> str:
    """Whether a client is connected, and the reason."""
    code, why = client["presence"], why_present(client["presence_reason"])
    return f"{word(PRESENCE, code)}, {why}" if korean() else f"{code} ({why})"


def why_present(code: Any) -> str:
    """The reason of a client's presence."""
    return word(WHY_PRESENT, code)


def client_status(client: Mapping[str, Any]) -> str:
    """Whether a client may connect, and whether dispatch to it is stopped."""
    status = word(CLIENTS, client["status"])
    if not client["fenced"]:
        return status
    return f"{status}, 전달 중단(fenced)" if korean() else f"{status}, fenced"
