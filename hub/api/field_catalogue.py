"""The one table of what can be wrong with a field: its code, and what to do, in English and Korean.

A sentence follows the field's name: `payload.copies: must be at least 1`. What libraries say is told apart by
`of_validation`, so that every field is spoken of in one voice, whoever looked at it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from hub.errors import FieldProblem
from schemas.closeness import nearest


class Sentence(NamedTuple):
    """What is wrong and what to do; `{names}` are filled from the problem's params."""

    en: str
    ko: str


FIELDS: Mapping[str, Sentence] = {
    # --- whether it is there, and of which type ---
    "missing": Sentence("is missing: add it", "필수 항목입니다. 추가하십시오."),
    "missing_without_bearer": Sentence(
        "is missing: add it; only a client that shows its secret as a bearer key may leave it out",
        "필수 항목입니다. 추가하십시오. 비밀 값을 bearer 키로 보내는 클라이언트만 생략할 수 있습니다.",
    ),
    "unknown_field": Sentence(
        "is not a field of this object: remove it, or look up the fields in /docs",
        "이 객체에 없는 필드입니다. 빼거나 /docs에서 필드를 확인하십시오.",
    ),
    "unknown_parameter": Sentence(
        "is not a parameter of this path: remove it; the path takes: {names}",
        "이 경로에 없는 매개변수입니다. 빼십시오. 사용할 수 있는 매개변수: {names}.",
    ),
    "type": Sentence("must be {kinds}", "{kinds} 값이어야 합니다."),
    "no_null": Sentence(
        "cannot be null: leave it out to keep the current value", "null일 수 없습니다. 바꾸지 않으려면 빼십시오."
    ),
    "repeated": Sentence("is sent more than once: send it once", "두 번 이상 있습니다. 한 번만 보내십시오."),
    "empty": Sentence("is empty: send a value, or leave it out", "비어 있습니다. 값을 넣거나 빼십시오."),
    "choice": Sentence("must be one of: {choices}", "다음 중 하나여야 합니다: {choices}."),
    # --- limits ---
    "at_least": Sentence("must be at least {limit}", "{limit} 이상이어야 합니다."),
    "at_most": Sentence("must be at most {limit}", "{limit} 이하여야 합니다."),
    "more_than": Sentence("must be more than {limit}", "{limit}보다 커야 합니다."),
    "less_than": Sentence("must be less than {limit}", "{limit}보다 작아야 합니다."),
    "too_short": Sentence("must have {limit} or more characters", "{limit}자 이상이어야 합니다."),
    "too_long": Sentence("must have {limit} or fewer characters", "{limit}자 이하여야 합니다."),
    "too_few": Sentence("must have {limit} or more entries", "항목이 {limit}개 이상이어야 합니다."),
    "too_many": Sentence("must have {limit} or fewer entries", "항목이 {limit}개 이하여야 합니다."),
    # --- how it is written ---
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
    "login": Sentence(
        "must be 1 to 64 characters from a-z, 0-9 and '._@+-', starting with a letter or digit",
        "a-z, 0-9, '._@+-'로 된 1~64자여야 하며 첫 글자는 영문 소문자나 숫자여야 합니다.",
    ),
    "password_too_short": Sentence(
        "must have {limit} or more characters: several words are easy to keep in mind",
        "{limit}자 이상이어야 합니다. 여러 단어를 이어 쓰면 기억하기 쉽습니다.",
    ),
    "password_too_long": Sentence("must have {limit} or fewer characters", "{limit}자 이하여야 합니다."),
    "password_too_common": Sentence(
        "is one of the passwords that attackers try first: choose another one",
        "공격자가 가장 먼저 시도하는 비밀번호 가운데 하나입니다. 다른 비밀번호를 고르십시오.",
    ),
    "password_like_login": Sentence(
        "must not be the login: choose another one", "로그인 이름과 같을 수 없습니다. 다른 비밀번호를 고르십시오."
    ),
    "administrator_reach": Sentence(
        "must be `all` for the role admin: an administrator reaches all clients",
        "역할이 admin이면 `all`이어야 합니다. 관리자는 모든 클라이언트에 접근합니다.",
    ),
    "no_nul": Sentence("must not be empty or contain NUL", "비어 있으면 안 되며 NUL을 포함할 수 없습니다."),
    "file_name": Sentence(
        "must be a file name without folders, such as label.pdf", "label.pdf처럼 폴더 없는 파일 이름이어야 합니다."
    ),
    "printable": Sentence("must be printable ASCII", "인쇄 가능한 ASCII여야 합니다."),
    "media_size": Sentence(
        "must be a size such as a4 or iso_a4_210x297mm", "a4 또는 iso_a4_210x297mm 같은 용지 크기여야 합니다."
    ),
    "tray": Sentence(
        "must be the name that the printer uses for the tray, such as tray-1",
        "tray-1처럼 프린터가 쓰는 용지함 이름이어야 합니다.",
    ),
    "page_ranges": Sentence(
        "must be pages and ranges of pages in ascending order, such as 1-3,5,8-",
        "1-3,5,8-처럼 오름차순의 쪽 번호와 범위여야 합니다.",
    ),
    "media_type": Sentence(
        "must be a media type such as application/pdf", "application/pdf 같은 미디어 타입이어야 합니다."
    ),
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
    # --- what can be stored ---
    "unstorable": Sentence(
        "contains NUL or a broken character, which cannot be stored: remove it",
        "저장할 수 없는 NUL이나 깨진 문자가 있습니다. 지우십시오.",
    ),
    "too_deep": Sentence(
        "is nested deeper than {limit} levels: make it flatter",
        "{limit}단계보다 깊게 중첩되었습니다. 단계를 줄이십시오.",
    ),
    "not_finite": Sentence("must be a finite number", "JSON에서 쓸 수 있는 유한한 수여야 합니다."),
    "beyond_64_bits": Sentence("is beyond 64 bits: send it as text", "64비트를 넘습니다. 문자열로 보내십시오."),
    # --- what does not go together ---
    "nothing_to_change": Sentence(
        "changes nothing: send at least one of {names}", "바꿀 내용이 없습니다. {names} 중 하나 이상을 보내십시오."
    ),
    "one_of": Sentence("must have exactly one of {names}", "{names} 중 정확히 하나가 있어야 합니다."),
    "at_most_one_of": Sentence("must have at most one of {names}", "{names} 중 최대 하나만 보낼 수 있습니다."),
    "any_of": Sentence("must have at least one of {names}", "{names} 중 하나 이상이 있어야 합니다."),
    "goes_with": Sentence(
        "can only be used with {name}: add {name}, or leave this out",
        "{name}와(과) 함께만 쓸 수 있습니다. {name}을(를) 추가하거나 이 필드를 빼십시오.",
    ),
    "not_below": Sentence("must not be less than {other}", "{other}보다 작을 수 없습니다."),
    "contradicts": Sentence(
        "contradicts {other}: send only one of them", "{other}와(과) 모순됩니다. 둘 중 하나만 보내십시오."
    ),
    "other_attempt": Sentence(
        "must be {attempt}, like the attempt in the path", "경로에 있는 시도 번호와 같아야 합니다: {attempt}."
    ),
    "empty_period": Sentence(
        "must be before created_before: otherwise nothing can match",
        "created_before보다 앞선 시각이어야 합니다. 그렇지 않으면 조건에 맞는 항목이 없습니다.",
    ),
    "empty_filter": Sentence(
        "can match only commands with status {names}, which other filters exclude: remove this or the other filters",
        "상태가 {names}인 명령에만 맞는 필터인데, 다른 필터가 이 명령을 제외합니다. 이 필터나 다른 필터를 빼십시오.",
    ),
    "target": Sentence(
        "must have clients, or all, or at least one of group, zone and tags",
        "clients나 all 중 하나가 있거나, group, zone, tags 중 하나 이상이 있어야 합니다.",
    ),
    "kind_of_batch": Sentence(
        "must have either target and command, or commands", "target과 command가 함께 있거나, commands가 있어야 합니다."
    ),
    # --- documents ---
    "document_reference": Sentence(
        "must be the id of a document, or an object with either url or path",
        "문서의 id이거나 url, path 중 하나가 있는 객체여야 합니다.",
    ),
    "document_by_id": Sentence(
        "must be the id of a document that was uploaded with POST /api/documents: this request accepts no url or path",
        "POST /api/documents로 올린 문서의 id여야 합니다. 이 요청에는 url이나 path를 쓸 수 없습니다.",
    ),
    "other_document_type": Sentence(
        "does not match the document, which is {content_type}: leave this field out, or upload the right document",
        "문서의 형식 {content_type}와(과) 맞지 않습니다. 이 필드를 빼거나 올바른 문서를 올리십시오.",
    ),
    "request_timestamp": Sentence(
        "must be the time of sending: seconds or milliseconds since 1970, or ISO 8601 with an offset",
        "보내는 시각이어야 합니다. 1970년부터의 초나 밀리초, 또는 시간대가 있는 ISO 8601로 쓰십시오.",
    ),
    "request_nonce": Sentence(
        "must be 1 to {most} visible ASCII characters", "눈에 보이는 ASCII 문자 1~{most}자여야 합니다."
    ),
    "empty_document": Sentence("is empty: send the document's bytes", "비어 있습니다. 문서의 내용을 보내십시오."),
    "payload_too_large": Sentence(
        "is too large: upload large data as a document", "너무 큽니다. 큰 내용은 문서로 올리십시오."
    ),
    "document_not_found": Sentence(
        "names a document that does not exist: upload it first", "없는 문서입니다. 먼저 올리십시오."
    ),
    # --- URLs ---
    "url_too_long": Sentence("must have {limit} or fewer characters", "{limit}자 이하여야 합니다."),
    "url_characters": Sentence(
        "must be printable ASCII: write other characters as %XX, and a host's name in its xn-- form",
        "인쇄 가능한 ASCII여야 합니다. 다른 문자는 %XX로, 호스트 이름은 xn-- 형식으로 쓰십시오.",
    ),
    "url": Sentence(
        "must be a URL with a host, such as https://host/label.pdf", "https://host/label.pdf 같은 URL이어야 합니다."
    ),
    "url_scheme": Sentence(
        "must begin with http:// or https://. Upload a file that is on your own disk; use path for a file on the hub",
        "http:// 또는 https://로 시작해야 합니다. 내 디스크의 파일은 먼저 올리고, 허브의 파일은 path로 지정하십시오.",
    ),
    "url_user": Sentence("must not contain a user or password", "사용자 이름이나 비밀번호를 포함할 수 없습니다."),
    "url_zone": Sentence("must not contain the zone of an IPv6 address", "IPv6 주소의 zone을 포함할 수 없습니다."),
    "url_address": Sentence(
        "must have its IPv4 address as four decimal numbers, such as 192.0.2.1",
        "IPv4 주소를 192.0.2.1처럼 10진수 네 개로 써야 합니다.",
    ),
    # --- access ---
    "no_such_group": Sentence("is not a group: create it first", "없는 그룹입니다. 먼저 만드십시오."),
    "outside_your_reach": Sentence(
        "is outside your reach: a new client must be where your grants and your key reach ({known})",
        "권한이 닿지 않는 곳입니다. 새 클라이언트는 접근 허용과 키의 범위 안에 있어야 합니다({known}).",
    ),
    "kept_by_replace": Sentence(
        "cannot be set with `replace`: the client keeps what it has",
        "`replace`와 함께 쓸 수 없습니다. 클라이언트의 값은 그대로 유지됩니다.",
    ),
    "needed_with": Sentence("is missing: `{other}` needs it", "필수 항목입니다. `{other}`에 필요합니다."),
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
    "naming_rule": Sentence(
        "must have a-z, 0-9, `-` and exactly one of `{{n}}` and `{{host}}`",
        "a-z, 0-9, `-`와 `{{n}}`, `{{host}}` 중 하나로 써야 합니다.",
    ),
    "not_of_role": Sentence(
        "is not a permission of the role {role}. This role has: {names}",
        "역할 {role}에 없는 권한입니다. 이 역할의 권한: {names}.",
    ),
    "role_only_reads": Sentence(
        "must be `read`: the role {role} cannot command", "`read`여야 합니다. 역할 {role}은(는) 명령할 수 없습니다."
    ),
    "network": Sentence(
        "must be an IP address or a network such as 192.0.2.0/24, with all bits after the prefix set to 0",
        "IP 주소나 192.0.2.0/24 같은 네트워크여야 하며, 접두사 뒤의 비트는 0이어야 합니다.",
    ),
    "duration": Sentence("must be a duration such as 30m, 24h or 7d", "30m, 24h, 7d 같은 기간이어야 합니다."),
    "too_many_days": Sentence("must be at most {days} days", "{days}일 이하여야 합니다."),
    "already_past": Sentence("must be in the future", "미래의 시각이어야 합니다."),
    "blank": Sentence(
        "must not begin or end with a space, and must not contain control characters",
        "공백으로 시작하거나 끝날 수 없고, 제어 문자를 포함할 수 없습니다.",
    ),
    # --- clients, batches, schedules ---
    "no_such_client": Sentence(
        "is not a registered client that you may see", "등록된 클라이언트가 아니거나 볼 권한이 없는 클라이언트입니다."
    ),
    "reserved_id": Sentence(
        "is reserved for paths of the API: choose another id", "API 경로에 쓰이는 단어입니다. 다른 id를 고르십시오."
    ),
    "rollout_too_slow": Sentence(
        "would take longer than {days} days: choose a faster pace",
        "{days}일보다 오래 걸립니다. 진행 속도를 더 빠르게 정하십시오.",
    ),
    "relative_expiry": Sentence(
        "cannot be used here: send expires_in_s, which is counted from the time when each command may begin",
        "여기서는 쓸 수 없습니다. 대신 expires_in_s를 쓰십시오. 이 값은 각 명령이 시작할 수 있는 시각부터 셉니다.",
    ),
    "schedule_decides": Sentence(
        "cannot be used here: the schedule decides the time", "여기서는 쓸 수 없습니다. 시각은 예약이 정합니다."
    ),
    "cron": Sentence(
        "must be five fields (minute, hour, day of month, month, day of week), such as 0 7 * * 1-5",
        "0 7 * * 1-5처럼 분, 시, 일, 월, 요일의 다섯 필드여야 합니다.",
    ),
    "cron_field": Sentence(
        "has an invalid {name}, or one that no time ever matches: write it as in 0 7 * * 1-5",
        "{name} 필드가 올바르지 않거나, 이 필드에 맞는 시각이 절대 오지 않습니다. 0 7 * * 1-5처럼 쓰십시오.",
    ),
    "cron_never": Sentence(
        "can never match a time: change it", "이 식에 맞는 시각은 절대 오지 않습니다. 식을 고치십시오."
    ),
    "time_zone": Sentence(
        "must be an IANA time zone such as Asia/Seoul, or UTC", "Asia/Seoul 같은 IANA 시간대 또는 UTC여야 합니다."
    ),
    "refused": Sentence("is invalid: {reason}", "올바르지 않습니다: {reason}"),
}

