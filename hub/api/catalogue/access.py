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
                "The permissions of this key are: {may}. The request needs `{permission}`. Ask an administrator for a "
                "key with this permission.",
                "이 키의 권한은 {may}이며 {permission} 권한이 없습니다. 관리자에게 `{permission}` 권한이 있는 키를 "
                "요청하십시오.",
            ),
            "by_role_of_key": (
                "The permissions of this key are: {may}. The request needs `{permission}`. Ask an administrator for "
                "this permission: the role {role} does not have it; the roles that have it are: {roles}.",
                "이 키의 권한은 {may}이며 {permission} 권한이 없습니다. 관리자에게 `{permission}` 권한을 요청하십시오. "
                "역할 {role}에는 이 권한이 없으며, 이 권한이 있는 역할은 {roles}입니다.",
            ),
            "by_role": (
                "Your permissions are: {may}. The request needs `{permission}`. Ask an administrator for this "
                "permission: the role {role} does not have it; the roles that have it are: {roles}.",
                "{may} 권한은 있지만 {permission} 권한이 없습니다. 관리자에게 `{permission}` 권한을 요청하십시오. "
                "역할 {role}에는 이 권한이 없으며, 이 권한이 있는 역할은 {roles}입니다.",
            ),
        },
    ),
    "key_address_refused": Entry(
        403,
        "FORBIDDEN",
        "This key cannot be used from the address {address}: use the key from an allowed address, or ask an "
        "administrator for a new key that allows {address}.",
        "이 키는 주소 {address}에서 사용할 수 없습니다. 허용된 주소에서 사용하거나, 관리자에게 이 주소가 허용된 새 "
        "키를 요청하십시오.",
    ),
    "wider_than_your_key": Entry(
        403,
        "FORBIDDEN",
        "Your key is limited, and the request would give somebody more than your key has: {limits}. Stay within the "
        "limits of your key, use a key without these limits, or sign in as an administrator.",
        "사용 중인 키에는 제한이 있는데, 이 키의 범위보다 넓은 권한을 주려는 요청입니다: {limits}. 키의 범위 안에서 "
        "요청하거나, 이 제한이 없는 키를 사용하거나, 관리자로 로그인하십시오.",
    ),
    "too_many_unknown_keys": Entry(
        503,
        "UNAVAILABLE",
        "At the moment, the hub receives too many requests with unknown keys: try again shortly. Keys that were "
        "recently valid still work.",
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
        "The same grant already exists: {made}.",
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
        "The request concerns all clients, but you or your key can access only some clients. Use a key without a limit "
        "on clients, of a user or integration that can access all clients; or ask an administrator.",
        "모든 클라이언트에 관한 요청인데, 본인이나 키가 일부 클라이언트에만 접근할 수 있습니다. 모든 클라이언트에 "
        "접근할 수 있는 사용자나 연동 시스템의 키 가운데 클라이언트를 제한하지 않은 키를 쓰거나 관리자에게 "
        "요청하십시오.",
    ),
    "all_actions_needed": Entry(
        403,
        "FORBIDDEN",
        "Your key is limited to some actions ({actions}), and the request concerns more than these actions: use a "
        "key without a limit on actions, or ask an administrator.",
        "이 키는 일부 동작({actions})으로 제한되어 있으며, 이 요청은 그 동작에 관한 것이 아닙니다. 동작을 제한하지 "
        "않은 키를 쓰거나 관리자에게 요청하십시오.",
    ),
    "grant_missing": Entry(
        403,
        "FORBIDDEN",
        "You are allowed to see client {client_id}, but not to send the action {action} to this client: ask an "
        "administrator for a grant `{access}` for this action on this client. If you use a key, the limits of the key "
        "must also allow this action on this client.",
        "클라이언트 {client_id}을(를) 볼 수는 있지만 {action} 동작을 보낼 수 없습니다. 이 클라이언트의 이 동작에 대한 "
        "`{access}` 접근 허용을 관리자에게 요청하십시오. 키를 쓴다면 키의 범위도 이 동작을 허용해야 합니다.",
    ),
    "decide_missing": Entry(
        403,
        "FORBIDDEN",
        "Nobody knows whether command {command_id} took effect, and you or your key do not have the permission to "
        "decide this: use a key with the permission `decide`, or ask a person who has this permission.",
        "명령 {command_id}이(가) 실제로 수행되었는지 알 수 없으며, 본인이나 키에 이를 결정할 권한이 없습니다. `decide` "
        "권한이 있는 키를 쓰거나 그 권한이 있는 사람에게 요청하십시오.",
    ),
}
