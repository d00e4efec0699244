"""Configurations of agents, as commands that register clients write them."""

from pathlib import Path

from msgspec.structs import replace

from hub.keys import write_secret_file
from hub.programs.cli.api import Api, running
from hub.programs.embedded.data_folder import default_root
from schemas.addresses import read_address


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
) -> None:
    """Write an agent's configuration, readable by its owner only."""
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
    write_secret_file(file, text)
