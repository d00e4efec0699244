"""Errors of access: keys, integrations, grants, and what they do not allow."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
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
    "all_actions_needed": Entry(
        403,
        "FORBIDDEN",
        "Your key is limited to some actions ({actions}), and this is not about them: use a key without a limit on "
        "actions, or ask an administrator.",
        "이 키는 일부 동작({actions})으로 제한되어 있으며, 이 요청은 그 동작에 관한 것이 아닙니다. 동작을 제한하지 "
        "않은 키를 쓰거나 관리자에게 요청하십시오.",
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
}
