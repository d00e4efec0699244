"""The words that Floorhub's own programs are written in: what text may keep that nobody has looked at.

A secret, an order number or a customer's name is none of them, or is one by chance. Most of what Postgres and the
broker log is made of them, too.
"""

import re
from functools import cache
from importlib import resources

_PROGRAMS = ("hub", "device_agent", "schemas", "broker_config")
_ENDINGS = (".py", ".sql", ".conf")
_WORD = re.compile(r"[^\W\d_]{2,}")
_OF_SERVICES = """
aborting ambiguous analyze array authorized autovacuum bgwriter buffers checkpointer checkpoints createrole
distance elapsed estimate gcc launcher logical lsn matched performed postmaster recommended recycled removed
replication smart syntax transactions unexpected vacuum varchar violates wal walwriter writing wrote
base64 http2 ipv4 ipv6 md5 sha256 utf8 x86
"""
"""What Postgres and Mosquitto say beside it, and words with digits."""


def are_words(text: str) -> bool:
    """Whether a text has no other words, and no word with digits in it; numbers alone are none."""
    known = words()
    return all(run.isdigit() or run.lower() in known for run in re.findall(r"[^\W_]+", text))


@cache
def words() -> frozenset[str]:
    """In small letters."""
    found: set[str] = set(_OF_SERVICES.split())
    waiting = [resources.files(program) for program in _PROGRAMS]
    while waiting:
        for entry in waiting.pop().iterdir():
            if entry.is_dir():
                waiting.append(entry)
            elif entry.name.endswith(_ENDINGS):
                found.update(word.lower() for word in _WORD.findall(entry.read_text(encoding="utf-8")))
    return frozenset(found)
