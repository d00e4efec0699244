"""Errors of the audit trail."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "audit_row_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no row {id} in the audit trail.",
        "감사 기록에 {id}번 행이 없습니다.",
    ),
    "audit_verification_long": Entry(
        409,
        "CONFLICT",
        "The audit trail takes longer than {seconds} s to verify: run `floorhub audit verify --offline` on the hub's "
        "host.",
        "감사 기록을 확인하는 데 {seconds}초가 넘게 걸립니다. 허브의 호스트에서 `floorhub audit verify --offline`을 "
        "실행하십시오.",
    ),
    "audit_person_active": Entry(
        409,
        "CONFLICT",
        "{name} is still active: disable the user or integration first, then erase the data.",
        "{name}이(가) 아직 활성 상태입니다. 먼저 비활성화한 다음 데이터를 지우십시오.",
    ),
    "audit_person_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no such user or integration.",
        "그런 사용자나 연동이 없습니다.",
    ),
}
