"""Fields of clients, and of machines that become clients."""

from collections.abc import Mapping

from hub.api.field_catalogue.sentence import Sentence

SENTENCES: Mapping[str, Sentence] = {
    "no_such_group": Sentence("is not a group: create it first", "없는 그룹입니다. 먼저 만드십시오."),
    "outside_your_reach": Sentence(
        "is outside your reach: choose one that your grants and your key cover ({known})",
        "권한이 닿지 않습니다. 접근 허용과 키의 범위 안에 있는 값을 고르십시오({known}).",
    ),
    "kept_by_replace": Sentence(
        "cannot be set with `replace`: the client keeps what it has",
        "`replace`와 함께 쓸 수 없습니다. 클라이언트의 값은 그대로 유지됩니다.",
    ),
    "naming_rule": Sentence(
        "must contain `{{n}}` or `{{host}}`, with the braces, exactly once; all other characters must be from a-z, 0-9 "
        "and `-`",
        "`{{n}}`이나 `{{host}}` 중 하나를 중괄호까지 그대로 한 번만 써야 하며, 나머지 문자는 a-z, 0-9, `-`여야 합니다.",
    ),
    "no_such_client": Sentence(
        "is not a registered client, or you are not allowed to see it",
        "등록된 클라이언트가 아니거나 볼 권한이 없는 클라이언트입니다.",
    ),
    "retired_id": Sentence(
        "is the id of a retired client, which is never used again: choose another id",
        "폐기된 클라이언트의 id이며 다시 쓸 수 없습니다. 다른 id를 고르십시오.",
    ),
    "no_group_of_name": Sentence(
        "names {name}, which is not a group: create the group first, or import with `create_groups`",
        "{name}은(는) 없는 그룹입니다. 먼저 만들거나 가져올 때 `create_groups`를 지정하십시오.",
    ),
    "client_secret": Sentence(
        "must be a client's secret: `fhc_`, 43 random characters from 0-9, A-Z and a-z, and their checksum",
        "클라이언트의 비밀 값이어야 합니다: `fhc_`, 0-9, A-Z, a-z로 된 무작위 43자, 검사값.",
    ),
    "secret_of_another": Sentence(
        "is the secret of another client: make a new one", "다른 클라이언트의 비밀 값입니다. 새로 만드십시오."
    ),
    "reserved_id": Sentence(
        "is reserved for paths of the API: choose another id", "API 경로에 쓰이는 단어입니다. 다른 id를 고르십시오."
    ),
}
