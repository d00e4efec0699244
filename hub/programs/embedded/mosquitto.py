"""A private Mosquitto with the shipped configuration (`broker_config/`)."""

import json
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from broker_config.render import OWN_FOLDER, BrokerValues, Tls, render_acl, render_conf
from hub.programs.embedded import ports
from hub.programs.embedded.data_folder import DataFolder, own_folder, write_private
from hub.programs.embedded.errors import EmbeddedError, reason
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.processes import ChildSpec, OneChild, base_environment, end_leftover
from schemas.terminal import either

HOST = "127.0.0.1"
_PROGRAM = _PACKAGE = "mosquitto"
_PLUGIN = "mosquitto_dynamic_security.so"
#: The first with `plugin` and MQTT 5 as the configuration wants it.
_OLDEST = (2, 0)
_VERSION = re.compile(r"version (\d+)\.(\d+)")
_VERSION_DEADLINE_S = 10
_START_DEADLINE_S = 20
_STOP_DEADLINE_S = 10
#: Room for 10,000 connections several times over; the system's own limit may be lower.
_OPEN_FILES = 65_536
#: Copies of the certificate and its key, since the broker's user cannot read ours.
_CERTIFICATE, _KEY, _MACHINES = "tls.pem", "tls.key", "machines.pem"


