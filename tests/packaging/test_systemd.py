"""The units are what systemd understands, and the agent's command line is what the agent understands."""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from hub.programs.cli.agent_configs import write_agent_config
from hub.programs.embedded.packages import Packages
from schemas import signing
from schemas.signing import Signer
from tests.support.paths import ROOT

UNITS = sorted((ROOT / "packaging" / "systemd").glob("*.service"))
INSTALLED = re.compile(r"/opt/floorhub/bin/([a-z-]+)")
MOST_EXPOSURE = 25
"""Of 100, by systemd's own measure; a unit without any hardening has 96."""
DEADLINE_S = 60
NOTIFY_S = 20


def analyze(*arguments: str, units: Path) -> subprocess.CompletedProcess[str]:
    """systemd-analyze, of this machine or unpacked; it needs no running systemd."""
    program = Packages().program("systemd-analyze", "systemd")
    libraries = [str(folder) for folder in program.root.glob("usr/lib/*/systemd")]
    libraries += filter(None, [program.env.get("LD_LIBRARY_PATH")])
    # The trailing colon: and where the program would look by itself.
    search = f"{units}:{program.root / 'lib/systemd/system'}:"
    environment = {"LD_LIBRARY_PATH": ":".join(libraries), "SYSTEMD_UNIT_PATH": search, "PATH": os.defpath}
    return subprocess.run(
        [str(program.path), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with programs that this machine has in place of installed ones: verify looks for them."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(INSTALLED.sub(str(shutil.which("true")), unit.read_text()))
    return tmp_path


@pytest.mark.parametrize("name", [unit.name for unit in UNITS])
def test_systemd_understands_every_line(name: str, units: Path) -> None:
    done = analyze("verify", str(units / name), units=units)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", [unit.name for unit in UNITS])
def test_a_unit_may_do_little(name: str, units: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(units / name), units=units)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_names_programs_that_the_package_installs(unit: Path, agent_environment: Path) -> None:
    programs = INSTALLED.findall(unit.read_text())
    assert programs
    assert [name for name in programs if not (agent_environment / "bin" / name).exists()] == []


def test_the_agents_command_line_gets_ready_beats_and_stops(agent_environment: Path, tmp_path: Path) -> None:
    """As the unit starts it, with a credential whose group bits an access list has set, and no hub in sight."""
    credentials, state = tmp_path / "credentials", tmp_path / "state"
    credentials.mkdir()
    state.mkdir()
    root_key = signing.encode_key(Signer(bytes(32)).public_key)
    config = credentials / "agent.toml"
    nowhere = "127.0.0.1:1"
    write_agent_config(
        config,
        client_id="pc-1",
        hub_url=f"http://{nowhere}",
        mqtt_url=f"mqtt://{nowhere}",
        secret="s",
        root_key=root_key,
    )
    config.chmod(0o440)
    unit = (ROOT / "packaging" / "systemd" / "floorhub-agent.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", unit, flags=re.MULTILINE)
    filled = (
        line.replace("/opt/floorhub", str(agent_environment)).replace("%d", str(credentials)).replace("%S", str(state))
    )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    # Not in tmp_path: the name of a socket has at most 107 bytes.
    listener.bind(f"\0floorhub-notify-{os.getpid()}")
    listener.settimeout(NOTIFY_S)
    with listener:
        agent = subprocess.Popen(
            filled.split(),
            env={"NOTIFY_SOCKET": f"@floorhub-notify-{os.getpid()}", "CREDENTIALS_DIRECTORY": str(credentials)},
            stderr=subprocess.DEVNULL,
        )
        try:
            assert listener.recv(100) == b"READY=1"
            assert listener.recv(100) == b"WATCHDOG=1"
            agent.send_signal(signal.SIGTERM)
            said = listener.recv(100)
            while said == b"WATCHDOG=1":
                said = listener.recv(100)
            assert said == b"STOPPING=1"
            assert agent.wait(DEADLINE_S) == 0
        finally:
            agent.kill()
            agent.wait(DEADLINE_S)
    assert (state / "floorhub-agent" / "journal.db").exists()
    assert [file.name for file in credentials.iterdir()] == ["agent.toml"]