KINDS: Mapping[str, Sentence] = {
    "text": Sentence("text", "문자열"),
    "integer": Sentence("a whole number", "정수"),
    "number": Sentence("a number", "숫자"),
    "boolean": Sentence("true or false", "true 또는 false"),
    "object": Sentence("an object", "객체"),
    "list": Sentence("a list", "배열"),
    "null": Sentence("null", "null"),
}
"""JSON types, as the sentence `type` names them."""

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
    r"^[A-Za-z0-9_-]{86}$": "base64url_86",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$": "utc_time",
}
"""What the patterns of fields mean to people. A test holds that none is left out."""

_LIBRARY: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "missing": ("missing", {}),
    "extra_forbidden": ("unknown_field", {}),
    "greater_than_equal": ("at_least", {"limit": "ge"}),
    "greater_than": ("more_than", {"limit": "gt"}),
    "less_than_equal": ("at_most", {"limit": "le"}),
    "less_than": ("less_than", {"limit": "lt"}),
    "string_too_short": ("too_short", {"limit": "min_length"}),
    "string_too_long": ("too_long", {"limit": "max_length"}),
    "too_short": ("too_few", {"limit": "min_length"}),
    "too_long": ("too_many", {"limit": "max_length"}),
    "finite_number": ("not_finite", {}),
    "int_parsing_size": ("beyond_64_bits", {}),
    "timezone_aware": ("time", {}),
    "timezone_naive": ("time", {}),
}
"""Pydantic's names of errors: the code, and where its params are in the context."""
_LIBRARY_TYPES: Mapping[str, str] = {
    "string": "text",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "list",
    "dict": "object",
    "model": "object",
    "none": "null",
}
_OF_THE_CONTRACT: Mapping[re.Pattern[str], tuple[str, Mapping[str, Any]]] = {
    re.compile(r"(?:it|\S+) contradicts (?P<other>[^;:]+)[;:] .*give only one of them"): ("contradicts", {}),
    re.compile(r"give page numbers and ranges in ascending order.*"): ("page_ranges", {}),
    re.compile(r"give the id of a document, or either url or path, as a string"): ("document_reference", {}),
    re.compile(r"there is no such option"): ("unknown_field", {}),
    re.compile(r"it has half of a character, which cannot be stored"): ("unstorable", {}),
    re.compile(r"give an object, such as .*"): ("type", {"kinds": ("object",)}),
    re.compile(r"give true, false, long or short"): ("choice", {"choices": ("true", "false", "long", "short")}),
}
MEANT = "meant"
"""The param of `unknown_field` with the field that was probably meant."""
FORMS = ("<full>", "<simple>")
"""What a place begins with that is in a body of several forms: it says which one, and is no part of the path."""
_OURS = "floorhub."
"""What the library's name of an error of ours begins with."""
_LIBRARY_FORMS: Mapping[str, str] = {"uuid": "uuid", "datetime": "time", "date": "time", "time": "time"}