def flaw(program: Path) -> str:
    """Why an installed Mosquitto is of no use, or an empty text."""
    try:
        said = subprocess.run(  # with its help it ends with 3, as documented
            [str(program), "-h"],
            env=base_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_DEADLINE_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return either("does not run", "실행되지 않음")
    found = _VERSION.search(said)
    if found is None:
        return either("does not run", "실행되지 않음")
    version = int(found[1]), int(found[2])
    return (
        ""
        if version >= _OLDEST
        else either(
            f"is too old ({found[1]}.{found[2]}; 2.0 or newer is needed)",
            f"너무 오래됨: {found[1]}.{found[2]}, 2.0 이상 필요",
        )
    )


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """Ports on loopback, and what a bench or a larger site changes. `max_connections` per listener, -1: no limit."""

    mqtt_port: int
    websocket_port: int
    max_connections: int = -1
    autosave_s: int = 30
    tls: Tls | None = None


class EmbeddedBroker(OneChild):
    """One Mosquitto. Hold the data folder's lock while using it.

    When it is stopped, wills are sent and retained messages saved. When it is killed there are no wills, and what was
    not yet saved is gone.
    """

    def __init__(self, folder: DataFolder, packages: Packages, options: BrokerOptions) -> None:
        self._folder = folder
        self._packages = packages
        self._note = folder.run / "mosquitto"
        self._persistence = folder.broker / "persistence"
        self._dynsec = folder.broker / "dynsec.json"
        self.options = options

    @property
    def name(self) -> str:
        """What to call it in sentences."""
        return "Mosquitto"

    @property
    def url(self) -> str:
        """Where programs connect by MQTT over TCP."""
        return f"mqtt://{HOST}:{self.options.mqtt_port}"

    @property
    def websocket_url(self) -> str:
        """Where browsers connect by MQTT over WebSocket."""
        return f"ws://{HOST}:{self.options.websocket_port}/mqtt"

    def start(self, dynsec: Mapping[str, Any] | None = None) -> str:
        """Write the configuration, start, wait for both listeners, and return `url`.

        `dynsec` is the rendered configuration of accounts and clients; None keeps the one the broker last wrote
        (a restart after a crash). Raises EmbeddedError.
        """
        program = self._packages.program(_PROGRAM, _PACKAGE, libraries=(_PLUGIN,), flaw=flaw)
        plugin = program.find_library(_PLUGIN)
        if plugin is None:
            raise EmbeddedError(
                f"{program.path} has no {_PLUGIN}.",
                f"Install the package {_PACKAGE} again.",
                ko=f"{program.path}에 {_PLUGIN}이(가) 없습니다. {_PACKAGE} 패키지를 다시 설치하십시오.",
            )
        end_leftover(self._note, signal.SIGTERM)
        user = self._folder.user
        values = BrokerValues(
            plugin=plugin,
            dynsec_file=self._dynsec,
            acl_file=self._folder.broker / "acl",
            persistence_folder=self._persistence,
            include_folder=self._folder.broker / OWN_FOLDER,
            mqtt_port=self.options.mqtt_port,
            websocket_port=self.options.websocket_port,
            bind=HOST,
            autosave_s=self.options.autosave_s,
            max_connections=self.options.max_connections,
            tls=self._copied(self.options.tls),
        )
        own_folder(self._persistence, user)
        own_folder(values.include_folder, user)
        conf = self._folder.broker / "mosquitto.conf"
        write_private(conf, render_conf(values), user)
        write_private(values.acl_file, render_acl(), user)
        if dynsec is not None:
            write_private(self._dynsec, json.dumps(dynsec, indent=1) + "\n", user)
        self._start(
            ChildSpec(
                name=self.name,
                argv=[str(program.path), "-c", str(conf)],
                log=self._folder.logs / "mosquitto.log",
                note=self._note,
                env=program.env,
                cwd=self._folder.broker,
                user=user,
                stop_deadline_s=_STOP_DEADLINE_S,
                open_files=_OPEN_FILES,
            ),
            self._is_ready,
            _START_DEADLINE_S,
        )
        return self.url

    def reload(self) -> None:
        """Make it read its ACL file and limits again (SIGHUP). Clients stay connected."""
        write_private(self._folder.broker / "acl", render_acl(), self._folder.user)
        if self._child is not None:
            self._child.signal(signal.SIGHUP)

    def renew_certificate(self) -> None:
        """Make it show the certificate that lies in the files of the options now. Clients stay connected."""
        self._copied(self.options.tls)
        if self._child is not None:
            self._child.signal(signal.SIGHUP)

    def _copied(self, tls: Tls | None) -> Tls | None:
        """The options with files that the broker can read. Raises EmbeddedError."""
        if tls is None:
            return None
        key, certificate = self._folder.broker / _KEY, self._folder.broker / _CERTIFICATE
        try:
            for source, target in ((tls.key_file, key), (tls.certificate_file, certificate)):
                write_private(target, source.read_text(encoding="utf-8"), self._folder.user)
        except (OSError, UnicodeDecodeError) as problem:
            why = reason(problem) if isinstance(problem, OSError) else "UTF-8"
            raise EmbeddedError(
                f"The certificate {tls.certificate_file} or its key {tls.key_file} cannot be read ({why}).",
                "Check that both files are there, in PEM, and may be read.",
                ko=f"인증서 {tls.certificate_file} 또는 키 {tls.key_file}을(를) 읽을 수 없습니다({why}). 두 "
                "파일이 PEM 형식으로 있고 읽을 수 있는지 확인하십시오.",
            ) from problem
        machines = self._copied_authority(tls.machine_authority_file)
        return replace(tls, certificate_file=certificate, key_file=key, machine_authority_file=machines)

    def _copied_authority(self, source: Path | None) -> Path | None:
        if source is None:
            return None
        target = self._folder.broker / _MACHINES
        try:
            write_private(target, source.read_text(encoding="utf-8"), self._folder.user)
        except (OSError, UnicodeDecodeError) as problem:
            why = reason(problem) if isinstance(problem, OSError) else "UTF-8"
            raise EmbeddedError(
                f"The machines' authority {source} cannot be read ({why}).",
                "Delete it and start again: it is made anew from the hub's keys.",
                ko=f"기기 인증 기관 파일 {source}을(를) 읽을 수 없습니다({why}). 삭제한 뒤 다시 시작하면 허브의 키로 "
                "다시 만듭니다.",
            ) from problem
        return target

    def wipe(self) -> None:
        """Forget retained messages and sessions. Only while it is stopped; raises EmbeddedError otherwise."""
        if self.is_alive():
            raise EmbeddedError(
                "The broker's memory cannot be wiped while it runs.",
                "Stop it first.",
                ko="실행 중인 브로커의 메모리는 지울 수 없습니다. 먼저 멈추십시오.",
            )
        for entry in self._persistence.iterdir() if self._persistence.is_dir() else ():
            entry.unlink()

    def _is_ready(self) -> bool:
        pid = self.pid
        tls = self.options.tls
        wanted = [self.options.mqtt_port, self.options.websocket_port]
        wanted += tls.ports if tls is not None else []
        return pid is not None and all(ports.listens(pid, port) for port in wanted)
