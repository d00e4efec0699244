"""Lists of clients as people have them: CSV of any program, read into rows with their line numbers."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from hub.errors import SetupError
from hub.programs.cli.output import either
from schemas.closeness import nearest
from schemas.text import printable

MOST_BYTES = 16 * 1024 * 1024
MOST_ROWS = 20_000
MOST_OF_A_CELL = 20_000
MOST_COLUMNS = 1_000
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DELIMITERS = ",;\t|"
_IN_A_CELL = re.compile(r"[,;|\n]")
_NUMBER = re.compile(r"[0-9]{1,10}|[0-9]{1,3}(,[0-9]{3}){1,3}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
METADATA = "metadata."
"""What the heading of a column begins with that goes into a client's metadata."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "client_id", "client", "아이디", "클라이언트", "클라이언트 id"),
    "name": ("name", "이름", "명칭"),
    "kind": ("kind", "종류", "유형"),
    "zone": ("zone", "구역"),
    "groups": ("groups", "group", "그룹"),
    "tags": ("tags", "tag", "태그"),
    "allowed_actions": ("allowed_actions", "allow", "actions", "허용 동작", "허용 작업"),
    "rate_limit": ("rate_limit", "분당 한도"),
    "max_commands_per_day": ("max_commands_per_day", "per_day", "하루 한도", "일일 한도"),
}
"""The headings that each field may have."""
_LISTS = frozenset({"groups", "tags", "allowed_actions"})
_NUMBERS = frozenset({"rate_limit", "max_commands_per_day"})


def _folded(heading: str) -> str:
    return re.sub(r"[\s_-]+", "", normalize("NFKC", heading)).casefold()


_KIND_OF = {
    _folded(word): kind
    for word, kind in (
        *(("프린터", "printer_pc"), ("프린터 PC", "printer_pc"), ("PDA", "pda"), ("단말기", "pda")),
        *(("키오스크", "kiosk"), ("화면", "screen"), ("디스플레이", "screen"), ("기타", "other")),
    )
}
"""Kinds as Korean lists and the pages call them."""
_FIELD_OF = {_folded(heading): field for field, headings in COLUMNS.items() for heading in headings}


@dataclass(frozen=True, slots=True)
class Line:
    """A client of the list, and the line of the file on which it begins."""

    number: int
    row: dict[str, Any]
    """Its fields as the API takes them; an empty cell is left out."""


@dataclass(frozen=True, slots=True)
class WrongLine:
    """What is wrong with a line, and what to do."""

    number: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ClientList:
    """What a file holds."""

    lines: Sequence[Line]
    wrong: Sequence[WrongLine]


def read_list(raw: bytes, *, encoding: str | None = None, skip_columns: bool = False) -> ClientList:
    """Read a file. `encoding`: other than UTF-8, if it has no byte order mark; `skip_columns`: leave out columns that
    are not known. Raises SetupError for a file that cannot be read as a whole."""
    if len(raw) > MOST_BYTES:
        raise SetupError(
            f"The list is larger than {MOST_BYTES // 1024 // 1024} MiB: split it.",
            ko=f"목록이 {MOST_BYTES // 1024 // 1024} MiB보다 큽니다. 나누십시오.",
        )
    text = _decoded(raw, encoding)
    skipped = 0
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"(?i)sep=.\r?", first):  # a line by which Excel is told the delimiter
        delimiter, text, skipped = first[4], rest, 1
    else:
        delimiter = _delimiter(text)
    rows = _rows(text, delimiter, skipped)
    columns: list[str | None] = []
    lines: list[Line] = []
    wrong: list[WrongLine] = []
    begun: dict[str, int] = {}
    try:
        for number, cells in rows:
            if not columns:
                columns = _columns(cells, number, skip_columns=skip_columns)
                continue
            if len(lines) + len(wrong) >= MOST_ROWS:
                raise SetupError(
                    f"The list has more than {MOST_ROWS:,} clients: split it.",
                    ko=f"목록에 클라이언트가 {MOST_ROWS:,}대보다 많습니다. 나누십시오.",
                )
            read = _line(number, cells, columns, begun)
            (wrong.append if isinstance(read, WrongLine) else lines.append)(read)  # type: ignore[arg-type]
    except csv.Error as problem:
        number = _line_of(rows)
        raise SetupError(
            f"Line {number}: this is no CSV ({problem}): a quote may be missing, or the cell is longer than "
            f"{MOST_OF_A_CELL:,} characters. Save the list as CSV again.",
            ko=f"{number}번째 줄: CSV가 아닙니다({problem}). 따옴표가 빠졌거나 셀이 {MOST_OF_A_CELL:,}자보다 깁니다. "
            "목록을 CSV로 다시 저장하십시오.",
        ) from None
    if not columns:
        raise SetupError(
            "The list is empty: its first line names the columns, such as id,name,zone.",
            ko="목록이 비어 있습니다. 첫 줄에 id,name,zone 같은 열 이름이 있어야 합니다.",
        )
    return ClientList(lines, wrong)


