"""What the catalogue says of one mistake in a field."""

from typing import NamedTuple


class Sentence(NamedTuple):
    """What is wrong and what to do; `{names}` are filled from the problem's params."""

    en: str
    ko: str
