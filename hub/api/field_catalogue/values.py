"""Whether a field is there, of which type it is, its limits, and whether it can be stored."""

from collections.abc import Mapping

from hub.api.field_catalogue.sentence import Sentence

SENTENCES: Mapping[str, Sentence] = {
    "missing": Sentence("is missing: add it", "필수 항목입니다. 추가하십시오."),
    "missing_without_bearer": Sentence(
        "is missing: add it; only a client that sends its secret as a bearer key can leave it out",
        "필수 항목입니다. 추가하십시오. 비밀 값을 bearer 키로 보내는 클라이언트만 생략할 수 있습니다.",
    ),
    "unknown_field": Sentence(
        "is not a field of this object: remove it, or look up the fields in /docs",
        "이 객체에 없는 필드입니다. 빼거나 /docs에서 필드를 확인하십시오.",
    ),
    "unknown_parameter": Sentence(
        "is not a parameter of this path: remove it; the path takes: {names}",
        "이 경로에 없는 매개변수입니다. 빼십시오. 사용할 수 있는 매개변수: {names}.",
    ),
    "type": Sentence("must be {kinds}", "{kinds} 값이어야 합니다."),
    "no_null": Sentence(
        "cannot be null: leave it out to keep the current value", "null일 수 없습니다. 바꾸지 않으려면 빼십시오."
    ),
    "repeated": Sentence("is sent more than once: send it once", "두 번 이상 있습니다. 한 번만 보내십시오."),
    "empty": Sentence("is empty: send a value, or leave it out", "비어 있습니다. 값을 넣거나 빼십시오."),
    "choice": Sentence("must be one of: {choices}", "다음 중 하나여야 합니다: {choices}."),
    "at_least": Sentence("must be at least {limit}", "{limit} 이상이어야 합니다."),
    "at_most": Sentence("must be at most {limit}", "{limit} 이하여야 합니다."),
    "more_than": Sentence("must be more than {limit}", "{limit}보다 커야 합니다."),
    "less_than": Sentence("must be less than {limit}", "{limit}보다 작아야 합니다."),
    "too_short": Sentence("must have {limit} or more characters", "{limit}자 이상이어야 합니다."),
    "too_long": Sentence("must have {limit} or fewer characters", "{limit}자 이하여야 합니다."),
    "too_few": Sentence("must have {limit} or more entries", "항목이 {limit}개 이상이어야 합니다."),
    "too_many": Sentence("must have {limit} or fewer entries", "항목이 {limit}개 이하여야 합니다."),
    "unstorable": Sentence(
        "contains NUL or a broken character, which cannot be stored: remove it",
        "저장할 수 없는 NUL이나 깨진 문자가 있습니다. 지우십시오.",
    ),
    "too_deep": Sentence(
        "is nested deeper than {limit} levels: make it flatter",
        "{limit}단계보다 깊게 중첩되었습니다. 단계를 줄이십시오.",
    ),
    "not_finite": Sentence("must be a finite number", "JSON에서 쓸 수 있는 유한한 수여야 합니다."),
    "beyond_64_bits": Sentence("is beyond 64 bits: send it as text", "64비트를 넘습니다. 문자열로 보내십시오."),
    "refused": Sentence("is invalid: {reason}", "올바르지 않습니다: {reason}"),
}
