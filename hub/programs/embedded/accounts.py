"""The hub's own accounts at the embedded broker: made once, kept in a file that only we can read."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from broker_config.render import account_names
from hub import private_files
from hub.programs.embedded.data_folder import write_private
from hub.programs.embedded.errors import EmbeddedError

_SECRET_BYTES = 32
_LATER = "doctor"
"""The role that files of before do not have."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user name and secret for the broker."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """`hub` carries commands and reports, `admin` manages clients, `ops` is for people who look on, `doctor` for
    `floorhub doctor`, when the others are bound to one connection each. Files of before lack it."""

    hub: Account
    admin: Account
    ops: Account
    doctor: Account | None = None

    def by_role(self) -> dict[str, Account]:
        """Those that there are."""
        found = {"hub": self.hub, "admin": self.admin, "ops": self.ops, "doctor": self.doctor}
        return {role: account for role, account in found.items() if account is not None}

    def passwords(self) -> dict[str, str]:
        """The secrets by role, as `broker_config.render` wants them (hashed)."""
        return {role: account.password for role, account in self.by_role().items()}


def load_or_create(file: Path, *, doctor: bool = True) -> Accounts:
    """The accounts kept in `file`; new ones, written there, when it is missing. Raises as `read`. `doctor`: with that
    account.

    New secrets do no harm: the broker's configuration is rendered from them at each start.
    """
    kept = read(file)
    known = {} if kept is None else kept.by_role()
    names = {role: name for role, name in account_names().items() if doctor or role != _LATER}
    if names.keys() <= known.keys():
        return Accounts(**known)
    made = {
        role: known.get(role) or Account(name, secrets.token_urlsafe(_SECRET_BYTES)) for role, name in names.items()
    }
    content = {role: {"username": account.username, "password": account.password} for role, account in made.items()}
    write_private(file, json.dumps(content, indent=2) + "\n")
    return Accounts(**made)


def read(file: Path) -> Accounts | None:
    """The accounts kept in `file`; None when it is missing. Raises EmbeddedError when it is damaged (a hub may use what
    it held), SetupError when others can read it."""
    names = account_names()
    private_files.check_folder(file.parent)
    text = private_files.read(file)
    if text is None:
        return None
    try:
        kept = json.loads(text)
        roles = [role for role in names if role != _LATER or role in kept]
        return Accounts(**{role: Account(names[role], _password(kept[role])) for role in roles})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise EmbeddedError(
            f"{file} is damaged.",
            "Restore it from a backup; or delete it, and the next start makes new secrets for broker and hub.",
            ko=f"{file}이(가) 손상되었습니다. 백업에서 복원하거나 삭제하십시오. 삭제하면 다음에 시작할 때 브로커와 "
            "허브의 새 암호를 만듭니다.",
        ) from None


def _password(entry: dict[str, object]) -> str:
    password = entry["password"]
    if not isinstance(password, str) or not password:
        raise TypeError("no password")
    return password
