"""Configurations of agents, as commands that register clients write them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from hub.keys import write_secret_file
from hub.programs.cli.api import Api, running
from hub.programs.cli.output import either
from hub.programs.embedded.data_folder import default_root
from schemas.addresses import is_loopback, read_address
from schemas.text import read


@dataclass(frozen=True, slots=True)
class Places:
    """Hub and broker as the agents reach them, and the authority of their certificates (PEM) where that is our own."""

    hub_url: str
    mqtt_url: str
    authority: str | None

    @classmethod
    def of(cls, api: Api, hub_url: str | None, mqtt_url: str) -> Self:
        """As given; else the public addresses of the hub, if it has them; else as this command itself reaches them."""
        said = api.get("/api/pair/hub")
        hub, broker = hub_url or said["hub_url"], mqtt_url or said.get("mqtt_url") or _broker_url(api)
        is_secure = any(read_address(url).scheme in ("https", "mqtts") for url in (hub, broker))
        return cls(hub, broker, said["ca"] if is_secure else None)

    def warnings(self) -> list[str]:
        """That other machines cannot use the addresses."""
        here = [url for url in (self.hub_url, self.mqtt_url) if is_loopback(read_address(url).host)]
        if not here:
            return []
        return [
            either(
                f"Only this machine can use {' and '.join(here)}. For other machines, start the hub with LAN=1, or "
                "give --hub-url and --mqtt-url.",
                f"{', '.join(here)} 주소는 이 기기에서만 쓸 수 있습니다. 다른 기기에서 쓰려면 허브를 LAN=1로 "
                "시작하거나 --hub-url과 --mqtt-url을 지정하십시오.",
            )
        ]


def _broker_url(api: Api) -> str:
    """That of the hub on this machine, else beside the hub."""
    beside = running(default_root(), "mqtt_url") if api.url == running(default_root()) else None
    return beside or f"mqtt://{replace(read_address(api.url), port=1883).authority()}"


def write_agent_config(
    file: Path,
    *,
    client_id: str,
    hub_url: str,
    mqtt_url: str,
    secret: str,
    root_key: str,
    authority: str | None = None,
    extra: str = "",
    keep_additions: bool = False,
) -> None:
    """Write an agent's configuration, readable by its owner only. `authority`: PEM, which then stands in the same file,
    since files are copied to machines one by one. `keep_additions`: leave a file as it is that says the
    same and then more, such as printers that somebody added."""
    folder = file.absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    trusted = "" if authority is None else f"ca = {json.dumps(authority)}\n"
    text = (
        f'client_id = "{client_id}"\n'
        f'hub_url = "{hub_url}"\n'
        f'mqtt_url = "{mqtt_url}"\n'
        f'secret = "{secret}"\n'
        f'root_key = "{root_key}"\n'
        f'{trusted}data = "{client_id}-data"\n{extra}'
    )
    if not (keep_additions and _begins_with(file, text)):
        write_secret_file(file, text)


def _begins_with(file: Path, text: str) -> bool:
    try:
        return file.is_file() and file.stat().st_mode & 0o077 == 0 and read(file).startswith(text)
    except (OSError, ValueError):
        return False
