"""The one table from an error's code to its status and sentences; docs/reference/errors.md is made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """What a code means: the HTTP status, the seeds' name for it, and a sentence with what to do in each language."""

    status: int
    name: str
    en: str
    ko: str
    variants: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """More exact sentences, in English and Korean, for what the error's param `variant` names."""


CATALOGUE: Mapping[str, Entry] = {
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
    "cors_refused": Entry(
        403,
        "FORBIDDEN",
        "Pages of {origin} are not allowed to send this request ({method}; headers: {headers}): add the origin to "
        "FLOORHUB_CORS_ORIGINS if you trust it.",
        "{origin} 페이지에서는 이 요청({method}, 헤더: {headers})을 보낼 수 없습니다. 믿을 수 있는 출처라면 "
        "FLOORHUB_CORS_ORIGINS에 추가하십시오.",
    ),
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
        "A request with this X-Request-Nonce has come already: give each request a nonce of its own, also a repeated "
        "one.",
        "같은 X-Request-Nonce를 쓴 요청이 이미 있습니다. 다시 보내는 요청에도 매번 새 값을 넣으십시오.",
    ),
    "timestamp_required": Entry(
        401,
        "REQUEST_EXPIRED",
        "This hub takes requests of integrations only with X-Request-Timestamp and X-Request-Nonce: send both.",
        "이 허브는 연동 프로그램의 요청에 X-Request-Timestamp와 X-Request-Nonce를 요구합니다. 둘 다 보내십시오.",
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
        "`Transfer-Encoding` may only be `chunked`: send the body unencoded, with its length or in chunks.",
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
    "document_too_large": Entry(
        413,
        "VALIDATION_ERROR",
        "The document is larger than {most} bytes: make it smaller or split it.",
        "문서가 {most}바이트를 넘습니다. 크기를 줄이거나 나누십시오.",
    ),
    "payload_too_large": Entry(
        422,
        "VALIDATION_ERROR",
        "The payload has {size} bytes; a message has room for {most}: upload large data as a document.",
        "payload가 {size}바이트입니다. 최대 {most}바이트이므로 큰 내용은 문서로 올리십시오.",
    ),
    "unauthorized": Entry(
        401,
        "UNAUTHORIZED",
        "No valid key: send `Authorization: Bearer KEY`; the first administrator's key is in the file admin.key. "
        "A client sends its id and its secret with HTTP Basic, or its secret as KEY. If your key or secret is not "
        "valid any more, ask an administrator for a new one.",
        "유효한 키가 없습니다. `Authorization: Bearer KEY`를 보내십시오. 첫 관리자 키는 admin.key 파일에 있습니다. "
        "클라이언트는 자신의 id와 비밀 값을 HTTP Basic으로 보내거나 비밀 값을 KEY로 보냅니다. 키나 비밀 값이 더 이상 "
        "유효하지 않으면 관리자에게 새로 요청하십시오.",
    ),
    "invalid_token": Entry(
        401,
        "INVALID_TOKEN",
        "The access token is not valid, or its session has ended: sign in again with POST /api/auth/login.",
        "액세스 토큰이 유효하지 않거나 세션이 끝났습니다. POST /api/auth/login으로 다시 로그인하십시오.",
    ),
    "token_expired": Entry(
        401,
        "TOKEN_EXPIRED",
        "The access token has expired: get the next one with POST /api/auth/refresh.",
        "액세스 토큰이 만료되었습니다. POST /api/auth/refresh로 새 토큰을 받으십시오.",
    ),
    "invalid_refresh_token": Entry(
        401,
        "INVALID_REFRESH_TOKEN",
        "The refresh token is not valid: it was used, has expired, is of another screen, or its session has ended. "
        "Sign in again with POST /api/auth/login.",
        "리프레시 토큰이 유효하지 않습니다. 이미 사용했거나, 만료되었거나, 다른 화면의 토큰이거나, 세션이 끝났습니다. "
        "POST /api/auth/login으로 다시 로그인하십시오.",
    ),
    "login_failed": Entry(
        401,
        "UNAUTHORIZED",
        "The sign-in failed: check login and password. If it still fails, ask an administrator, who can set a new "
        "password or enable you again.",
        "로그인하지 못했습니다. 로그인 이름과 비밀번호를 확인하십시오. 계속 실패하면 관리자에게 새 비밀번호나 계정 "
        "활성화를 요청하십시오.",
    ),
    "wrong_password": Entry(
        403,
        "FORBIDDEN",
        "The password is wrong: enter your current password.",
        "비밀번호가 맞지 않습니다. 현재 비밀번호를 입력하십시오.",
    ),
    "too_many_attempts": Entry(
        429,
        "RATE_LIMIT",
        "Too many failed sign-ins: try again after {retry_after_s} s.",
        "로그인 실패가 너무 많습니다. {retry_after_s}초 후 다시 시도하십시오.",
    ),
    "confirm_password": Entry(
        403,
        "FORBIDDEN",
        "Give the password again: this needs one that was given in the last 10 minutes. Send POST /api/auth/confirm, "
        "then send this request again.",
        "비밀번호를 다시 입력하십시오. 최근 10분 안에 입력한 비밀번호가 필요합니다. POST /api/auth/confirm을 보낸 뒤 "
        "이 요청을 다시 보내십시오.",
    ),
    "csrf_failed": Entry(
        403,
        "FORBIDDEN",
        "A request with a cookie that changes something needs the header `X-CSRF-Token`: get it from "
        "GET /api/auth/whoami.",
        "쿠키로 보내는 변경 요청에는 `X-CSRF-Token` 헤더가 필요합니다. GET /api/auth/whoami에서 값을 받으십시오.",
    ),
    "origin_refused": Entry(
        403,
        "FORBIDDEN",
        "The request comes from a page of another origin ({origin}): use a page of this hub. Behind a proxy that ends "
        "TLS set FLOORHUB_TRUSTED_PROXIES.",
        "다른 출처({origin})의 페이지에서 보낸 요청입니다. 이 허브의 페이지를 쓰십시오. TLS를 처리하는 프록시가 있으면 "
        "FLOORHUB_TRUSTED_PROXIES를 설정하십시오.",
    ),
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
        "Pages of {origin} may not connect to /mqtt: open a page of this hub, or add the origin to "
        "FLOORHUB_CORS_ORIGINS if you trust it.",
        "{origin} 페이지에서는 /mqtt에 접속할 수 없습니다. 이 허브의 페이지를 열거나, 믿을 수 있는 출처라면 "
        "FLOORHUB_CORS_ORIGINS에 추가하십시오.",
    ),
    "hub_unreachable": Entry(
        503,
        "INTERNAL_ERROR",
        "The hub does not run, or it is starting: try again in a moment. Nothing was done.",
        "허브가 실행 중이 아니거나 시작하는 중입니다. 잠시 뒤에 다시 시도하십시오. 처리된 것은 없습니다.",
    ),
    "hub_no_answer": Entry(
        502,
        "INTERNAL_ERROR",
        "The hub stopped before it answered, and may have done what you asked: look first, or send it again with the "
        "same Idempotency-Key.",
        "허브가 답하기 전에 멈췄으며 요청이 처리되었을 수 있습니다. 먼저 확인하거나, 같은 Idempotency-Key로 다시 "
        "보내십시오.",
    ),
    "https_needed": Entry(
        403,
        "FORBIDDEN",
        "Pages need HTTPS at {host}: open the hub over HTTPS, or on its own machine as http://localhost. A proxy that "
        "ends TLS must be in FLOORHUB_TRUSTED_PROXIES. FLOORHUB_PLAIN_SIGN_IN=true allows it without TLS.",
        "{host}에서 페이지를 쓰려면 HTTPS가 필요합니다. 허브를 HTTPS로 열거나 허브 컴퓨터에서 http://localhost로 "
        "여십시오. TLS를 처리하는 프록시는 FLOORHUB_TRUSTED_PROXIES에 넣으십시오. FLOORHUB_PLAIN_SIGN_IN=true로 TLS "
        "없이도 허용할 수 있습니다.",
    ),
    "people_only": Entry(
        403,
        "FORBIDDEN",
        "This is for people who have signed in: a key has no session and no password. Sign in with "
        "POST /api/auth/login.",
        "로그인한 사람만 쓸 수 있습니다. 키에는 세션과 비밀번호가 없습니다. POST /api/auth/login으로 로그인하십시오.",
    ),
    "link_not_valid": Entry(
        403,
        "FORBIDDEN",
        "The link is not valid: it was used, has expired or was replaced. For the first administrator restart the hub "
        "to get another; for a password ask an administrator.",
        "링크가 유효하지 않습니다. 이미 사용했거나, 만료되었거나, 새 링크로 바뀌었습니다. 첫 관리자 링크는 허브를 다시 "
        "시작하면 새로 만들어지고, 비밀번호 링크는 관리자에게 요청하십시오.",
        variants={
            "first_administrator": (
                "The link is not valid: it was used, has expired or was replaced. Restart the hub to get another.",
                "링크가 유효하지 않습니다. 이미 사용했거나, 만료되었거나, 새 링크로 바뀌었습니다. 허브를 다시 시작하면 "
                "새 링크가 만들어집니다.",
            ),
            "password": (
                "The link is not valid: it was used, has expired or was replaced. Ask an administrator for another.",
                "링크가 유효하지 않습니다. 이미 사용했거나, 만료되었거나, 새 링크로 바뀌었습니다. 관리자에게 새 링크를 "
                "요청하십시오.",
            ),
        },
    ),
    "first_administrator_exists": Entry(
        409,
        "CONFLICT",
        "There is an administrator already: sign in, or ask for a sign-in of your own. A lost password is replaced on "
        "the hub's machine with `floorhub user recover`.",
        "관리자가 이미 있습니다. 로그인하거나 관리자에게 추가를 요청하십시오. 잃어버린 비밀번호는 허브 컴퓨터에서 "
        "`floorhub user recover`로 바꿉니다.",
    ),
    "last_administrator": Entry(
        409,
        "CONFLICT",
        "{login} is the last administrator who can sign in: make somebody else an administrator first.",
        "{login}은(는) 로그인할 수 있는 마지막 관리자입니다. 먼저 다른 사람을 관리자로 만드십시오.",
    ),
    "login_taken": Entry(
        409,
        "CONFLICT",
        "The login {login} is taken, perhaps by a disabled person: choose another one.",
        "로그인 이름 {login}은(는) 이미 쓰이고 있습니다(비활성화된 사람 포함). 다른 이름을 고르십시오.",
    ),
    "name_taken": Entry(
        409,
        "CONFLICT",
        "The name {name} is taken by a person or an integration: choose another one.",
        "이름 {name}은(는) 다른 사람이나 연동 시스템이 쓰고 있습니다. 다른 이름을 고르십시오.",
    ),
    "user_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no person {user_id}: see GET /api/users or `floorhub user list`.",
        "사용자 {user_id}이(가) 없습니다. GET /api/users 또는 `floorhub user list`로 확인하십시오.",
    ),
    "user_disabled": Entry(
        409,
        "CONFLICT",
        "{login} is disabled: enable the person first.",
        "{login}이(가) 비활성화되어 있습니다. 먼저 활성화하십시오.",
    ),
    "session_not_found": Entry(
        404,
        "NOT_FOUND",
        "You have no session {session_id}: see GET /api/auth/sessions.",
        "세션 {session_id}이(가) 없습니다. GET /api/auth/sessions로 확인하십시오.",
    ),
    "forbidden": Entry(
        403,
        "FORBIDDEN",
        "Your role is not allowed to do this: ask an administrator.",
        "권한이 없습니다. 관리자에게 요청하십시오.",
        variants={
            "by_key": (
                "This key may {may} but not {permission}. Ask an administrator for the permission `{permission}`: a "
                "key whose scope has it.",
                "이 키의 권한은 {may}이며 {permission} 권한이 없습니다. 관리자에게 `{permission}` 권한이 있는 키를 "
                "요청하십시오.",
            ),
            "by_role_of_key": (
                "This key may {may} but not {permission}. Ask an administrator for the permission `{permission}`: the "
                "role {role} does not have it, the roles with it are: {roles}.",
                "이 키의 권한은 {may}이며 {permission} 권한이 없습니다. 관리자에게 `{permission}` 권한을 요청하십시오. "
                "역할 {role}에는 이 권한이 없으며, 이 권한이 있는 역할은 {roles}입니다.",
            ),
            "by_role": (
                "You may {may} but not {permission}. Ask an administrator for the permission `{permission}`: the role "
                "{role} does not have it, the roles with it are: {roles}.",
                "{may} 권한은 있지만 {permission} 권한이 없습니다. 관리자에게 `{permission}` 권한을 요청하십시오. "
                "역할 {role}에는 이 권한이 없으며, 이 권한이 있는 역할은 {roles}입니다.",
            ),
        },
    ),
    "key_address_refused": Entry(
        403,
        "FORBIDDEN",
        "This key may not be used from the address {address}: use it where it belongs, or ask an administrator to add "
        "this address to a new key.",
        "이 키는 주소 {address}에서 사용할 수 없습니다. 허용된 곳에서 사용하거나, 관리자에게 이 주소가 허용된 새 키를 "
        "요청하십시오.",
    ),
    "wider_than_your_key": Entry(
        403,
        "FORBIDDEN",
        "The key that you use is limited, and what you ask for would go beyond it in: {limits}. Stay within its "
        "limits, or use a key or a sign-in of an administrator without them.",
        "사용 중인 키에는 제한이 있으며 요청한 내용이 그 범위를 넘습니다: {limits}. 범위 안에서 요청하거나, "
        "제한이 없는 관리자의 키나 로그인을 사용하십시오.",
    ),
    "too_many_unknown_keys": Entry(
        503,
        "UNAVAILABLE",
        "Too many keys that nobody knows are tried at once: try again shortly. Keys that were valid lately still work.",
        "알 수 없는 키가 동시에 너무 많이 시도되고 있습니다. 잠시 후 다시 시도하십시오. 최근에 유효했던 키는 계속 "
        "사용할 수 있습니다.",
    ),
    "integration_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no integration {id}: see GET /api/integrations or `floorhub integration list`.",
        "연동 시스템 {id}이(가) 없습니다. GET /api/integrations 또는 `floorhub integration list`로 확인하십시오.",
    ),
    "principal_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no user or integration {id}: see GET /api/users and GET /api/integrations, or `floorhub user list` "
        "and `floorhub integration list`.",
        "사용자나 연동 시스템 {id}이(가) 없습니다. GET /api/users와 GET /api/integrations, 또는 `floorhub user list`와 "
        "`floorhub integration list`로 확인하십시오.",
    ),
    "key_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no key {id}: see GET /api/keys or `floorhub key list`.",
        "키 {id}이(가) 없습니다. GET /api/keys 또는 `floorhub key list`로 확인하십시오.",
    ),
    "key_ended": Entry(
        409,
        "CONFLICT",
        "The key {prefix} is {status} and cannot be rotated: create a new key.",
        "키 {prefix}의 상태가 {status}이므로 교체할 수 없습니다. 새 키를 만드십시오.",
    ),
    "too_many_keys": Entry(
        409,
        "CONFLICT",
        "{name} has {most} valid keys already: revoke those that are not used any more.",
        "{name}에는 유효한 키가 이미 {most}개 있습니다. 더 이상 쓰지 않는 키를 폐기하십시오.",
    ),
    "grant_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no grant {id}: see GET /api/grants or `floorhub grant list`.",
        "접근 허용 {id}이(가) 없습니다. GET /api/grants 또는 `floorhub grant list`로 확인하십시오.",
    ),
    "grant_exists": Entry(
        409,
        "CONFLICT",
        "This is granted already, by the grant {made}.",
        "이미 같은 접근 허용이 있습니다: {made}.",
    ),
    "too_many_grants": Entry(
        409,
        "CONFLICT",
        "{name} has {most} grants already: grant a group, a zone or tags instead of single clients.",
        "{name}에는 접근 허용이 이미 {most}개 있습니다. 클라이언트 하나씩이 아니라 그룹, 구역, 태그로 허용하십시오.",
    ),
    "all_clients_needed": Entry(
        403,
        "FORBIDDEN",
        "This concerns all clients, and you reach only some: use a key without a limit on clients, of a principal "
        "that reaches all of them, or ask an administrator.",
        "모든 클라이언트에 관한 요청이지만 일부 클라이언트만 쓸 수 있습니다. 모든 클라이언트를 쓸 수 있는 주체의, "
        "클라이언트를 제한하지 않은 키를 쓰거나 관리자에게 요청하십시오.",
    ),
    "grant_missing": Entry(
        403,
        "FORBIDDEN",
        "You may see client {client_id}, but not send it the action {action}: ask an administrator for a grant "
        "`{access}` for this action on this client. If you use a key, its limits must allow this, too.",
        "클라이언트 {client_id}을(를) 볼 수는 있지만 {action} 동작을 보낼 수 없습니다. 이 클라이언트의 이 동작에 대한 "
        "`{access}` 접근 허용을 관리자에게 요청하십시오. 키를 쓴다면 키의 범위도 이 동작을 허용해야 합니다.",
    ),
    "decide_missing": Entry(
        403,
        "FORBIDDEN",
        "Nobody knows whether command {command_id} took effect, and your key may not decide that: use a key with the "
        "permission `decide`, or ask somebody who has it.",
        "명령 {command_id}의 효과를 아무도 모르며, 이 키로는 그것을 결정할 수 없습니다. `decide` 권한이 있는 키를 "
        "쓰거나 그 권한이 있는 사람에게 요청하십시오.",
    ),
    "action_not_allowed": Entry(
        403,
        "FORBIDDEN",
        "Client {client_id} does not allow the action {action}: an administrator can add it to the client's "
        "allowed_actions.",
        "클라이언트 {client_id}에서 {action} 동작이 허용되지 않습니다. 관리자가 allowed_actions에 추가할 수 있습니다.",
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
    "client_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no client {client_id} that you may see: check the id, or ask an administrator for a grant for it. "
        "An administrator registers a new client with POST /api/clients or `floorhub client add`.",
        "클라이언트 {client_id}이(가) 없거나 이 클라이언트를 볼 권한이 없습니다. id를 확인하거나 관리자에게 이 "
        "클라이언트에 대한 접근 허용을 요청하십시오. 새 클라이언트는 관리자가 POST /api/clients 또는 "
        "`floorhub client add`로 등록합니다.",
    ),
    "client_retired": Entry(
        404,
        "NOT_FOUND",
        "Client {client_id} is retired, and its id cannot be used again: register a client with a new id.",
        "클라이언트 {client_id}은(는) 폐기되었습니다. 새 id로 등록하십시오.",
    ),
    "client_disabled": Entry(
        403,
        "FORBIDDEN",
        "Client {client_id} is disabled: an administrator can enable it again.",
        "클라이언트 {client_id}이(가) 비활성화되어 있습니다. 관리자가 다시 활성화할 수 있습니다.",
    ),
    "not_your_client": Entry(
        403,
        "FORBIDDEN",
        "A client's secret is valid only for that client: put the client's own id into the path.",
        "클라이언트의 비밀 값은 그 클라이언트에만 유효합니다. 경로에 자신의 id를 넣으십시오.",
    ),
    "client_may_not": Entry(
        403,
        "FORBIDDEN",
        "This is the key of client {client_id}. A client may only get its commands "
        "(GET /api/events/{client_id}), ping, report, read the documents of its commands and upload files for them. "
        "Send the key of a user or an integration.",
        "클라이언트 {client_id}의 키입니다. 클라이언트는 다음만 할 수 있습니다: "
        "명령 받기(GET /api/events/{client_id}), ping, 보고, 자기 명령의 문서 읽기와 파일 올리기. "
        "사용자나 연동 시스템의 키를 보내십시오.",
    ),
    "report_not_used": Entry(
        409,
        "CONFLICT",
        "Command {command_id} is {status} in attempt {attempt}, so the report `{said}` about attempt {said_attempt} "
        "changes nothing: do not send it again.",
        "명령 {command_id}은(는) {attempt}번째 시도에서 {status} 상태이므로, "
        "{said_attempt}번째 시도의 보고 `{said}`은(는) 반영되지 않았습니다. 다시 보내지 마십시오.",
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
    "download_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no document at this address: its command has not been handed out or has ended, or the address is "
        "cut off.",
        "이 주소에는 문서가 없습니다. 명령이 아직 전달되지 않았거나 끝났거나 주소가 잘렸습니다.",
    ),
    "session_over": Entry(
        409,
        "CONFLICT",
        "A newer session of client {client_id} has begun: stop this program, or begin a new session with it.",
        "클라이언트 {client_id}의 다른 세션이 시작되었습니다. 이 프로그램을 멈추거나 새 세션으로 시작하십시오.",
    ),
    "fenced": Entry(
        409,
        "CONFLICT",
        "Two machines use the identity {client_id}: register each separately, then run `floorhub client unfence "
        "{client_id}`.",
        "두 기기가 {client_id}을(를) 함께 씁니다. 따로 등록한 뒤 `floorhub client unfence {client_id}`를 실행하십시오.",
    ),
    "client_offline": Entry(
        409,
        "CLIENT_OFFLINE",
        "Client {client_id} is not online, and the command has when_offline=fail: use when_offline=queue to wait for "
        "it.",
        "클라이언트 {client_id}이(가) 오프라인입니다. 기다리려면 when_offline=queue를 쓰십시오.",
    ),
    "client_exists": Entry(
        409,
        "CONFLICT",
        "The id {client_id} is taken, perhaps by a retired client: choose another one.",
        "id {client_id}은(는) 이미 쓰였습니다(폐기된 것 포함). 다른 id를 고르십시오.",
        {
            "retired": (
                "The id {client_id} belonged to a client that was retired: choose another one.",
                "id {client_id}은(는) 폐기된 클라이언트의 것입니다. 다른 id를 고르십시오.",
            ),
            "to_replace": (
                "There is a client {client_id} already: to connect another machine in its place, set `replace`; else "
                "choose another id.",
                "클라이언트 {client_id}이(가) 이미 있습니다. 기기를 교체하려면 `replace`를 설정하고, 아니면 다른 id를 "
                "고르십시오.",
            ),
            "meanwhile": (
                "A client {client_id} was made since the code was: ask for another code.",
                "코드를 만든 뒤에 클라이언트 {client_id}이(가) 생겼습니다. 코드를 새로 받으십시오.",
            ),
        },
    ),
    "pairing_not_found": Entry(
        404,
        "NOT_FOUND",
        "The hub knows no such code: check what was typed. A code is known for a day.",
        "허브에 없는 코드입니다. 입력한 값을 확인하십시오. 코드는 하루 동안만 기억합니다.",
        {
            "by_id": (
                "There is no code with the id {id} for you: `floorhub pairing list` shows those that there are.",
                "id가 {id}인 코드가 없습니다. `floorhub pairing list`로 확인하십시오.",
            )
        },
    ),
    "pairing_used": Entry(
        409,
        "CONFLICT",
        "The code was used by another machine, and is good once: ask for another code. If you did not connect a "
        "machine with it, tell your administrator.",
        "다른 기기가 이미 사용한 코드입니다. 코드는 한 번만 쓸 수 있으니 새로 받으십시오. 직접 사용한 적이 없으면 "
        "관리자에게 알리십시오.",
        {
            "to_revoke": (
                "A machine was connected with the code: disable or retire the client {client_id} to disconnect it.",
                "이 코드로 연결된 기기가 있습니다. 연결을 끊으려면 클라이언트 {client_id}을(를) 사용 중지하거나 "
                "폐기하십시오.",
            )
        },
    ),
    "pairing_expired": Entry(
        409,
        "CONFLICT",
        "The code expired at {expires_at}: ask for another code.",
        "코드의 유효 기간이 {expires_at}에 끝났습니다. 코드를 새로 받으십시오.",
    ),
    "pairing_revoked": Entry(
        409,
        "CONFLICT",
        "The code was revoked: ask for another code.",
        "취소된 코드입니다. 코드를 새로 받으십시오.",
        {
            "refused": (
                "A person refused this machine: ask for another code, and compare the numbers again.",
                "담당자가 이 기기의 연결을 거절했습니다. 코드를 새로 받아 번호를 다시 비교하십시오.",
            ),
            "tries": (
                "The code was shown too often with something wrong, and is good no more: ask for another code.",
                "잘못된 요청이 너무 많아 더 이상 쓸 수 없는 코드입니다. 코드를 새로 받으십시오.",
            ),
            "superseded": (
                "Another code of the same client was used: this one is good no more.",
                "같은 클라이언트의 다른 코드가 사용되어 더 이상 쓸 수 없는 코드입니다.",
            ),
        },
    ),
    "pairing_not_waiting": Entry(
        409,
        "CONFLICT",
        "No machine is waiting to be confirmed with this code (it is: {status}): look at it again.",
        "이 코드로 확인을 기다리는 기기가 없습니다(상태: {status}). 다시 확인하십시오.",
    ),
    "pairing_number_wrong": Entry(
        403,
        "FORBIDDEN",
        "This is not the number of the machine that asks: somebody may stand between it and the hub. Type the number "
        "that the machine shows; if it still differs, revoke the code.",
        "연결을 요청한 기기의 번호가 아닙니다. 중간에서 누군가 통신을 가로챌 수 있습니다. 기기에 표시된 번호를 "
        "입력하십시오. 그래도 다르면 코드를 취소하십시오.",
    ),
    "pairing_proof_wrong": Entry(
        403,
        "FORBIDDEN",
        "The machine has not proved to have its key: `proof` must be its signature over what it sends, for this hub.",
        "기기가 자신의 키를 증명하지 못했습니다. `proof`는 이 허브에 보내는 내용에 대한 기기의 서명이어야 합니다.",
        {
            "again": (
                "This proof was used before: sign each request anew, with the time of sending.",
                "이미 사용한 증명입니다. 요청마다 보내는 시각을 넣어 새로 서명하십시오.",
            )
        },
    ),
    "pairing_clock_wrong": Entry(
        403,
        "REQUEST_EXPIRED",
        "The machine's clock is wrong: it says {shown}, and the hub's says {now} (UTC). Set it, then try again.",
        "기기의 시계가 맞지 않습니다. 기기는 {shown}, 허브는 {now}(UTC)입니다. 시계를 맞춘 다음 다시 시도하십시오.",
    ),
    "pairing_other_kind": Entry(
        409,
        "CONFLICT",
        "The code is for a machine of the kind `{kind}`, and this one says `{shown}`: ask for another code.",
        "이 코드는 `{kind}` 종류의 기기에 쓰는 것인데 이 기기는 `{shown}`입니다. 코드를 새로 받으십시오.",
    ),
    "pairing_maker_may_not": Entry(
        409,
        "CONFLICT",
        "Whoever made the code may not connect machines any more: ask for a code of somebody else.",
        "코드를 만든 사람에게 더 이상 기기를 연결할 권한이 없습니다. 다른 사람에게 코드를 받으십시오.",
    ),
    "too_many_pairings": Entry(
        409,
        "CONFLICT",
        "There are {limit} open codes: wait until some are used or expire, revoke some, or use an enrolment token for "
        "many machines.",
        "열려 있는 코드가 {limit}개입니다. 사용되거나 만료될 때까지 기다리거나 일부를 취소하십시오. 기기가 많으면 등록 "
        "토큰을 쓰십시오.",
    ),
    "too_many_codes": Entry(
        429,
        "RATE_LIMIT",
        "Too many wrong codes: try again after {retry_after_s} s.",
        "잘못된 코드가 너무 많습니다. {retry_after_s}초 후 다시 시도하십시오.",
    ),
    "enrolment_not_found": Entry(
        404,
        "NOT_FOUND",
        "The hub knows no such enrolment token: ask for another one.",
        "허브에 없는 등록 토큰입니다. 토큰을 새로 받으십시오.",
        {
            "by_id": (
                "There is no enrolment token with the id {id} for you: `floorhub enrolment list` shows those that "
                "there are.",
                "id가 {id}인 등록 토큰이 없습니다. `floorhub enrolment list`로 확인하십시오.",
            )
        },
    ),
    "enrolment_over": Entry(
        409,
        "CONFLICT",
        "The enrolment token is good no more: ask for another one.",
        "더 이상 쓸 수 없는 등록 토큰입니다. 토큰을 새로 받으십시오.",
        {
            "full": (
                "The enrolment token has connected all {most} machines that it is for: ask for another one.",
                "등록 토큰으로 연결할 수 있는 기기 {most}대를 모두 연결했습니다. 토큰을 새로 받으십시오.",
            ),
            "expired": (
                "The enrolment token has expired: ask for another one.",
                "유효 기간이 끝난 등록 토큰입니다. 토큰을 새로 받으십시오.",
            ),
            "revoked": (
                "The enrolment token was revoked: ask for another one.",
                "취소된 등록 토큰입니다. 토큰을 새로 받으십시오.",
            ),
        },
    ),
    "enrolment_replaced": Entry(
        409,
        "CONFLICT",
        "This machine was enrolled as {client_id}, which another machine is now: delete its key file to enrol it anew.",
        "이 기기는 {client_id}(으)로 등록되었으나 지금은 다른 기기가 그 자리에 있습니다. 새로 등록하려면 기기의 키 "
        "파일을 삭제하십시오.",
    ),
    "enrolment_needs_host": Entry(
        409,
        "CONFLICT",
        "The ids of this token ({naming}) have the machine's name, and it has none that can be part of an id: give the "
        "machine a host name of a-z and 0-9.",
        "이 토큰의 id({naming})에는 기기 이름이 들어가는데, 쓸 수 있는 이름이 없습니다. 기기의 호스트 이름을 a-z와 "
        "0-9로 정하십시오.",
    ),
    "broker_address_unknown": Entry(
        409,
        "CONFLICT",
        "The hub does not know how other machines reach its broker: set FLOORHUB_PUBLIC_URL and "
        "FLOORHUB_PUBLIC_MQTT_URL, or connect machines over the hub's own address only.",
        "다른 기기가 브로커에 접속할 주소를 허브가 모릅니다. FLOORHUB_PUBLIC_URL과 FLOORHUB_PUBLIC_MQTT_URL을 "
        "설정하거나 허브 컴퓨터 안에서만 연결하십시오.",
    ),
    "authority_unreadable": Entry(
        503,
        "INTERNAL_ERROR",
        "The hub cannot read its certificate authority (FLOORHUB_CA_FILE): correct the file's name or rights.",
        "허브가 인증 기관 인증서(FLOORHUB_CA_FILE)를 읽을 수 없습니다. 파일 이름이나 권한을 고치십시오.",
    ),
    "command_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no command {command_id} that you may see: check the id, or ask an administrator for a grant for its "
        "client.",
        "명령 {command_id}이(가) 없거나 볼 권한이 없습니다. id를 확인하거나 관리자에게 그 클라이언트에 대한 접근 "
        "허용을 요청하십시오.",
    ),
    "document_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no document {document_id} that you may read: upload it with POST /api/documents.",
        "읽을 수 있는 문서 {document_id}이(가) 없습니다. POST /api/documents로 올리십시오.",
    ),
    "authority_none": Entry(
        404,
        "NOT_FOUND",
        "This hub has no certificate authority of its own, so there is nothing to install.",
        "이 허브에는 자체 인증 기관이 없으므로 설치할 것이 없습니다.",
    ),
    "url_not_allowed": Entry(
        403,
        "FORBIDDEN",
        "The hub is not allowed to fetch from {host}: add it to FLOORHUB_FETCH_ALLOW as an administrator, "
        "or upload the file.",
        "허브는 {host}에서 문서를 가져올 수 없습니다. 관리자가 FLOORHUB_FETCH_ALLOW에 추가하거나 파일을 올리십시오.",
    ),
    "address_not_allowed": Entry(
        403,
        "FORBIDDEN",
        "{host} is in a private network: set FLOORHUB_FETCH_PRIVATE to allow this, or upload the file.",
        "{host}은(는) 사설 네트워크 주소라 가져올 수 없습니다. FLOORHUB_FETCH_PRIVATE를 켜거나 파일을 올리십시오.",
    ),
    "path_not_allowed": Entry(
        403,
        "FORBIDDEN",
        "The path {path} is not a file in a folder of FLOORHUB_DOCUMENT_FOLDERS. The hub reads its own machine's disk, "
        "never a client's: upload the file with POST /api/documents and name its id as `document`.",
        "경로 {path}은(는) FLOORHUB_DOCUMENT_FOLDERS에 있는 파일이 아닙니다. "
        "허브는 허브 컴퓨터의 디스크만 읽고 클라이언트의 디스크는 읽지 않습니다. "
        "POST /api/documents로 파일을 올리고 그 id를 `document`에 적으십시오.",
    ),
    "file_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no file {path} on the hub's machine: check the path, or upload the file with POST /api/documents.",
        "허브 컴퓨터에 {path} 파일이 없습니다. 경로를 확인하거나 POST /api/documents로 파일을 올리십시오.",
    ),
    "content_type_not_allowed": Entry(
        415,
        "VALIDATION_ERROR",
        "The document has the type {content_type}, which cannot be printed: use a PDF, image, text or printer file.",
        "문서 형식이 {content_type}이라 쓸 수 없습니다. PDF, 이미지, 텍스트 또는 프린터 파일이어야 합니다.",
    ),
    "content_type_mismatch": Entry(
        415,
        "VALIDATION_ERROR",
        "The document is declared as {content_type}, but has another type: send the right file, or declare its real "
        "type.",
        "문서 형식이 {content_type}(으)로 되어 있지만 내용이 다릅니다. 올바른 파일을 보내거나 실제 형식을 적으십시오.",
    ),
    "content_coding_not_allowed": Entry(
        415,
        "VALIDATION_ERROR",
        "The body is encoded ({coding}): send the document unencoded, without Content-Encoding.",
        "본문이 인코딩({coding})되어 있습니다. Content-Encoding 없이 문서를 그대로 보내십시오.",
    ),
    "partial_upload": Entry(
        400,
        "VALIDATION_ERROR",
        "The body is only a part of a document (Content-Range: {range}): send all of it, without Content-Range.",
        "본문이 문서의 일부입니다(Content-Range: {range}). Content-Range 없이 문서 전체를 보내십시오.",
    ),
    "form_not_taken_apart": Entry(
        415,
        "VALIDATION_ERROR",
        "The body is not a form with exactly one file: send multipart/form-data with one file, or only the file's "
        "bytes.",
        "파일이 하나만 있는 양식이 아닙니다. 파일 하나를 담은 multipart/form-data로 보내거나 파일 내용만 보내십시오.",
    ),
    "digest_mismatch": Entry(
        422,
        "VALIDATION_ERROR",
        "The received bytes do not match the {algorithm} digest of the request: send them again.",
        "받은 내용이 요청에 적힌 {algorithm} 다이제스트와 다릅니다. 다시 보내십시오.",
    ),
    "fetch_failed": Entry(
        502,
        "FETCH_FAILED",
        "{host} did not deliver the document ({reason}): check the URL and that server, then send it again.",
        "{host}에서 문서를 받지 못했습니다({reason}). URL과 서버를 확인한 뒤 다시 보내십시오.",
    ),
    "upload_stalled": Entry(
        408,
        "TIMEOUT",
        "The transfer of the body stopped: check the connection and send it again.",
        "본문 전송이 중단되었습니다. 연결 상태를 확인하고 다시 보내십시오.",
    ),
    "upload_not_found": Entry(
        404,
        "NOT_FOUND",
        "You cannot upload here: the path was used, its command has ended, or it is not yours. Request a new path.",
        "이 경로로는 올릴 수 없습니다. 이미 사용되었거나, 명령이 끝났거나, 다른 클라이언트의 경로입니다. 새 경로를 "
        "요청하십시오.",
    ),
    "too_many_uploads": Entry(
        429,
        "RATE_LIMIT",
        "The command has used all of its {most} upload paths.",
        "이 명령에 허용된 업로드 경로 {most}개를 모두 썼습니다.",
    ),
    "command_ended": Entry(
        409,
        "CONFLICT",
        "Command {command_id} has ended as {status}; it cannot be cancelled any more.",
        "명령 {command_id}은(는) 이미 {status} 상태로 끝나 취소할 수 없습니다.",
    ),
    "not_a_dead_letter": Entry(
        409,
        "CONFLICT",
        "Command {command_id} is {status} and is not a dead letter: send a new command instead.",
        "명령 {command_id}은(는) {status} 상태이며 데드 레터가 아닙니다. 새 명령을 보내십시오.",
    ),
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
        "{name} is still active: disable it first, then erase its data.",
        "{name}이(가) 아직 활성 상태입니다. 먼저 비활성화한 다음 데이터를 지우십시오.",
    ),
    "audit_person_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no such user or integration.",
        "그런 사용자나 연동이 없습니다.",
    ),
    "dead_letter_closed": Entry(
        409,
        "CONFLICT",
        "The dead letter {command_id} is already closed ({by}): check it, and send a new command if you need one.",
        "데드 레터 {command_id}은(는) 이미 종결되었습니다({by}). 확인한 뒤 필요하면 새 명령을 보내십시오.",
    ),
    "replay_needs_force": Entry(
        409,
        "CONFLICT",
        "Command {command_id} may have taken effect: check the device, then decide it, or replay it with force=true.",
        "명령 {command_id}은(는) 실행되었을 수 있습니다. 기기를 확인하고 결과를 정하거나, force=true로 다시 "
        "실행(replay)하십시오.",
    ),
    "command_not_unknown": Entry(
        409,
        "CONFLICT",
        "Command {command_id} is {status}: only unknown commands can be decided.",
        "명령 {command_id}은(는) {status} 상태입니다. 결과를 정할 수 있는 것은 unknown 상태의 명령뿐입니다.",
    ),
    "group_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no group {group_id} that you may see: check the id. An administrator creates a group with "
        "POST /api/groups or `floorhub group add`.",
        "그룹 {group_id}이(가) 없거나 볼 권한이 없습니다. id를 확인하십시오. 그룹은 관리자가 POST /api/groups 또는 "
        "`floorhub group add`로 만듭니다.",
    ),
    "group_exists": Entry(
        409,
        "CONFLICT",
        "The group {group_id} already exists: change it, or choose another id.",
        "그룹 {group_id}이(가) 이미 있습니다. 그 그룹을 바꾸거나 다른 id를 고르십시오.",
    ),
    "no_targets": Entry(
        422,
        "VALIDATION_ERROR",
        "No client that you may see matches the target: check groups, zones and tags with GET /api/clients, or ask an "
        "administrator for a grant. Nothing was stored.",
        "대상에 맞는 클라이언트 가운데 볼 수 있는 것이 없습니다. GET /api/clients로 그룹, 구역, 태그를 확인하거나 "
        "관리자에게 접근 허용을 요청하십시오. 저장된 것은 없습니다.",
    ),
    "too_many_targets": Entry(
        422,
        "VALIDATION_ERROR",
        "The target matches more than {most} clients: split it, for example by zone.",
        "대상이 클라이언트 {most}대를 넘습니다. 구역 등으로 나누어 보내십시오.",
    ),
    "batch_too_large": Entry(
        422,
        "VALIDATION_ERROR",
        "The payloads of all commands have {size} bytes, {most} are allowed: upload large data as a document.",
        "모든 명령의 payload가 합해 {size}바이트입니다. 최대 {most}바이트이므로 큰 내용은 문서로 올리십시오.",
    ),
    "batch_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no batch {batch_id}.",
        "배치 {batch_id}이(가) 없습니다.",
    ),
    "batch_ended": Entry(
        409,
        "CONFLICT",
        "Batch {batch_id} is {status}, so this is not possible any more.",
        "배치 {batch_id}은(는) {status} 상태라 더 이상 요청할 수 없습니다.",
    ),
    "schedule_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no schedule {schedule_id}: see GET /api/schedules or `floorhub schedule list`.",
        "예약 {schedule_id}이(가) 없습니다. GET /api/schedules 또는 `floorhub schedule list`로 확인하십시오.",
    ),
    "schedule_exists": Entry(
        409,
        "CONFLICT",
        "The schedule {name} already exists: change it, or choose another name.",
        "예약 {name}이(가) 이미 있습니다. 그 예약을 바꾸거나 다른 이름을 고르십시오.",
    ),
    "idempotency_key_reused": Entry(
        409,
        "CONFLICT",
        "The Idempotency-Key {key} was used with another body: use a new key for a new request.",
        "Idempotency-Key {key}이(가) 다른 본문에 쓰였습니다. 새 요청에는 새 키를 쓰십시오.",
    ),
    "request_expired": Entry(
        422,
        "REQUEST_EXPIRED",
        "The command could never begin: expires_at has passed or is before not_before.",
        "시작할 수 없는 명령입니다. expires_at이 지났거나 not_before보다 앞섭니다.",
    ),
    "rate_limited": Entry(
        429,
        "RATE_LIMIT",
        "Client {client_id} has reached its limit per minute: try again after {reset}, or raise its rate_limit.",
        "클라이언트 {client_id}의 분당 한도에 도달했습니다. {reset} 이후 다시 시도하거나 rate_limit을 높이십시오.",
    ),
    "quota_exceeded": Entry(
        429,
        "RATE_LIMIT",
        "Client {client_id} has reached its limit per day: try after {reset}, or raise max_commands_per_day.",
        "클라이언트 {client_id}의 하루 한도에 도달했습니다. {reset} 이후 시도하거나 한도를 높이십시오.",
    ),
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
        "The hub stopped before it could answer; it may have stored the request. Check, or send it again: with the "
        "same "
        "Idempotency-Key if you sent one.",
        "허브가 응답하기 전에 종료되었습니다. 요청이 저장되었을 수 있습니다. 확인하거나 다시 보내십시오. "
        "Idempotency-Key를 보냈다면 같은 키로 보내십시오.",
    ),
    "try_again": Entry(
        503,
        "UNAVAILABLE",
        "Another request with the same key has just failed: send yours again.",
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
        "The database does not answer. If you sent an Idempotency-Key, send the request again with it.",
        "데이터베이스가 응답하지 않습니다. Idempotency-Key를 보냈다면 같은 키로 다시 보내십시오.",
    ),
    "storage_full": Entry(
        507,
        "UNAVAILABLE",
        "The hub's disk is nearly full: documents are refused, commands continue. Free space, then send it again.",
        "허브 디스크가 거의 가득 차 문서를 받지 않습니다. 명령은 계속됩니다. 공간을 확보한 뒤 다시 보내십시오.",
    ),
    "internal_error": Entry(
        500,
        "INTERNAL_ERROR",
        "An internal error occurred in the hub: look for the request id {request_id} in its log.",
        "허브 내부 오류입니다. 로그에서 요청 id {request_id}을(를) 확인하십시오.",
    ),
}
