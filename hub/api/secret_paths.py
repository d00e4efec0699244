"""Paths that are secrets: whoever knows one may use it, so that it must not stand in a log."""

_BEGINNINGS = ("/api/downloads/", "/api/uploads/")


def shown(path: str) -> str:
    """A path as the log may have it."""
    for beginning in _BEGINNINGS:
        if path.startswith(beginning):
            return f"{beginning}-"
    return path
