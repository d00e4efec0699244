"""Errors of clients that call the hub over HTTP."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "not_your_client": Entry(
        403,
        "FORBIDDEN",
        "A client's secret is valid only for that client: put the client's own id into the path.",
        "클라이언트의 비밀 값은 그 클라이언트에만 유효합니다. 경로에 자신의 id를 넣으십시오.",
    ),
    "client_may_not": Entry(
        403,
        "FORBIDDEN",
        "This is the key of client {client_id}. A client can only get its commands "
        "(GET /api/events/{client_id}), ping, report, read the documents of its commands, and upload files for its "
        "commands. "
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
    "download_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no document at this address: the command that names the document has not been handed out or has "
        "ended, or the address is cut off.",
        "이 주소에는 문서가 없습니다. 명령이 아직 전달되지 않았거나 끝났거나 주소가 잘렸습니다.",
    ),
    "session_over": Entry(
        409,
        "CONFLICT",
        "A newer session of client {client_id} has begun: stop this program, or start a new session in it.",
        "클라이언트 {client_id}의 다른 세션이 시작되었습니다. 이 프로그램을 멈추거나 새 세션으로 시작하십시오.",
    ),
}
