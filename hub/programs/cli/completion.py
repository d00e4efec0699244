"""What Tab offers: words of the API, and ids of the hub that the environment names; nothing when it does not answer.

Shells evaluate what they are offered, so only plain words are.
"""

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.errors import HubError
from hub.programs.cli.api import Api, ApiError
from hub.programs.cli.words import STATUSES
from hub.programs.embedded.errors import EmbeddedError

PROGRAM = "floorhub"
VARIABLE = "_FLOORHUB_COMPLETE"
MOST = 50
PATIENCE_S = 2.0
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")


class Shell(StrEnum):
    """Shells that the library completes for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def clients(incomplete: str) -> list[str]:
    """Ids of clients."""
    return list(_plain((item["id"] for item in _items("/api/clients")), incomplete))


def groups(incomplete: str) -> list[str]:
    """Ids of groups."""
    return list(_plain((item["id"] for item in _items("/api/groups")), incomplete))


def printers(incomplete: str) -> list[str]:
    """Names of printers."""
    return list(_plain((item["name"] for item in _items("/api/printers") if item["name"]), incomplete))


def commands(incomplete: str) -> list[str]:
    """Ids of the newest commands."""
    return list(_plain((item["id"] for item in _items("/api/commands")), incomplete))


def batches(incomplete: str) -> list[str]:
    """Ids of the newest batches."""
    return list(_plain((item["id"] for item in _items("/api/batches")), incomplete))


def schedules(incomplete: str) -> list[str]:
    """Names of schedules."""
    return list(_plain((item["name"] for item in _items("/api/schedules")), incomplete))


def dead_letters(incomplete: str) -> list[str]:
    """Ids of open dead letters."""
    return list(_plain((item["id"] for item in _items("/api/dead-letters")), incomplete))


def actions(incomplete: str) -> list[str]:
    """Names of actions."""
    return list(_plain((item["action"] for item in _items("/api/actions", limited=False)), incomplete))


def logins(incomplete: str) -> list[str]:
    """Logins of people."""
    return list(_plain((item["login"] for item in _items("/api/users")), incomplete))


def integrations(incomplete: str) -> list[str]:
    """Names of integrations."""
    return list(_plain((item["name"] for item in _items("/api/integrations")), incomplete))


def keys(incomplete: str) -> list[str]:
    """Prefixes of keys."""
    return list(_plain((item["prefix"] for item in _items("/api/keys")), incomplete))


def keys_of_all_kinds(incomplete: str) -> list[str]:
    """The same, and the keys of a hub itself."""
    return [*_plain(iter(("admin", "command", "root", "data", "audit")), incomplete), *keys(incomplete)]


def grants(incomplete: str) -> list[str]:
    """Ids of grants."""
    return list(_plain((item["id"] for item in _items("/api/grants")), incomplete))


def templates(incomplete: str) -> list[str]:
    """Templates of integrations."""
    return list(_plain((item["id"] for item in _items("/api/integrations/templates", limited=False)), incomplete))


def permissions(incomplete: str) -> list[str]:
    """Permissions of keys."""
    return list(_plain(iter(("read", "command", "document", "administer", "decide", "pair", "audit")), incomplete))


def statuses(incomplete: str) -> list[str]:
    """Statuses of commands."""
    return list(_plain(iter(STATUSES), incomplete))


def outcomes(incomplete: str) -> list[str]:
    """What an unknown command can be decided to be."""
    return list(_plain(iter(("completed", "failed", "cancelled")), incomplete))


def show_script(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(help="The shell that completes the words.")],
) -> None:
    """Print the completion script of a shell.

    bash: add `source <(floorhub completion bash)` to ~/.bashrc.

    zsh: add `source <(floorhub completion zsh)` to ~/.zshrc, after compinit.

    fish: floorhub completion fish > ~/.config/fish/completions/floorhub.fish
    """
    os.environ[VARIABLE] = f"source_{shell.value}"
    try:
        context.find_root().command.main([], prog_name=PROGRAM, complete_var=VARIABLE)
    finally:
        del os.environ[VARIABLE]  # whatever runs the command line in this process next would get the script, too


def _items(path: str, *, limited: bool = True) -> list[dict[str, Any]]:
    """A page of a list; nothing when there is no hub, or it refuses: Tab is no place for errors."""
    try:
        with Api.from_environment(patience_s=PATIENCE_S) as api:
            found: list[dict[str, Any]] = api.get(path, limit=MOST if limited else None)["items"]
            return found
    except (ApiError, HubError, EmbeddedError, KeyError, TypeError):
        return []


def _plain(words: Iterator[str], incomplete: str) -> Iterator[str]:
    return (word for word in words if word.startswith(incomplete) and _PLAIN.fullmatch(word))
