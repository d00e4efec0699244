"""The systemd unit of the agent: the one of `packaging/systemd`, with this machine's paths."""

import os
import subprocess
import sys
from pathlib import Path

from device_agent.pairing.problems import PairingError

UNIT = Path("/etc/systemd/system/floorhub-agent.service")
_RUNNING = Path("/run/systemd/system")
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - what the sandbox hides
_PATIENCE_S = 60


def why_not() -> tuple[str, str] | None:
    """What keeps this machine from having the unit, in English and Korean; None: nothing."""
    if not _RUNNING.is_dir():
        return "this machine does not run systemd", "이 기기는 systemd를 쓰지 않습니다"
    if os.geteuid() != 0:
        return "only root may install it: run this with sudo", "root만 설치할 수 있습니다. sudo로 실행하십시오"
    program = Path(sys.prefix)
    if any(program.is_relative_to(hidden) for hidden in _HIDDEN):
        return (
            f"the service cannot see {program}: install Floorhub below /opt first",
            f"서비스는 {program} 폴더를 볼 수 없습니다. Floorhub를 /opt 아래에 설치하십시오",
        )
    return None


def text(config: Path) -> str:
    """The unit's file for a configuration."""
    program = Path(sys.prefix) / "bin" / "floorhub-agent"
    template = Path(__file__).with_name("floorhub-agent.service").read_text(encoding="utf-8")
    return template.replace("/etc/floorhub/agent.toml", _escaped(config.resolve())).replace(
        "/opt/floorhub/bin/floorhub-agent", _escaped(program)
    )


def install(config: Path) -> None:
    """Write the unit, and start it now and at each boot. Raises PairingError."""
    try:
        UNIT.write_text(text(config), encoding="utf-8")
        for words in (["daemon-reload"], ["enable", "floorhub-agent"], ["restart", "floorhub-agent"]):
            subprocess.run(["systemctl", *words], check=True, capture_output=True, timeout=_PATIENCE_S)
    except subprocess.CalledProcessError as failed:
        said = failed.stderr.decode("utf-8", "replace").strip()
        raise _failed(said or str(failed)) from None
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise _failed(str(problem)) from None


def _failed(reason: str) -> PairingError:
    return PairingError(
        f"The service could not be started: {reason}. journalctl -u floorhub-agent says more.",
        f"서비스를 시작할 수 없습니다: {reason}. journalctl -u floorhub-agent에서 자세한 내용을 볼 수 있습니다.",
    )


def _escaped(path: Path) -> str:
    """A path in a unit: `%` stands for more there."""
    return str(path).replace("%", "%%").replace(" ", r"\x20")
