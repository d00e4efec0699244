"""The HTTP library, loaded late and lean: an agent that fetches and prints nothing never pays for it."""

import importlib
import sys
from types import ModuleType


def load_httpx() -> ModuleType:
    """httpx without its command line program: where rich and click are installed, it loads them, 6 MB that nobody
    uses. None in `sys.modules` makes that one import fail, which httpx expects."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    return importlib.import_module("httpx")
