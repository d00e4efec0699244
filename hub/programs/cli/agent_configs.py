"""Configurations of agents, as commands that register clients write them."""

from pathlib import Path

from msgspec.structs import replace

from hub.keys import write_secret_file
from hub.programs.cli.api import Api, running
from hub.programs.embedded.data_folder import default_root
from schemas.addresses import read_address
from schemas.text import read


def broker_url(api: Api, given: str) -> str:
    """The broker as clients reach it: as given, else that of the hub on this machine, else beside the hub."""
    beside = running(default_root(), "mqtt_url") if api.url == running(default_root()) else None
    return given or beside or f"mqtt://{replace(read_address(api.url), port=1883).authority()}"


def write_agent_config(
    file: Path,
    *,
    client_id: str,
    hub_url: str,
    mqtt_url: str,
    secret: str,
    root_key: str,
    extra: str = "",
    keep_additions: bool = False,
) -> None:
    """Write an agent's configuration, readable by its owner only. `keep_additions`: leave a file as it is that says the
    same and then more, such as printers that somebody added."""
    folder = file.absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        f'client_id = "{client_id}"\n'
        f'hub_url = "{hub_url}"\n'
        f'mqtt_url = "{mqtt_url}"\n'
        f'secret = "{secret}"\n'
        f'root_key = "{root_key}"\n'
        f'data = "{client_id}-data"\n{extra}'
    )
    if not (keep_additions and _begins_with(file, text)):
        write_secret_file(file, text)


def _begins_with(file: Path, text: str) -> bool:
    try:
        return file.is_file() and file.stat().st_mode & 0o077 == 0 and read(file).startswith(text)
    except (OSError, ValueError):
        return False
