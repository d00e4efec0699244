"""Moments of the hub (UTC) within its sentences, as the clock on the wall shows them here."""

import re
from datetime import datetime

_MOMENT = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


def with_local_times(sentence: str) -> str:
    """The sentence with local times and the name of their zone; what only looks like a moment stays."""
    return _MOMENT.sub(_shown, sentence)


def _shown(found: re.Match[str]) -> str:
    try:
        return f"{datetime.fromisoformat(found.group()).astimezone():%Y-%m-%d %H:%M:%S %Z}"
    except (ValueError, OverflowError, OSError):
        return found.group()