def field_sentence(problem: FieldProblem, *, korean: bool) -> str:
    """What is wrong with a field and what to do. Foreign text in it is cut."""
    found = FIELDS.get(problem.code, FIELDS["refused"])
    params = {"reason": problem.code} | {name: _shown(value) for name, value in problem.params.items()}
    if "kinds" in params:
        named = [KINDS[kind][korean] for kind in problem.params["kinds"]]
        params["kinds"] = (" 또는 " if korean else " or ").join(named)
    sentence = (found.ko if korean else found.en).format(**params)
    if meant := problem.params.get(MEANT):
        return f"{sentence} 비슷한 필드: `{meant}`." if korean else f"{sentence}. Did you mean `{meant}`?"
    return sentence


def unknown_field(name: str, known: Iterable[str]) -> Mapping[str, str]:
    """The params of `unknown_field`: the known field that was probably meant, if one is close."""
    meant = nearest(name, known)
    return {} if meant is None else {MEANT: meant}


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)[:200]
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def of_pattern(pattern: str) -> tuple[str, dict[str, Any]]:
    """The code, and its params, for text that does not match a pattern."""
    code = PATTERNS.get(pattern.removesuffix(r"\Z") + "$" if pattern.endswith(r"\Z") else pattern)
    return (code, {}) if code else ("pattern", {"pattern": pattern})


