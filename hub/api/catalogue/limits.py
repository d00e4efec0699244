"""Errors of limits of requests, and of requests that come too late or again."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "too_many_requests": Entry(
        429,
        "RATE_LIMIT",
        "You have sent more than {limit} requests within a minute: wait {retry_after_s} seconds. The administrator of "
        "the hub can raise the limit ({setting}).",
        "1분 동안 요청을 {limit}개 넘게 보냈습니다. {retry_after_s}초 뒤에 다시 보내십시오. 허브 관리자가 한도"
        "({setting})를 높일 수 있습니다.",
    ),
    "too_many_waiting": Entry(
        429,
        "RATE_LIMIT",
        "Too many of your requests wait at the same time: send fewer at once. Nothing was stored.",
        "동시에 기다리는 요청이 너무 많습니다. 한 번에 더 적게 보내십시오. 저장된 것은 없습니다.",
    ),
    "timestamp_expired": Entry(
        401,
        "REQUEST_EXPIRED",
        "X-Request-Timestamp is more than 5 minutes away from the hub's time, {now}: set the clock of your machine, "
        "and send each request with the time of sending.",
        "X-Request-Timestamp가 허브의 시각 {now}에서 5분 넘게 벗어났습니다. 컴퓨터의 시계를 맞추고 보내는 시각을 넣어 "
        "다시 보내십시오.",
    ),
    "nonce_used": Entry(
        401,
        "REQUEST_EXPIRED",
        "An earlier request had the same X-Request-Nonce: use a new nonce for each request, even if you repeat a "
        "request.",
        "같은 X-Request-Nonce를 쓴 요청이 이미 있습니다. 다시 보내는 요청에도 매번 새 값을 넣으십시오.",
    ),
    "timestamp_required": Entry(
        401,
        "REQUEST_EXPIRED",
        "This hub accepts requests of integrations only with X-Request-Timestamp and X-Request-Nonce: send both.",
        "이 허브는 연동 프로그램의 요청에 X-Request-Timestamp와 X-Request-Nonce를 요구합니다. 둘 다 보내십시오.",
    ),
}
