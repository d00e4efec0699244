"""Fields of batches and schedules."""

from collections.abc import Mapping

from hub.api.field_catalogue.sentence import Sentence

SENTENCES: Mapping[str, Sentence] = {
    "target": Sentence(
        "must have either `clients`, or `all`, or at least one of `group`, `zone` and `tags`",
        "`clients`나 `all` 중 하나만 있거나, `group`, `zone`, `tags` 중 하나 이상이 있어야 합니다.",
    ),
    "kind_of_batch": Sentence(
        "must have either both `target` and `command`, or only `commands`",
        "`target`과 `command`가 함께 있거나, `commands`만 있어야 합니다.",
    ),
    "rollout_too_slow": Sentence(
        "would take longer than {days} days: choose a faster pace",
        "{days}일보다 오래 걸립니다. 진행 속도를 더 빠르게 정하십시오.",
    ),
    "relative_expiry": Sentence(
        "cannot be used here: send expires_in_s, which counts from the time when each command can begin",
        "여기서는 쓸 수 없습니다. 대신 expires_in_s를 쓰십시오. 이 값은 각 명령이 시작할 수 있는 시각부터 셉니다.",
    ),
    "schedule_decides": Sentence(
        "cannot be used here: the schedule decides the time", "여기서는 쓸 수 없습니다. 시각은 예약이 정합니다."
    ),
    "cron": Sentence(
        "must be five fields (minute, hour, day of month, month, day of week), such as 0 7 * * 1-5",
        "0 7 * * 1-5처럼 분, 시, 일, 월, 요일의 다섯 필드여야 합니다.",
    ),
    "cron_field": Sentence(
        "has an invalid {name}, or one that no time ever matches: write it as in 0 7 * * 1-5",
        "{name} 필드가 올바르지 않거나, 이 필드에 맞는 시각이 절대 오지 않습니다. 0 7 * * 1-5처럼 쓰십시오.",
    ),
    "cron_never": Sentence(
        "can never match a time: change it", "이 식에 맞는 시각은 절대 오지 않습니다. 식을 고치십시오."
    ),
    "time_zone": Sentence(
        "must be an IANA time zone such as Asia/Seoul, or UTC", "Asia/Seoul 같은 IANA 시간대 또는 UTC여야 합니다."
    ),
}