class _TooWideError(csv.Error):
    """A line has too many cells."""


class _Rows:
    """The rows of a CSV that are not empty, each with the line on which it begins."""

    def __init__(self, text: str, delimiter: str, skipped: int) -> None:
        csv.field_size_limit(MOST_OF_A_CELL)
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._skipped = skipped
        self.line = skipped + 1

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            self.line = self._skipped + self._reader.line_num + 1
            row = next(self._reader)
            if len(row) > MOST_COLUMNS:
                raise _TooWideError(f"more than {MOST_COLUMNS:,} cells")
            cells = [_cell(cell) for cell in row]
            if any(cells):
                return self.line, cells


def _rows(text: str, delimiter: str, skipped: int) -> _Rows:
    return _Rows(text, delimiter, skipped)


def _line_of(rows: _Rows) -> int:
    return rows.line


def _cell(text: str) -> str:
    """Without blanks around it, in the one form in which the hub keeps words."""
    return normalize("NFC", text).strip().strip("\u00a0\u200b\ufeff").strip()


def _decoded(raw: bytes, encoding: str | None) -> str:
    for mark, name in _BOMS:
        if raw.startswith(mark):
            encoding, raw = name, raw[len(mark) :]
            break
    try:
        text = raw.decode(encoding or "utf-8")
    except UnicodeDecodeError as problem:
        number = raw[: problem.start].count(b"\n") + 1
        name = encoding or "UTF-8"
        raise SetupError(
            f"Line {number} is not {name}: save the list as `CSV UTF-8`, or name its encoding, such as --encoding "
            "cp949 for a list of Korean Excel.",
            ko=f"{number}번째 줄이 {name}이(가) 아닙니다. 목록을 `CSV UTF-8`로 저장하거나, 한국어 Excel의 CSV라면 "
            "--encoding cp949를 쓰십시오.",
        ) from None
    except (LookupError, UnicodeError):
        # Names of which Python makes no text, too, such as `undefined` and `punycode`.
        raise SetupError(
            f"--encoding {printable(str(encoding), 50)}: there is no such encoding. Use utf-8, utf-16 or cp949.",
            ko=f"--encoding {printable(str(encoding), 50)}: 없는 인코딩입니다. utf-8, utf-16, cp949를 쓰십시오.",
        ) from None
    if "\0" in text:
        number = text[: text.index("\0")].count("\n") + 1
        raise SetupError(
            f"Line {number} has NUL characters: this is no CSV, or it is UTF-16. Save it as `CSV UTF-8`, or use "
            "--encoding utf-16.",
            ko=f"{number}번째 줄에 NUL 문자가 있습니다. CSV가 아니거나 UTF-16입니다. `CSV UTF-8`로 저장하거나 "
            "--encoding utf-16을 쓰십시오.",
        )
    lone = _LONE_SURROGATE.search(text)  # utf-7 and escapes make them
    if lone is not None:
        number = text[: lone.start()].count("\n") + 1
        raise SetupError(
            f"Line {number} is not {encoding}: save the list as `CSV UTF-8`.",
            ko=f"{number}번째 줄이 {encoding}이(가) 아닙니다. 목록을 `CSV UTF-8`로 저장하십시오.",
        )
    return text


