"""Errors of HTTP itself: how a request is written, and paths that there are not."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "validation_error": Entry(
        422,
        "VALIDATION_ERROR",
        "Some fields of the request are invalid: correct those that `errors` lists and send it again.",
        "요청의 필드가 올바르지 않습니다. `errors`에 적힌 항목을 고쳐 다시 보내십시오.",
    ),
    "bad_json": Entry(
        400,
        "VALIDATION_ERROR",
        "The body is not JSON: send a JSON object in UTF-8.",
        "본문이 JSON이 아닙니다. UTF-8 JSON 객체를 보내십시오.",
    ),
    "bad_request": Entry(
        400,
        "VALIDATION_ERROR",
        "This is not HTTP, or the request is ambiguous: correct the program that sends it. The connection is closed.",
        "올바른 HTTP 요청이 아니거나 여러 가지로 해석될 수 있습니다. 요청을 보내는 프로그램을 고치십시오. 연결을 "
        "닫습니다.",
    ),
    "target_not_encoded": Entry(
        400,
        "VALIDATION_ERROR",
        "The address of the request has a character that must be percent-encoded, such as a space or a letter outside "
        "ASCII. Write its UTF-8 bytes as %XX: a space is `%20`, an e with an acute accent is `%C3%A9` (curl: `--get "
        "--data-urlencode`). The connection is closed.",
        "요청 주소에 퍼센트 인코딩해야 하는 문자(공백, 한글 등)가 그대로 있습니다. "
        "그 문자의 UTF-8 바이트를 %XX로 쓰십시오. 공백은 `%20`, `주문`은 `%EC%A3%BC%EB%AC%B8`입니다"
        "(curl: `--get --data-urlencode`). 연결을 닫습니다.",
    ),
    "wrong_host": Entry(
        400,
        "VALIDATION_ERROR",
        "The request needs exactly one header `Host`, with a host name or address. The connection is closed.",
        "`Host` 헤더는 호스트 이름이나 주소로 정확히 하나만 보내야 합니다. 연결을 닫습니다.",
    ),
    "unknown_host": Entry(
        421,
        "NOT_FOUND",
        "The hub does not answer for the host {host}: call it by its own name or address, or add this name to "
        "FLOORHUB_HOSTS.",
        "허브는 {host} 호스트의 요청에 답하지 않습니다. 허브의 이름이나 주소로 요청하거나 이 이름을 FLOORHUB_HOSTS에 "
        "추가하십시오.",
    ),
    "head_too_long": Entry(
        431,
        "VALIDATION_ERROR",
        "The request line and headers are longer than 64 KiB: send shorter ones. The connection is closed.",
        "요청 줄과 헤더가 64 KiB를 넘습니다. 줄여서 다시 보내십시오. 연결을 닫습니다.",
    ),
    "transfer_coding": Entry(
        501,
        "VALIDATION_ERROR",
        "`Transfer-Encoding` can only be `chunked`: send the body unencoded, with `Content-Length` or in chunks.",
        "`Transfer-Encoding`은 `chunked`만 지원합니다. 본문을 그대로, 길이와 함께 또는 chunked로 보내십시오.",
    ),
    "http_version": Entry(
        505,
        "VALIDATION_ERROR",
        "The hub speaks HTTP/1.1 and HTTP/1.0: use one of them, or a proxy that translates.",
        "허브는 HTTP/1.1과 HTTP/1.0만 지원합니다. 이 버전을 쓰거나 변환하는 프록시를 두십시오.",
    ),
    "no_tunnel": Entry(
        405,
        "NOT_FOUND",
        "The hub is not a proxy: request one of its own paths, see /docs.",
        "허브는 프록시가 아닙니다. 허브의 경로를 요청하십시오. /docs를 확인하십시오.",
    ),
    "unsupported_media_type": Entry(
        415,
        "VALIDATION_ERROR",
        "The body has the type {media_type}: send JSON with `Content-Type: application/json`.",
        "본문 형식이 {media_type}입니다. `Content-Type: application/json`으로 JSON을 보내십시오.",
    ),
    "body_too_large": Entry(
        413,
        "VALIDATION_ERROR",
        "The body is larger than 1 MiB: upload large files with POST /api/documents.",
        "본문이 1 MiB를 넘습니다. 큰 파일은 POST /api/documents로 올리십시오.",
    ),
    "upload_stalled": Entry(
        408,
        "TIMEOUT",
        "The transfer of the body stopped: check the connection and send it again.",
        "본문 전송이 중단되었습니다. 연결 상태를 확인하고 다시 보내십시오.",
    ),
    "not_found": Entry(
        404,
        "NOT_FOUND",
        "This path does not exist: see /docs for all paths.",
        "없는 경로입니다. /docs에서 경로를 확인하십시오.",
    ),
    "method_not_allowed": Entry(
        405,
        "NOT_FOUND",
        "This path does not support this method: see /docs.",
        "이 경로에서 지원하지 않는 메서드입니다. /docs를 확인하십시오.",
    ),
    "live_feed_missing": Entry(
        404,
        "NOT_FOUND",
        "This path is reserved for the live feed of events, which this hub does not have yet. A client gets its "
        "commands "
        "from GET /api/events/ and its own id; other programs poll GET /api/commands, or post with `wait`.",
        "이 경로는 실시간 이벤트 피드용으로 예약되어 있으며, 이 허브에는 아직 없습니다. "
        "클라이언트는 GET /api/events/ 뒤에 자신의 id를 붙여 명령을 받으십시오. "
        "다른 프로그램은 GET /api/commands를 조회하거나 명령을 보낼 때 `wait`를 붙이십시오.",
    ),
}
