"""The generation of a journal: the number that tells it from an older copy of itself. The contract calls it `mark`.

It only rises, in the same commit as what it counts. The high part counts changes about commands, and only those of a
process that the hub has welcomed: until then nobody has looked whether the journal is an older copy, and such a one
must not catch up. The low part counts process starts since the last change, so that two processes never show the same.
"""

_STARTS = 1 << 20


def after_start(generation: int) -> int:
    """The generation of a process that starts. After a million starts without a command between them it stands still:
    then the hub doubts the journal, which costs a new identity and no command."""
    return generation + 1 if generation % _STARTS < _STARTS - 1 else generation


def after_change(generation: int) -> int:
    """The generation after a change about a command."""
    return (generation // _STARTS + 1) * _STARTS
