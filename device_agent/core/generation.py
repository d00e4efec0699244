"""The number by which a journal is told from an older copy of itself.

It only rises, in the same commit as what it counts. The high part counts changes about commands, and only those of a
process that the hub has welcomed: until then nobody has looked whether the journal is an older copy, and such a one
must not catch up. The low part counts process starts since the last change, so that two processes never show the same.
"""

_STARTS = 1 << 20


def after_start(mark: int) -> int:
    """The mark of a process that starts. A million starts without a command between them, and it stands still: then
    the hub doubts the journal, which costs a new identity and no command."""
    return mark + 1 if mark % _STARTS < _STARTS - 1 else mark


def after_change(mark: int) -> int:
    """The mark after a change about a command."""
    return (mark // _STARTS + 1) * _STARTS
