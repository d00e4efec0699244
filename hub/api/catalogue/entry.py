"""What the catalogue says of one code."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """What a code means: the HTTP status, the seeds' name for it, and a sentence with what to do in each language."""

    status: int
    name: str
    en: str
    ko: str
    variants: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """More exact sentences, in English and Korean, for what the error's param `variant` names."""
