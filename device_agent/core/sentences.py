"""Sentences of others beside our own: a printer's words end as they please."""

_ENDS = (".", "!", "?", "…", "。", "！", "？", ":", ";")  # noqa: RUF001 - how Korean and Chinese texts end


def sentences(*parts: str) -> str:
    """The parts that say something, one after the other, each with an end so that the next can begin."""
    said = [part.strip() for part in parts]
    said = [part for part in said if part]
    ended = [part if part.endswith(_ENDS) else f"{part}." for part in said[:-1]]
    return " ".join([*ended, *said[-1:]])
