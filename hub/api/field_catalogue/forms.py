"""How the values of fields are written: ids, names, times, numbers, keys."""

from collections.abc import Mapping

from hub.api.field_catalogue.sentence import Sentence

SENTENCES: Mapping[str, Sentence] = {
    "slug": Sentence(
        "must be 1 to 63 characters from a-z, 0-9 and '-', starting with a letter or digit",
        "a-z, 0-9, '-'로 된 1~63자여야 하며 첫 글자는 영문 소문자나 숫자여야 합니다.",
    ),
    "action_name": Sentence(
        "must be 1 to 63 characters from a-z, 0-9, '_' and '-', starting with a letter",
        "a-z, 0-9, '_', '-'로 된 1~63자여야 하며 첫 글자는 영문 소문자여야 합니다.",
    ),
    "error_code": Sentence(
        "must be 1 to 64 characters from a-z, 0-9 and '_', starting with a letter",
        "a-z, 0-9, '_'로 된 1~64자여야 하며 첫 글자는 영문 소문자여야 합니다.",
    ),
    "session_name": Sentence(
        "must be 1 to 50 characters from A-Z, a-z, 0-9, '.', '_' and '-'",
        "A-Z, a-z, 0-9, '.', '_', '-'로 된 1~50자여야 합니다.",
    ),
    "own_client_id": Sentence(
        "must be 1 to 63 letters, digits and '-', starting with a letter or digit",
        "영문자, 숫자, '-'로 된 1~63자여야 하며 첫 글자는 영문자나 숫자여야 합니다.",
    ),
    "run_id": Sentence(
        "must be the id of a command, or the id in its event `command`",
        "명령의 id이거나 `command` 이벤트에 들어 있는 id여야 합니다.",
    ),
    "download_token": Sentence(
        "must be copied unchanged from `pdfUrl` in the event `command`",
        "`command` 이벤트의 `pdfUrl`에 있는 값과 똑같아야 합니다.",
    ),
    "upload_token": Sentence(
        "must be a path from the hub: request one with POST /api/commands/{{command_id}}/uploads",
        "허브가 발급한 경로여야 합니다. POST /api/commands/{{command_id}}/uploads로 요청하십시오.",
    ),
    "idempotency_key": Sentence(
        "must be 1 to 200 visible ASCII characters without spaces",
        "공백이 없고 눈에 보이는 ASCII 문자 1~200자여야 합니다.",
    ),
    "traceparent": Sentence(
        "must be a W3C trace context: 0-9, a-f and '-'", "W3C trace context여야 합니다(0-9, a-f, '-')."
    ),
    "no_nul": Sentence("must not be empty or contain NUL", "비어 있으면 안 되며 NUL을 포함할 수 없습니다."),
    "printable": Sentence("must be printable ASCII", "인쇄 가능한 ASCII여야 합니다."),
    "sha256": Sentence("must be 64 hexadecimal digits", "16진수 64자여야 합니다."),
    "pattern": Sentence("must match the pattern {pattern}", "{pattern} 패턴과 일치해야 합니다."),
    "uuid": Sentence(
        "must be an id, such as 0193b3c0-0000-7000-8000-000000000000",
        "0193b3c0-0000-7000-8000-000000000000 같은 id여야 합니다.",
    ),
    "time": Sentence(
        "must be an ISO 8601 time with its zone, such as 2026-11-21T08:00:00Z",
        "2026-11-21T08:00:00Z처럼 시간대가 있는 ISO 8601 시각이어야 합니다.",
    ),
    "year": Sentence("must be between the years {first} and {last}", "{first}년에서 {last}년 사이여야 합니다."),
    "whole_number": Sentence("must be a whole number in digits, such as 50", "50처럼 숫자로 쓴 정수여야 합니다."),
    "decimal_number": Sentence("must be a number in digits, such as 30 or 0.5", "30이나 0.5처럼 숫자로 써야 합니다."),
    "true_or_false": Sentence("must be true or false", "true 또는 false여야 합니다."),
    "query_coding": Sentence("must be percent-encoded UTF-8", "퍼센트 인코딩된 UTF-8이어야 합니다."),
    "cursor": Sentence(
        "must be a next_cursor of this list: start again without a cursor",
        "이 목록의 next_cursor여야 합니다. cursor 없이 처음부터 다시 요청하십시오.",
    ),
    "request_timestamp": Sentence(
        "must be the time of sending: seconds or milliseconds since 1970, or ISO 8601 with an offset",
        "보내는 시각이어야 합니다. 1970년부터의 초나 밀리초, 또는 시간대가 있는 ISO 8601로 쓰십시오.",
    ),
    "request_nonce": Sentence(
        "must be 1 to {most} visible ASCII characters", "눈에 보이는 ASCII 문자 1~{most}자여야 합니다."
    ),
    "six_digits": Sentence("must be six digits", "숫자 6자리여야 합니다."),
    "base64url_43": Sentence(
        "must be 32 bytes in base64url without padding: 43 characters",
        "패딩 없는 base64url로 쓴 32바이트(43자)여야 합니다.",
    ),
    "base64url_86": Sentence(
        "must be 64 bytes in base64url without padding: 86 characters",
        "패딩 없는 base64url로 쓴 64바이트(86자)여야 합니다.",
    ),
    "utc_time": Sentence(
        "must be a time in UTC such as 2026-11-30T08:00:00.123Z",
        "2026-11-30T08:00:00.123Z 같은 UTC 시각이어야 합니다.",
    ),
}

PATTERNS: Mapping[str, str] = {
    r"^[a-z0-9][a-z0-9-]{0,62}$": "slug",
    r"^[a-z][a-z0-9_-]{0,62}$": "action_name",
    r"^[a-z][a-z0-9_]{0,63}$": "error_code",
    r"^[A-Za-z0-9._-]{1,50}$": "session_name",
    r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$": "own_client_id",
    r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:\.[1-9][0-9]{0,3})?$": "run_id",
    r"^[A-Za-z0-9_.-]+$": "download_token",
    r"^[A-Za-z0-9_-]+$": "upload_token",
    r"^[\x21-\x7e]+$": "idempotency_key",
    r"^[0-9a-f-]+$": "traceparent",
    r"^[^\x00]+$": "no_nul",
    r"^[^\x00-\x1f/\\]+$": "file_name",
    r"^[\x20-\x7e]*$": "printable",
    r"^[a-z0-9-]+$": "cursor",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": "media_size",
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "tray",
    r"^-?[0-9]+(-[0-9]*)?( *, *-?[0-9]+(-[0-9]*)?){0,99}$": "page_ranges",
    r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*( *;[ -~]*)?$": "media_type",
    r"^[0-9a-f]{64}$": "sha256",
    r"^[0-9A-Fa-f:./]+$": "network",
    r"^[0-9]{1,9}[smhd]$": "duration",
    r"^\d{6}$": "six_digits",
    r"^[A-Za-z0-9_-]{43}$": "base64url_43",
    r"^([A-Za-z0-9_-]{43})?$": "base64url_43",
    r"^fhc_[0-9A-Za-z]{49}$": "client_secret",
    r"^[A-Za-z0-9_-]{86}$": "base64url_86",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$": "utc_time",
}
"""What the patterns of fields mean to people. A test holds that none is left out."""
