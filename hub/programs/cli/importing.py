"""The steps of an import, over HTTP: check every line, make the secrets, store.

What is to be stored is checked as a whole before anything is; the secrets lie in a file before the hub hears of a
client. A request may be repeated, since the hub knows a client by its secret. So a crash at any moment is mended by the
next import of the same list.
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.keys import new_client_secret
from hub.programs.cli import output
from hub.programs.cli.api import Api, ApiError
from hub.programs.cli.client_lists import ClientList, Line, WrongLine
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import either

ROUTE = "/api/clients/import"
MOST_CLIENTS = 200
"""Of one request: some tens of milliseconds of the hub."""
MOST_BYTES = 600 * 1024
"""Of the body of one request, with room for the secrets."""
PATIENCE_S = 60.0
"""For a hub that is away while the list is stored."""
PAUSE_S = 1.0
_FIELD = re.compile(r"clients\[(\d+)\]\.?(.*)")
_NO_GROUP = "no_group_of_name"
_TOO_LARGE = "body_too_large"


@dataclass(slots=True, kw_only=True)
class Plan:
    """What becomes of a list, or would: items as the API answers, and what is wrong."""

    items: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[WrongLine] = field(default_factory=list)
    number_of: dict[str, int] = field(default_factory=dict)
    """The line of each client."""

    @property
    def new(self) -> int:
        """How many clients are new."""
        return sum(one["outcome"] == "new" for one in self.items)


@dataclass(slots=True, kw_only=True)
class Checked(Plan):
    """What would become of it."""

    lines: list[Line] = field(default_factory=list)
    """Those that can be stored."""
    lacks_groups: bool = False


class Importing:
    """One import. `secrets` are those of the file, and then those that it should have."""

    def __init__(
        self, api: Api, secrets: dict[str, str], *, update: bool, create_groups: bool, with_secrets: bool
    ) -> None:
        self._api = api
        self._options = {"existing": "update" if update else "keep", "create_groups": create_groups}
        self._with_secrets = with_secrets
        self.secrets = dict(secrets)
        self.root_key = ""

    def check(self, listed: ClientList) -> Checked:
        """Ask the hub what would become of each line. Raises ApiError."""
        checked = Checked(wrong=list(listed.wrong), number_of={line.row["id"]: line.number for line in listed.lines})
        for part in _parts(listed.lines):
            left = list(part)
            while left:
                try:
                    answer = self._post(left, dry_run=True)
                except ApiError as refused:
                    bad = _wrong(refused, left)
                    if not bad:
                        raise
                    for _, code, problem in bad:
                        checked.wrong.append(problem)
                        checked.lacks_groups |= code == _NO_GROUP
                    places = {place for place, _, _ in bad}
                    left = [line for place, line in enumerate(left) if place not in places]
                    continue
                self._take(answer, left, checked)
                checked.lines += left
                break
        return checked

    def make_secrets(self, checked: Checked) -> None:
        """Make a secret for each new client that has none in the file."""
        for one in checked.items:
            if one["outcome"] == "new" and one["id"] not in self.secrets:
                self.secrets[one["id"]] = new_client_secret()

    def store(self, checked: Checked) -> Plan:
        """Store what was checked. A hub that is away for a moment is asked again. Raises ApiError, which says how far
        it came. Afterwards `secrets` has no secret that is not that of a client."""
        done = Plan(wrong=checked.wrong, number_of=checked.number_of)
        total = len(checked.lines)
        for part in _parts(checked.lines):
            try:
                answer = self._post_again(part)
            except ApiError as problem:
                stored = len(done.items)
                problem.add(
                    either(
                        f"{stored} of {total} lines are stored. Run the same import again: it continues from here.",
                        f"{total}줄 가운데 {stored}줄을 저장했습니다. 같은 명령을 다시 실행하면 이어서 진행합니다.",
                    ),
                    {"stored": stored, "lines": total},
                )
                raise
            for one in self._take(answer, part, done):
                if one["secret_valid"] is False:
                    self.secrets.pop(one["id"], None)
            output.progress(either(f"Stored: {len(done.items)} of {total}", f"저장: {len(done.items)}/{total}"))
        return done

    def _take(self, answer: dict[str, Any], lines: Sequence[Line], plan: Plan) -> list[dict[str, Any]]:
        """The items of an answer, which are in the order of the lines. Their ids are ours: they name files, too."""
        self.root_key = answer["root_key"]
        items = [{**one, "id": line.row["id"]} for one, line in zip(answer["items"], lines, strict=False)]
        plan.items += items
        return items

    def _post_again(self, lines: Sequence[Line]) -> Any:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._post(lines, dry_run=False)
            except ApiError as problem:
                if problem.exit_code != ExitCode.UNREACHABLE or time.monotonic() >= end:
                    raise
                output.progress(either("The hub is away: asking again ...", "허브가 응답하지 않아 다시 시도합니다 ..."))
                time.sleep(PAUSE_S)

    def _post(self, lines: Sequence[Line], *, dry_run: bool) -> Any:
        return self._api.post(
            ROUTE, {"clients": [self._row(line) for line in lines], "dry_run": dry_run, **self._options}
        )

    def _row(self, line: Line) -> dict[str, Any]:
        secret = self.secrets.get(line.row["id"]) if self._with_secrets else None
        return line.row if secret is None else {**line.row, "secret": secret}


def _parts(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """As many as fit into a request."""
    part: list[Line] = []
    size = 0
    for line in lines:
        needed = len(json.dumps(line.row, ensure_ascii=False).encode()) + 80
        if part and (len(part) == MOST_CLIENTS or size + needed > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(line)
        size += needed
    if part:
        yield part


def _wrong(refused: ApiError, lines: Sequence[Line]) -> list[tuple[int, str, WrongLine]]:
    """The lines that the hub refused by name: place, code, and what is wrong."""
    if refused.problem.get("code") == _TOO_LARGE and len(lines) == 1:
        too_large = either(
            "its cells are too long together: shorten them", "셀의 내용이 모두 합해 너무 깁니다. 줄이십시오."
        )
        return [(0, _TOO_LARGE, WrongLine(lines[0].number, "", too_large))]
    found = []
    for error in refused.problem.get("errors") or ():
        match = _FIELD.fullmatch(str(error["field"]))
        if match is None or int(match[1]) >= len(lines):
            return []
        place = int(match[1])
        found.append((place, str(error["code"]), WrongLine(lines[place].number, match[2], str(error["message"]))))
    return found
