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
    """The accounts kept in `file`; new ones, written there, when it is missing. Raises as `read`.

    New secrets do no harm: the broker's configuration is rendered from them at each start.
    """
    kept = read(file)
    if kept is not None:
        return kept
    names = account_names()
    made = {role: Account(name, secrets.token_urlsafe(_SECRET_BYTES)) for role, name in names.items()}
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
        return Accounts(**{role: Account(names[role], _password(kept[role])) for role in names})
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
