"""Who keeps the agent alive: systemd is told that it is ready and alive, and starts it anew; elsewhere it does that
itself."""

import os
import socket
import sys
from typing import NoReturn

RESTART_CODE = 75
"""The exit code that asks a service manager for a new process."""


def notify(state: str) -> bool:
    """Send `READY=1`, `WATCHDOG=1` or `STOPPING=1`. False: nobody listens. Never raises, never waits."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"} or not hasattr(socket, "AF_UNIX"):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(state.encode(), address)
    except OSError:
        return False
    return True


def start_anew() -> NoReturn:
    """Begin a new process in the place of this one. Call it when nothing of the agent runs any more.

    A service manager does it by itself: systemd says that it is there (`INVOCATION_ID`), and another one may be named
    by `FLOORHUB_SUPERVISED=1`. Otherwise this process becomes the new one, with the same arguments.
    """
    if os.environ.get("INVOCATION_ID") or os.environ.get("FLOORHUB_SUPERVISED"):
        sys.exit(RESTART_CODE)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - no shell; our own arguments
