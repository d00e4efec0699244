"""The HTTP library, loaded late and lean: an agent that fetches and prints nothing never pays for it."""

import importlib
import socket
import sys
from types import ModuleType

SMALL_SEND_BUFFER = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)]
"""Socket options of whoever sends files. The system's own buffer grows to megabytes: what lies there looks as if it had
arrived, and on a slow line the answer would be missed for minutes."""


def load_httpx() -> ModuleType:
    """httpx without its command line program: where rich and click are installed, it loads them, 6 MB that nobody
    uses. None in `sys.modules` makes that one import fail, which httpx expects."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    return importlib.import_module("httpx")
