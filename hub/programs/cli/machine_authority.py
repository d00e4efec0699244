"""The certificate authority of machines, for the broker's files: it follows from the hub's keys on this machine."""

from pathlib import Path

from hub import private_files
from hub.core.clients.rules.certificates import MachineAuthority
from hub.database import session
from hub.database.statements import statement
from hub.errors import SetupError
from hub.keys import FILES, create_seeds, machine_authority_seed, read_seeds


def known(data_dir: Path) -> str:
    """Its certificate, from the keys of a data folder, which may belong to another user. Raises SetupError."""
    with private_files.belonging_to_owner_of(data_dir):
        seeds = read_seeds(data_dir / "keys")
    if "root" not in seeds:
        raise _missing(data_dir / "keys")
    return _pem(seeds["root"])


def prepared(keys: Path, database_url: str) -> str:
    """The same for a hub that is about to start: keys are made where there are none, and nobody relies on any yet."""
    seeds = read_seeds(keys)
    if "root" not in seeds:
        with session.connect(database_url) as connection:
            row = connection.execute(statement("core/hub_keys", "in_use")).fetchone()
        if row is None or row[0]:
            raise _missing(keys)
        seeds = create_seeds(keys)
    return _pem(seeds["root"])


def _pem(root_seed: bytes) -> str:
    return MachineAuthority(machine_authority_seed(root_seed)).pem


def _missing(keys: Path) -> SetupError:
    return SetupError(
        f"{keys / FILES['root']} is missing, from which the certificates of machines follow: start the hub once with "
        "this folder, copy keys/ from another hub, or restore your backup.",
        ko=f"{keys / FILES['root']} 파일이 없습니다. 기기 인증서가 이 키에서 나옵니다. 이 폴더로 허브를 한 번 "
        "시작하거나, 다른 허브에서 keys/를 복사하거나, 백업을 복원하십시오.",
    )
