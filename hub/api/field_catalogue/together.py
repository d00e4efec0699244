"""Fields that do not go together."""

from collections.abc import Mapping

from hub.api.field_catalogue.sentence import Sentence

SENTENCES: Mapping[str, Sentence] = {
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
        "must be an earlier time than `created_before`: otherwise nothing can match",
        "`created_before`보다 앞선 시각이어야 합니다. 그렇지 않으면 조건에 맞는 항목이 없습니다.",
    ),
    "empty_filter": Sentence(
        "can only find commands with one of the statuses {names}, but the filter `status` excludes these commands: "
        "remove one of the two filters",
        "상태가 {names} 중 하나인 명령만 찾는 필터인데, `status` 필터가 이 명령을 제외합니다. 두 필터 중 하나를 "
        "빼십시오.",
    ),
    "needed_with": Sentence("is missing: `{other}` needs this field", "필수 항목입니다. `{other}`에 필요합니다."),
}
