"""The known name that somebody probably meant by one that is unknown."""

import difflib
from collections.abc import Iterable

LIKENESS = 0.6
"""0: nothing in common; 1: the same."""


def nearest(name: str, known: Iterable[str], likeness: float = LIKENESS) -> str | None:
    """The closest of the known names, whatever their case; None when none is close. A name that only lacks its end,
    such as its unit, is closer than any other."""
    spelt = {_plain(one): one for one in sorted(known, reverse=True)}
    asked = _plain(name)
    if not asked or len(asked) > 200:
        return None
    if asked in spelt:
        return spelt[asked]
    longer = sorted((one for one in spelt if one.startswith(f"{asked} ")), key=len)
    found = longer or difflib.get_close_matches(asked, spelt, 1, likeness)
    return spelt[found[0]] if found else None


def _plain(name: str) -> str:
    """Words in small letters, apart by a space."""
    apart = "".join(
        f" {one}" if one.isupper() and before.islower() else one for before, one in zip(f" {name}", name, strict=False)
    )
    return " ".join(apart.lower().replace("_", " ").replace("-", " ").replace(".", " ").split())
