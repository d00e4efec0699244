"""Why a command has not run yet: facts and the causes of all subjects in, exactly one cause out. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.features.explain.rules import hiding
from hub.subject import Cause


class Standing(Protocol):
    """A command; each cause asks for further facts of its own."""

    @property
    def status(self) -> str:
        """Where it is."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One cause and what belongs to it: ids, times, numbers, ready for JSON and for the sentences."""

    cause: Cause
    details: Mapping[str, Any]

    @property
    def code(self) -> str:
        """The cause's code."""
        return self.cause.code

    def sentence(self, *, korean: bool) -> str:
        """What a person reads."""
        said = self.cause.ko if korean else self.cause.en
        words = hiding.in_words(self.details)
        return said.format_map({name: _shown(value, korean=korean) for name, value in words.items()})


def explain(command: Standing, causes: Iterable[Cause]) -> Explanation:
    """The first cause that holds, by its rank for the command's status. Raises LookupError when none does, which is a
    fault of the causes: each status has one that always holds."""
    ranked = [cause for cause in causes if command.status in cause.ranks]
    for cause in sorted(ranked, key=lambda cause: cause.ranks[command.status]):
        details = cause.find(command)
        if details is not None:
            return Explanation(cause, details)
    raise LookupError(f"no cause for a command that is {command.status}")


def codes(causes: Sequence[Cause]) -> list[str]:
    """The closed list, each code once."""
    return list(dict.fromkeys(cause.code for cause in causes))


def _shown(value: Any, *, korean: bool) -> str:
    if isinstance(value, dict) and value.keys() == {"en", "ko"}:
        return str(value["ko" if korean else "en"])
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)
