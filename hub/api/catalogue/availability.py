"""Errors of a hub that cannot answer now."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "overloaded": Entry(
        503,
        "UNAVAILABLE",
        "The hub has more requests than it can handle: try again shortly. Nothing was stored.",
        "허브에 요청이 너무 많습니다. 잠시 후 다시 시도하십시오. 저장된 것은 없습니다.",
    ),
    "stopping": Entry(
        503,
        "UNAVAILABLE",
        "The hub is stopping: try again shortly. Nothing was stored.",
        "허브가 종료 중입니다. 잠시 후 다시 시도하십시오. 저장된 것은 없습니다.",
    ),
    "stopped": Entry(
        503,
        "UNAVAILABLE",
        "The hub stopped before it could answer. Perhaps the hub has stored the request: check whether it has, or send "
        "the request again, with the same Idempotency-Key if you sent one.",
        "허브가 응답하기 전에 종료되었습니다. 요청이 저장되었을 수 있습니다. 확인하거나 다시 보내십시오. "
        "Idempotency-Key를 보냈다면 같은 키로 보내십시오.",
    ),
    "try_again": Entry(
        503,
        "UNAVAILABLE",
        "Another request with the same key has just failed: send your request again.",
        "같은 키의 다른 요청이 방금 실패했습니다. 다시 보내십시오.",
    ),
    "database_busy": Entry(
        503,
        "UNAVAILABLE",
        "All database connections are in use: try again shortly.",
        "데이터베이스 연결이 모두 사용 중입니다. 잠시 후 다시 시도하십시오.",
    ),
    "database_unavailable": Entry(
        503,
        "UNAVAILABLE",
        "The database does not answer. If you sent an Idempotency-Key, send the request again with the same key.",
        "데이터베이스가 응답하지 않습니다. Idempotency-Key를 보냈다면 같은 키로 다시 보내십시오.",
    ),
    "storage_full": Entry(
        507,
        "UNAVAILABLE",
        "The hub's disk is nearly full: documents are refused, commands continue. Free space, then send the document "
        "again.",
        "허브 디스크가 거의 가득 차 문서를 받지 않습니다. 명령은 계속됩니다. 공간을 확보한 뒤 다시 보내십시오.",
    ),
    "internal_error": Entry(
        500,
        "INTERNAL_ERROR",
        "An internal error occurred in the hub: look for the request id {request_id} in the hub's log.",
        "허브 내부 오류입니다. 로그에서 요청 id {request_id}을(를) 확인하십시오.",
    ),
}
