"""Errors of commands, from the request to the dead letter."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "command_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no command {command_id}, or you are not allowed to see this command: check the id, or ask an "
        "administrator for a grant for the command's client.",
        "명령 {command_id}이(가) 없거나 볼 권한이 없습니다. id를 확인하거나 관리자에게 그 클라이언트에 대한 접근 "
        "허용을 요청하십시오.",
    ),
    "payload_too_large": Entry(
        422,
        "VALIDATION_ERROR",
        "The payload has {size} bytes; a message has room for {most}: upload large data as a document.",
        "payload가 {size}바이트입니다. 최대 {most}바이트이므로 큰 내용은 문서로 올리십시오.",
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
    "command_ended": Entry(
        409,
        "CONFLICT",
        "Command {command_id} has ended as {status}; it cannot be cancelled any more.",
        "명령 {command_id}은(는) 이미 {status} 상태로 끝나 취소할 수 없습니다.",
    ),
    "command_not_unknown": Entry(
        409,
        "CONFLICT",
        "Command {command_id} is {status}: only unknown commands can be decided.",
        "명령 {command_id}은(는) {status} 상태입니다. 결과를 정할 수 있는 것은 unknown 상태의 명령뿐입니다.",
    ),
    "not_a_dead_letter": Entry(
        409,
        "CONFLICT",
        "Command {command_id} is {status} and is not a dead letter: send a new command instead.",
        "명령 {command_id}은(는) {status} 상태이며 데드 레터가 아닙니다. 새 명령을 보내십시오.",
    ),
    "dead_letter_closed": Entry(
        409,
        "CONFLICT",
        "The dead letter {command_id} is already closed ({by}): check the command, and send a new one if you need it.",
        "데드 레터 {command_id}은(는) 이미 종결되었습니다({by}). 확인한 뒤 필요하면 새 명령을 보내십시오.",
    ),
    "replay_needs_force": Entry(
        409,
        "CONFLICT",
        "Perhaps command {command_id} took effect: check the device, then decide the command, or replay it with "
        "force=true.",
        "명령 {command_id}은(는) 실행되었을 수 있습니다. 기기를 확인하고 결과를 정하거나, force=true로 다시 "
        "실행(replay)하십시오.",
    ),
}
