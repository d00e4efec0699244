"""The file of faults: its fields, their ranges, and a sentence that names the line where it is wrong. Pure."""

import re
import tomllib
from fnmatch import fnmatchcase
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from hub.errors import SetupError
from hub.programs.simulator.lines import Path, line_of, path_of

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Span = tuple[Seconds, Seconds]
"""The least and the most."""
Pattern = Annotated[str, Meta(pattern=r"^[a-z0-9*?\[\]!-]+$")]
Action = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Part = TypeVar("Part", "Line", "Effects")
PAGE = "docs/how-to/simulate-a-site.md"


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to messages in one direction; shares of them."""

    drop: Share = 0.0
    duplicate: Share = 0.0
    delay: Share = 0.0
    delay_s: Span = (0.1, 1.0)


class Messages(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"inward": "in", "outward": "out"}
):
    """`in`: commands and receipts to a client; `out`: its reports."""

    inward: Line = Line()
    outward: Line = Line()


class Away(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`share` of the clients go away, again and again; `every_s` between, `down_s` gone."""

    share: Share = 0.0
    every_s: Span = (20.0, 60.0)
    down_s: Span = (1.0, 5.0)


class Crash(Away, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process dies: no good-bye, memory gone. `lose_journal`: share of crashes that cost the journal, too."""

    lose_journal: Share = 0.0


class Effects(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How effects go: how long, and the shares that end in another way than completed."""

    work_s: Span = (0.05, 0.3)
    slow: Share = 0.0
    slow_s: Span = (5.0, 20.0)
    held: Share = 0.0
    held_s: Span = (1.0, 5.0)
    fail: Share = 0.0
    fail_retryable: Share = 0.0
    unknown: Share = 0.0


class Clock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`share` of the clients have a wrong clock, by so many seconds."""

    share: Share = 0.0
    skew_s: tuple[float, float] = (-600.0, 600.0)


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other faults for some clients, some actions, or both; what it does not say stays as it is without it."""

    clients: Pattern | Annotated[list[Pattern], Meta(min_length=1)] = "*"
    """Ids; `*` and `?` stand for what they stand for in file names."""
    actions: list[Action] = []
    """Empty: all. With actions a rule is about runs, their reports and their effects."""
    direction: Literal["in", "out", "both"] = "both"
    drop: Share | None = None
    duplicate: Share | None = None
    delay: Share | None = None
    delay_s: Span | None = None
    work_s: Span | None = None
    slow: Share | None = None
    slow_s: Span | None = None
    held: Share | None = None
    held_s: Span | None = None
    fail: Share | None = None
    fail_retryable: Share | None = None
    unknown: Share | None = None
    crash: Crash | None = None
    offline: Away | None = None
    clock: Clock | None = None

    def for_client(self, client_id: str) -> bool:
        """Whether it is about this client."""
        patterns = [self.clients] if isinstance(self.clients, str) else self.clients
        return any(fnmatchcase(client_id, pattern) for pattern in patterns)

    def for_actions(self, actions: frozenset[str]) -> bool:
        """Whether it is about a message or effect of these actions; none: a message of no single command."""
        return not self.actions or not actions.isdisjoint(self.actions)

    def line(self, before: Line, direction: str) -> Line:
        """A direction's faults, with what the rule says of them."""
        return before if self.direction not in ("both", direction) else _replaced(before, self)

    def effects(self, before: Effects) -> Effects:
        """The faults of effects, with what the rule says of them."""
        return _replaced(before, self)


def _replaced(before: Part, rule: Rule) -> Part:
    said = {name: getattr(rule, name) for name in before.__struct_fields__}
    return msgspec.structs.replace(before, **{name: value for name, value in said.items() if value is not None})


class Faults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file. Without one: nothing goes wrong."""

    seed: int = 1
    messages: Messages = Messages()
    crash: Crash = Crash()
    offline: Away = Away()
    effects: Effects = Effects()
    clock: Clock = Clock()
    rule: list[Rule] = []
    """Where several speak of one thing, the last one counts."""

    @property
    def longest_delay_s(self) -> float:
        """How long a message to a client may be held up."""
        lines = [self.messages.inward, *(rule.line(self.messages.inward, "in") for rule in self.rule)]
        return max(line.delay_s[1] if line.delay else 0.0 for line in lines)


def parse(text: str, name: str) -> Faults:
    """The faults of a TOML text. Raises SetupError with the line, the field, what is wrong and what may stand there."""
    try:
        faults = msgspec.convert(tomllib.loads(text), Faults)
    except tomllib.TOMLDecodeError as problem:
        raise SetupError(f"{name} is not TOML: {problem}. / TOML 형식이 아닙니다.") from None
    except msgspec.ValidationError as problem:
        path = path_of(str(problem))
        unknown = re.search(r"unknown field `([^`]+)`", str(problem))
        line = line_of(text, (*path, unknown[1]) if unknown else path)
        sentence = f"{problem}. Fields and ranges: {PAGE}. / 필드와 범위를 확인하십시오."
        raise SetupError(f"{_place(name, line)}: {sentence}") from None
    for path, wrong in _wrong(faults):
        raise SetupError(f"{_place(name, line_of(text, path))}: {_spelt(path)}: {wrong}")
    return faults


def check_clients(faults: Faults, text: str, name: str, ids: list[str]) -> None:
    """Raise SetupError for a rule that is about none of the clients: it would be silent about its spelling mistake."""
    for number, rule in enumerate(faults.rule):
        if not any(rule.for_client(client_id) for client_id in ids):
            raise SetupError(
                f"{_place(name, line_of(text, ('rule', number, 'clients')))}: rule: clients {rule.clients!r} matches "
                f"none of {ids[0]} to {ids[-1]}. / 일치하는 클라이언트가 없습니다."
            )


def _place(name: str, line: int | None) -> str:
    return name if line is None else f"{name} line {line}"


def _spelt(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _wrong(faults: Faults) -> list[tuple[Path, str]]:
    """What types cannot say: paths and sentences."""
    parts: list[tuple[Path, Struct | None]] = [
        (("messages", "in"), faults.messages.inward),
        (("messages", "out"), faults.messages.outward),
        (("crash",), faults.crash),
        (("offline",), faults.offline),
        (("effects",), faults.effects),
        (("clock",), faults.clock),
    ]
    found: list[tuple[Path, str]] = []
    for number, rule in enumerate(faults.rule):
        here: Path = ("rule", number)
        parts += [(here, rule), *(((*here, name), getattr(rule, name)) for name in ("crash", "offline", "clock"))]
        if rule == Rule(clients=rule.clients, actions=rule.actions, direction=rule.direction):
            found.append((here, "it says no fault. / 오류 설정이 없습니다."))
        whole = next((name for name in ("crash", "offline", "clock") if rule.actions and getattr(rule, name)), None)
        if whole is not None:
            found.append(((*here, whole), "that is about whole clients, not actions. / actions와 함께 쓸 수 없습니다."))
    for path, part in parts:
        for name in part.__struct_fields__ if part is not None else ():
            span = getattr(part, name) if name.endswith("_s") else None
            if span is not None and span[0] > span[1]:
                found.append(((*path, name), "write the smaller number first. / 작은 값을 먼저 쓰십시오."))
    whole_effects: list[tuple[Path, Effects]] = [(("effects",), faults.effects)]
    whole_effects += [(("rule", n), rule.effects(faults.effects)) for n, rule in enumerate(faults.rule)]
    for path, effects in whole_effects:
        if effects.fail + effects.fail_retryable + effects.unknown > 1:
            found.append((path, "fail, fail_retryable and unknown are more than 1. / 합이 1을 넘습니다."))
    return found
