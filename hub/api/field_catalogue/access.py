"""Fields of people, keys and grants."""

from collections.abc import Mapping

from hub.api.field_catalogue.sentence import Sentence

SENTENCES: Mapping[str, Sentence] = {
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
    "password_unchanged": Sentence(
        "must not be the current password: choose another one",
        "현재 비밀번호와 같을 수 없습니다. 다른 비밀번호를 고르십시오.",
    ),
    "administrator_reach": Sentence(
        "must be `all` for the role admin: an administrator reaches all clients",
        "역할이 admin이면 `all`이어야 합니다. 관리자는 모든 클라이언트에 접근합니다.",
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
}
