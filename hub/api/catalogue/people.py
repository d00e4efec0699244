"""Errors of people: sign-in, sessions, passwords, administrators."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
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
        "The refresh token is not valid: it was already used, has expired, or was issued for another `screenId`; or "
        "its session has ended. "
        "Sign in again with POST /api/auth/login.",
        "리프레시 토큰이 유효하지 않습니다. 이미 사용했거나, 만료되었거나, 다른 `screenId`로 발급되었거나, 세션이 "
        "끝났습니다. "
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
        "Enter your password again: this request is allowed only within 10 minutes after you have entered it. Send "
        "POST /api/auth/confirm with your password, then send this request again.",
        "비밀번호를 다시 입력하십시오. 이 요청은 비밀번호를 입력한 뒤 10분 안에만 할 수 있습니다. "
        "POST /api/auth/confirm으로 비밀번호를 보낸 뒤 이 요청을 다시 보내십시오.",
    ),
    "people_only": Entry(
        403,
        "FORBIDDEN",
        "The request needs a person who has signed in: a key has no session and no password. Sign in with "
        "POST /api/auth/login.",
        "로그인한 사람만 쓸 수 있습니다. 키에는 세션과 비밀번호가 없습니다. POST /api/auth/login으로 로그인하십시오.",
    ),
    "link_not_valid": Entry(
        403,
        "FORBIDDEN",
        "The link is not valid: it was used, has expired or was replaced. To get another link for the first "
        "administrator, restart the hub; to get another link for a password, ask an administrator.",
        "링크가 유효하지 않습니다. 이미 사용했거나, 만료되었거나, 새 링크로 바뀌었습니다. 첫 관리자 링크는 허브를 다시 "
        "시작하면 새로 만들어지고, 비밀번호 링크는 관리자에게 요청하십시오.",
        variants={
            "first_administrator": (
                "The link is not valid: it was used, has expired or was replaced. Restart the hub to get another link.",
                "링크가 유효하지 않습니다. 이미 사용했거나, 만료되었거나, 새 링크로 바뀌었습니다. 허브를 다시 시작하면 "
                "새 링크가 만들어집니다.",
            ),
            "password": (
                "The link is not valid: it was used, has expired or was replaced. Ask an administrator for another "
                "link.",
                "링크가 유효하지 않습니다. 이미 사용했거나, 만료되었거나, 새 링크로 바뀌었습니다. 관리자에게 새 링크를 "
                "요청하십시오.",
            ),
        },
    ),
    "first_administrator_exists": Entry(
        409,
        "CONFLICT",
        "There is an administrator already: sign in, or ask an administrator to add you. If the password is lost, run "
        "`floorhub user recover` on the hub's machine.",
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
}
