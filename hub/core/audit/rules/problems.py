"""What may be wrong with the trail, and its sentences. Pure."""

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong. `row`: the id of the first row concerned; `seal`: the number of the block."""

    code: str
    row: int | None = None
    seal: int | None = None

    def sentence(self, *, korean: bool) -> str:
        """What it means, for a person."""
        english, in_korean = SENTENCES[self.code]
        text = in_korean if korean else english
        return text.format(row=self.row, seal=self.seal)


SENTENCES = {
    "row_edited": (
        "Row {row} was changed after seal {seal} was made.",
        "봉인 {seal} 이후에 행 {row}이(가) 변경되었습니다.",
    ),
    "row_deleted": (
        "Row {row} of seal {seal} was deleted.",
        "봉인 {seal}의 행 {row}이(가) 삭제되었습니다.",
    ),
    "row_inserted": (
        "Row {row} was inserted among sealed rows; no seal has it.",
        "봉인된 행들 사이에 행 {row}이(가) 삽입되었습니다. 이 행을 포함하는 봉인이 없습니다.",
    ),
    "row_erased": (
        "The texts of row {row} (seal {seal}) were erased, and no sealed row records an erasure of it.",
        "행 {row}(봉인 {seal})의 내용이 지워졌는데 이를 지웠다는 봉인된 기록이 없습니다.",
    ),
    "seal_changed": (
        "Seal {seal} was changed or is not signed by the hub's audit key; its first row is {row}.",
        "봉인 {seal}이(가) 변경되었거나 허브의 감사 키로 서명되지 않았습니다. 첫 행은 {row}입니다.",
    ),
    "seal_deleted": (
        "Seal {seal} is missing.",
        "봉인 {seal}이(가) 없습니다.",
    ),
    "chain_broken": (
        "Seal {seal} does not follow the seal before it; its first row is {row}.",
        "봉인 {seal}이(가) 바로 앞의 봉인과 이어지지 않습니다. 첫 행은 {row}입니다.",
    ),
    "start_missing": (
        "The trail begins with seal {seal}, and no signed clean-up has removed what was before it.",
        "감사 기록이 봉인 {seal}부터 시작하는데, 그 앞을 정리했다는 서명된 기록이 없습니다.",
    ),
    "end_missing": (
        "The end is missing: seal {seal} was made, and the trail ends before it. If the database was restored from a "
        "backup, start the hub, which records the restore.",
        "끝부분이 없습니다. 봉인 {seal}까지 만들어졌는데 기록이 그 전에 끝납니다. 데이터베이스를 백업에서 복원했다면 "
        "허브를 시작하십시오. 허브가 복원을 기록합니다.",
    ),
    "rewritten": (
        "Seal {seal} is not the one that was noted outside of the database: the trail was made anew.",
        "봉인 {seal}이(가) 데이터베이스 밖에 적어 둔 것과 다릅니다. 기록이 새로 만들어졌습니다.",
    ),
    "restored": (
        "At seal {seal} the hub found that later seals were missing, and no `floorhub restore` is recorded: either the "
        "database was restored by other means, or the end of the trail was removed.",
        "허브는 봉인 {seal}에서 뒤의 봉인이 없어진 것을 발견했고, `floorhub restore` 기록은 없습니다. 다른 방법으로 "
        "데이터베이스를 복원했거나 감사 기록의 끝부분이 제거된 것입니다.",
    ),
    "broken": (
        "At seal {seal} the hub found a trail that was changed, and went on from there.",
        "허브는 봉인 {seal}에서 변경된 감사 기록을 발견하고 거기서부터 이어 썼습니다.",
    ),
}
"""By code, in English and Korean."""
