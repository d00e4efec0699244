"""Node for tests: the one that the locked requirements bring, else that of this machine. Never a reason to skip."""

from pathlib import Path

from hub.programs.embedded.node import Node
from hub.programs.embedded.packages import Packages


def programs() -> tuple[str, str]:
    """Node, and npm as a script for it."""
    found = Node.find()
    return found.node, found.npm


def modules(package: Path) -> Path:
    """The `node_modules` of a folder with package.json and package-lock.json: made once, outside the checkout."""
    return Node.find().modules(Packages(), package)