def of_sentence(sentence: str) -> tuple[str, Mapping[str, Any]]:
    """The code, and its params, for what the contract says of a payload (`schemas.actions`), which knows no language
    but its own."""
    for pattern, (code, params) in _OF_THE_CONTRACT.items():
        if match := pattern.fullmatch(sentence):
            return code, {**params, **match.groupdict()}
    return "refused", {"reason": sentence}


def invalid(code: str, **params: Any) -> PydanticCustomError:
    """A problem of this table, for a validator to raise."""
    return PydanticCustomError(f"{_OURS}{code}", code, params)


def all_of(
    problems: Iterable[FieldProblem],
    others: ValidationError | None = None,
    said: Mapping[str, str] = MappingProxyType({}),
    fields: Iterable[str] = (),
) -> ValidationError:
    """All these problems, and others that were found before, for a validator to raise at once. `said`: what the body
    calls its fields, by our names; `fields`: all that it could have."""
    names = list(fields)
    known: list[InitErrorDetails] = [] if others is None else [_again(error, said, names) for error in others.errors()]
    ours: list[InitErrorDetails] = [
        {
            "type": invalid(one.code, **one.params),
            "loc": (said.get(one.field, one.field),) if one.field else (),
            "input": None,
        }
        for one in problems
    ]
    return ValidationError.from_exception_data("body", [*known, *ours])