def _delimiter(text: str) -> str:
    """The one that gives a heading `id`, of several the one that gives the most columns."""

    def rank(delimiter: str) -> tuple[bool, int]:
        try:
            _, headings = next(iter(_rows(text, delimiter, 0)))
        except _TooWideError:
            return True, MOST_COLUMNS + 1
        except (StopIteration, csv.Error):
            return False, 0
        return any(_FIELD_OF.get(_folded(one)) == "id" for one in headings), len(headings)

    return max(_DELIMITERS, key=rank)


def _columns(headings: Sequence[str], number: int, *, skip_columns: bool) -> list[str | None]:
    """The field of each column; None for one that is left out. Raises SetupError."""
    columns: list[str | None] = []
    for heading in headings:
        field = heading if heading.startswith(METADATA) and heading != METADATA else _FIELD_OF.get(_folded(heading))
        if field is None and heading and not skip_columns:
            raise _unknown_column(heading, number)
        if field is not None and field in columns:
            raise SetupError(
                f"Line {number}: two columns are for {field}: leave one out.",
                ko=f"{number}번째 줄: {field} 열이 두 개입니다. 하나를 빼십시오.",
            )
        columns.append(field)
    if "id" not in columns:
        raise SetupError(
            f"Line {number} has no column `id`: the first line names the columns, such as id,name,zone.",
            ko=f"{number}번째 줄에 `id` 열이 없습니다. 첫 줄에 id,name,zone 같은 열 이름이 있어야 합니다.",
        )
    return columns


def _unknown_column(heading: str, number: int) -> SetupError:
    name = printable(heading, 50)
    meant = nearest(heading, [one for headings in COLUMNS.values() for one in headings])
    english = f" Did you mean `{meant}`?" if meant else ""
    korean = f" 비슷한 열: `{meant}`." if meant else ""
    return SetupError(
        f"Line {number}: `{name}` is no column of a client.{english} Columns: {', '.join(COLUMNS)}. Name it "
        f"`{METADATA}{name}` to keep it with the client, or leave it out with --skip-columns.",
        ko=f"{number}번째 줄: `{name}`은(는) 클라이언트의 열이 아닙니다.{korean} 열: {', '.join(COLUMNS)}. "
        f"클라이언트와 함께 보관하려면 `{METADATA}{name}`로 쓰고, 빼려면 --skip-columns를 쓰십시오.",
    )


def _line(number: int, cells: Sequence[str], columns: Sequence[str | None], begun: dict[str, int]) -> Line | WrongLine:
    if len(cells) < len(columns) or any(cells[len(columns) :]):
        return WrongLine(
            number,
            "",
            either(
                f"has {len(cells)} cells, the first line {len(columns)}: a cell with a delimiter in it needs quotes",
                f"셀이 {len(cells)}개인데 첫 줄에는 {len(columns)}개입니다. 구분 문자가 들어 있는 셀은 따옴표로 "
                "묶으십시오.",
            ),
        )
    row: dict[str, Any] = {}
    for field, cell in zip(columns, cells, strict=False):
        if field is None or not cell:
            continue
        if field.startswith(METADATA):
            row.setdefault("metadata", {})[field.removeprefix(METADATA)] = cell
        elif field in _LISTS:
            row[field] = list(dict.fromkeys(one for part in _IN_A_CELL.split(cell) if (one := part.strip())))
        elif field in _NUMBERS:
            if not _NUMBER.fullmatch(cell):
                return WrongLine(number, field, either("must be a whole number", "정수여야 합니다."))
            row[field] = int(cell.replace(",", ""))
        elif field == "kind":
            row[field] = _KIND_OF.get(_folded(cell), re.sub(r"[\s-]+", "_", cell).lower())
        else:
            row[field] = cell
    if "id" not in row:
        return WrongLine(number, "id", either("is empty: every client needs one", "비어 있습니다. 필수 항목입니다."))
    first = begun.setdefault(row["id"], number)
    if first != number:
        return WrongLine(
            number,
            "id",
            either(
                f"{printable(row['id'], 80)} stands on line {first}, too: leave one out",
                f"{printable(row['id'], 80)}은(는) {first}번째 줄에도 있습니다. 하나를 빼십시오.",
            ),
        )
    return Line(number, row)
