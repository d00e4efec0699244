"""Errors of clients and groups."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "action_not_allowed": Entry(
        403,
        "FORBIDDEN",
        "Client {client_id} does not allow the action {action}: an administrator can add it to the client's "
        "allowed_actions.",
        "클라이언트 {client_id}에서 {action} 동작이 허용되지 않습니다. 관리자가 allowed_actions에 추가할 수 있습니다.",
    ),
    "client_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no client {client_id}, or you are not allowed to see this client: check the id, or ask an "
        "administrator for a grant for this client. An administrator registers a new client with POST /api/clients or "
        "`floorhub client add`.",
        "클라이언트 {client_id}이(가) 없거나 이 클라이언트를 볼 권한이 없습니다. id를 확인하거나 관리자에게 이 "
        "클라이언트에 대한 접근 허용을 요청하십시오. 새 클라이언트는 관리자가 POST /api/clients 또는 "
        "`floorhub client add`로 등록합니다.",
    ),
    "broker_not_ours": Entry(
        409,
        "CONFLICT",
        "The hub cannot restart this broker, because `floorhub up` did not start the broker. Write the broker's files "
        "with `floorhub broker render` and restart the broker yourself; or wait: the hub tells the broker about new "
        "clients, at most 20 a second.",
        "이 브로커는 `floorhub up`이 시작하지 않아 허브가 다시 시작할 수 없습니다. `floorhub broker render`로 파일을 "
        "만들고 직접 다시 시작하거나 기다리십시오. 허브가 새 클라이언트를 1초에 최대 20대씩 브로커에 알립니다.",
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
                "There is a client {client_id} already: choose another id. Only if another machine is to take its "
                "place, set `replace`; the machine that it has now is then disconnected.",
                "클라이언트 {client_id}이(가) 이미 있습니다. 다른 id를 고르십시오. 지금 쓰는 기기의 연결을 끊고 다른 "
                "기기로 교체하려는 경우에만 `replace`를 설정하십시오.",
            ),
            "meanwhile": (
                "A client {client_id} was created after the code: ask for another code.",
                "코드를 만든 뒤에 클라이언트 {client_id}이(가) 생겼습니다. 코드를 새로 받으십시오.",
            ),
        },
    ),
    "fenced": Entry(
        409,
        "CONFLICT",
        "Two machines use the identity {client_id}: register each separately, then run `floorhub client unfence "
        "{client_id}`.",
        "두 기기가 {client_id}을(를) 함께 씁니다. 따로 등록한 뒤 `floorhub client unfence {client_id}`를 실행하십시오.",
    ),
    "group_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no group {group_id}, or you are not allowed to see this group: check the id. An administrator "
        "creates a group with POST /api/groups or `floorhub group add`.",
        "그룹 {group_id}이(가) 없거나 볼 권한이 없습니다. id를 확인하십시오. 그룹은 관리자가 POST /api/groups 또는 "
        "`floorhub group add`로 만듭니다.",
    ),
    "group_exists": Entry(
        409,
        "CONFLICT",
        "The group {group_id} already exists: change it, or choose another id.",
        "그룹 {group_id}이(가) 이미 있습니다. 그 그룹을 바꾸거나 다른 id를 고르십시오.",
    ),
}
