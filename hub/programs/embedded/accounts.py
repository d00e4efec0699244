"""The hub's own accounts at the embedded broker: made once, kept in a file that only we can read."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from broker_config.render import account_names
from hub.programs.embedded.data_folder import write_private
from schemas.text import read

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Account:
    """A user name and secret for the broker."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """`hub` carries commands and reports, `admin` manages clients, `ops` is for people who look on."""

    hub: Account
    admin: Account
    ops: Account

    def passwords(self) -> dict[str, str]:
        """The secrets by role, as `broker_config.render` wants them (hashed)."""
        return {"hub": self.hub.password, "admin": self.admin.password, "ops": self.ops.password}


def load_or_create(file: Path) -> Accounts:
    """The accounts kept in `file`; new ones, written there, when it is missing or incomplete.

    New secrets do no harm: the broker's configuration is rendered from them at each start.
    """
    names = account_names()
    try:
        kept = json.loads(read(file))
        return Accounts(**{role: Account(names[role], str(kept[role]["password"])) for role in names})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    made = {role: Account(name, secrets.token_urlsafe(_SECRET_BYTES)) for role, name in names.items()}
    content = {role: {"username": account.username, "password": account.password} for role, account in made.items()}
    write_private(file, json.dumps(content, indent=2) + "\n")
    return Accounts(**made)
