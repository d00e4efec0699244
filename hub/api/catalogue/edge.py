"""Errors that the edge answers before or instead of the hub."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "websocket_needed": Entry(
        426,
        "VALIDATION_ERROR",
        "/mqtt is for MQTT over WebSocket: connect with an MQTT client, by GET and HTTP/1.1, with the sub-protocol "
        "`mqtt`.",
        "/mqtt는 WebSocket을 통한 MQTT 전용입니다. MQTT 클라이언트로 접속하십시오(GET, HTTP/1.1, 하위 프로토콜 "
        "`mqtt`).",
    ),
    "https_only": Entry(
        400,
        "VALIDATION_ERROR",
        "This port speaks HTTPS: begin the address with https://.",
        "이 포트는 HTTPS만 받습니다. 주소를 https://로 시작하십시오.",
    ),
    "page_origin_refused": Entry(
        403,
        "FORBIDDEN",
        "Pages of {origin} are not allowed to connect to /mqtt: open a page of this hub, or add the origin to "
        "FLOORHUB_CORS_ORIGINS if you trust it.",
        "{origin} 페이지에서는 /mqtt에 접속할 수 없습니다. 이 허브의 페이지를 열거나, 믿을 수 있는 출처라면 "
        "FLOORHUB_CORS_ORIGINS에 추가하십시오.",
    ),
    "hub_unreachable": Entry(
        503,
        "INTERNAL_ERROR",
        "The hub is not running, or is starting: try again in a moment. Nothing was done.",
        "허브가 실행 중이 아니거나 시작하는 중입니다. 잠시 뒤에 다시 시도하십시오. 처리된 것은 없습니다.",
    ),
    "hub_no_answer": Entry(
        502,
        "INTERNAL_ERROR",
        "The hub stopped before it answered. Perhaps the hub has already done what the request asked for: check this "
        "first, or send the request again with the same Idempotency-Key.",
        "허브가 답하기 전에 멈췄으며 요청이 처리되었을 수 있습니다. 먼저 확인하거나, 같은 Idempotency-Key로 다시 "
        "보내십시오.",
    ),
}
