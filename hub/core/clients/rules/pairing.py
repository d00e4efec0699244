"""Connecting machines: which clients somebody may make, what enrolled machines are called, and how fresh a proof is."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.core.access.rules.targets import ClientsNamed
from hub.errors import FieldProblem

CODE_LASTS = timedelta(minutes=10)
MOST_TRIES = 10
"""Requests with the right code and a wrong proof, after which the code is good no more."""
MOST_OPEN = 1_000
"""Open codes of a hub: each makes guessing one of them easier."""
MOST_NUMBERS = 3
"""Wrong numbers that a person may confirm."""
CLOCK_ERROR = timedelta(minutes=5)
"""How far a machine's clock may be from the hub's, as elsewhere."""
MOST_ENROLLED = 10_000
LONGEST_ENROLMENT = timedelta(days=90)
NAMING = re.compile(r"[a-z0-9-]*\{(?:n|host)\}[a-z0-9-]*")
_LONGEST_ID = 63
_NUMBERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a new client shall be: what grants go by."""

    zone: str | None = None
    tags: Sequence[str] = ()
    groups: Sequence[str] = field(default=())


def outside(place: Place, reach: Sequence[ClientsNamed] | None) -> Iterator[FieldProblem]:
    """What puts a new client beyond what somebody reaches: each zone, group and tag must be one that his grants (or his
    key) name, since others' grants go by them, too; and he must reach the client then. None: he reaches all."""
    if reach is None or any(each.kind == "all" for each in reach):
        return
    zones = {each.name for each in reach if each.kind == "zone"}
    groups = {each.name for each in reach if each.kind == "group"}
    tags = [frozenset(each.tags or ()) for each in reach if each.kind == "tags"]
    known = ", ".join(sorted(str(zone) for zone in zones)) or "-"
    if place.zone is not None and place.zone not in zones:
        yield FieldProblem("zone", "outside_your_reach", {"known": known})
    for number, group in enumerate(place.groups):
        if group not in groups:
            names = ", ".join(sorted(str(each) for each in groups)) or "-"
            yield FieldProblem(f"groups[{number}]", "outside_your_reach", {"known": names})
    for number, tag in enumerate(place.tags):
        if not any(tag in each for each in tags):
            names = ", ".join(sorted({name for each in tags for name in each})) or "-"
            yield FieldProblem(f"tags[{number}]", "outside_your_reach", {"known": names})
    reached = place.zone in zones or groups.intersection(place.groups) or any(each <= {*place.tags} for each in tags)
    if not reached and place.zone is None:
        yield FieldProblem("zone", "outside_your_reach", {"known": known})


def is_fresh(at: datetime, now: datetime, before: datetime | None) -> bool:
    """Whether a proof of this moment counts: made about now, and after the one before of the same machine."""
    return abs(at - now) <= CLOCK_ERROR and (before is None or at > before)


def slug_of_host(host: str) -> str:
    """The name of a machine as part of an id; empty where nothing of it can be."""
    plain = unicodedata.normalize("NFKD", host).encode("ascii", "ignore").decode().lower().split(".", 1)[0]
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_ID]


def ids_of(naming: str, host: str, number: int) -> list[str]:
    """The ids that a machine may get, the first choice first; none, where the rule needs its name and it has none."""
    if "{host}" in naming:
        slug = slug_of_host(host)
        return [_cut(naming.replace("{host}", slug))] if slug else []
    return [_cut(naming.replace("{n}", str(each))) for each in range(number, number + _NUMBERS_AT_ONCE)]


def _cut(text: str) -> str:
    return text.lstrip("-")[:_LONGEST_ID]
