"""Which pages of a document are printed: `1-3,5,8-`, as in print dialogs."""

import re

MOST = 100
"""Ranges of one job."""
_LOOSE = r"-?[0-9]+(-[0-9]*)?"
PATTERN = rf"^{_LOOSE}( *, *{_LOOSE}){{0,{MOST - 1}}}\Z"
"""For schemas: how ranges look. `read_ranges` looks closer."""
RULE = (
    f"give page numbers and ranges in ascending order, such as 1-3,5,8- (8- is from page 8 to the end); at most {MOST}"
)
_NUMBER = "[1-9][0-9]{0,8}"
_RANGE = rf"(?:{_NUMBER}(?:-(?:{_NUMBER})?)?|-{_NUMBER})"
_FORM = re.compile(rf"{_RANGE}(?: *, *{_RANGE}){{0,{MOST - 1}}}")


def read_ranges(text: str) -> list[tuple[int, int | None]]:
    """First and last page of each range, both included; None: the document's last page. Raises ValueError with `RULE`.

    The order is that of RFC 8011 5.2.7: ascending, and no page twice. Printers refuse or reorder anything else.
    """
    if not _FORM.fullmatch(text):
        raise ValueError(RULE)
    ranges = []
    before: int | None = 0
    for part in text.replace(" ", "").split(","):
        first_text, dash, last_text = part.partition("-")
        first = int(first_text or 1)
        last = int(last_text) if last_text else None if dash else first
        if before is None or first <= before or (last is not None and last < first):
            raise ValueError(RULE)
        ranges.append((first, last))
        before = last
    return ranges