def _again(error: ErrorDetails, said: Mapping[str, str], fields: list[str]) -> InitErrorDetails:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden" and len(error["loc"]) == 1:
        context = {**context, **unknown_field(str(error["loc"][0]), fields)}
    own = PydanticCustomError(kind, error["msg"], context)
    place = (said.get(str(error["loc"][0]), error["loc"][0]), *error["loc"][1:]) if error["loc"] else ()
    return {"type": own, "loc": place, "input": error["input"]}


def of_validation(error: Mapping[str, Any]) -> FieldProblem:
    """An error of pydantic as a problem of ours."""
    source, place = place_of(error)
    code, params = _told(str(error["type"]), error.get("ctx") or {}, str(error["msg"]))
    if source in ("query", "header"):
        place = place[:1]  # a parameter is named as a whole, also one that may be given several times
    return FieldProblem(_path(place) or source, code, params)


def place_of(error: Mapping[str, Any]) -> tuple[str, list[str | int]]:
    """The part of the request that an error of pydantic is about, and where in it."""
    source, *place = error["loc"]
    return str(source), place[1:] if place and place[0] in FORMS else place


def _path(place: Sequence[str | int]) -> str:
    """As the services write it: `commands[0].payload.copies`."""
    path = ""
    for part in place:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def _told(kind: str, context: Mapping[str, Any], message: str) -> tuple[str, Mapping[str, Any]]:
    if kind.startswith(_OURS):
        return kind.removeprefix(_OURS), context
    if kind in _LIBRARY:
        code, names = _LIBRARY[kind]
        params = {name: context[key] for name, key in names.items()}
        if MEANT in context:
            params[MEANT] = context[MEANT]
        return ("empty", {}) if code == "too_short" and params["limit"] == 1 else (code, params)
    if kind == "string_pattern_mismatch":
        return of_pattern(str(context["pattern"]))
    if kind in ("literal_error", "enum"):
        return "choice", {"choices": str(context["expected"]).replace("'", "").replace(" or ", ", ")}
    base, _, _ = kind.partition("_")
    if base in _LIBRARY_FORMS:
        return _LIBRARY_FORMS[base], {}
    if base in _LIBRARY_TYPES:
        return "type", {"kinds": [_LIBRARY_TYPES[base]]}
    return of_sentence(message.removeprefix("Value error, "))
