"""Debian packages without root: apt says what a package needs and downloads it, dpkg unpacks it.

What is installed does not count, so that a folder has the same content on every machine of a release. Only what each
machine with apt has is left out: Debian's essential packages, apt, and what these need.
"""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hub.programs.embedded.errors import EmbeddedError

_UPDATE_DEADLINE_S = 300
_RESOLVE_DEADLINE_S = 60
_DOWNLOAD_DEADLINE_S = 600
_UNPACK_DEADLINE_S = 60
_INSTALL_LINE = re.compile(r"^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) ", re.MULTILINE)
#: What every machine with apt has. The C library is among it, which must be the running system's own: a process cannot
#: mix another one with the system's loader.
_BASE = ("?essential", "apt")
#: In the names of folders. Raise it when another set of packages is unpacked: folders filled by the old rule then rest.
_RULE = "complete"
#: Hooks that images put in for root (cleaning /var/cache) fail for everybody else.
_CONFIG = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "{user}";
Acquire::Retries "3";
Acquire::http::Timeout "60";
Acquire::https::Timeout "60";
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
"""


def is_available() -> bool:
    """Whether this machine has Debian's package tools."""
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb"))


def release() -> str:
    """This system's release and processor and our rule, safe in folder names, such as `debian-12-x86_64-complete`."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        system = {}
    text = f"{system.get('ID', 'linux')}-{system.get('VERSION_ID', 'any')}-{platform.machine()}-{_RULE}"
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)


def unpack(package: str, target: Path) -> None:
    """Unpack `package` and what it needs into `target`, whatever of it is installed here.

    Uses the system's package lists when they know the package, else lists of its own, fetched now. Raises
    EmbeddedError with apt's own words when the package cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="floorhub-apt-") as name:
        scratch = Path(name)
        apt = _Apt(scratch)
        try:
            archives = _download(package, scratch / "system", apt)
        except EmbeddedError:
            # Lists are absent in fresh images, or so old that the versions they name are gone: take new ones.
            apt.use_private_lists()
            archives = _download(package, scratch / "private", apt)
        for archive in archives:
            _run(["dpkg-deb", "--extract", str(archive), str(target)], scratch, _UNPACK_DEADLINE_S)


class _Apt:
    """apt-get on a system where nothing is installed. Paths are options: in a file some characters would end them."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        config, status = scratch / "apt.conf", scratch / "status"
        status.touch()
        config.write_text(_CONFIG.format(user="root" if os.geteuid() == 0 else "_apt"), encoding="utf-8")
        self._options = [f"--config-file={config}", "--quiet=2", f"--option=Dir::State::status={status}"]

    def __call__(
        self, arguments: Sequence[str], folder: Path, deadline_s: float, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        return _run(["apt-get", *self._options, *arguments], folder, deadline_s, check)

    def use_private_lists(self) -> None:
        """Fetch lists of packages, and use them from now on."""
        for name in ("state", "lists/partial", "cache/archives/partial"):
            (self._scratch / name).mkdir(parents=True)
        places = {"Dir::State": "state", "Dir::State::lists": "lists", "Dir::Cache": "cache"}
        self._options += [f"--option={option}={self._scratch / name}" for option, name in places.items()]
        # One unreachable third-party source makes this fail, though Debian's own lists came: what follows decides.
        self(["update"], self._scratch, _UPDATE_DEADLINE_S, check=False)


def _download(package: str, folder: Path, apt: _Apt) -> list[Path]:
    folder.mkdir()
    base = _resolve(_BASE, folder, apt)
    wanted = [f"{name}={version}" for name, version in _resolve([package], folder, apt).items() if name not in base]
    apt(["download", *wanted], folder, _DOWNLOAD_DEADLINE_S)
    return sorted(folder.glob("*.deb"))


def _resolve(packages: Sequence[str], folder: Path, apt: _Apt) -> dict[str, str]:
    """These packages and all that they need, by name with their versions."""
    plan = apt(["install", "--simulate", *packages], folder, _RESOLVE_DEADLINE_S).stdout
    return dict(_INSTALL_LINE.findall(plan))


def _run(
    argv: Sequence[str], folder: Path, deadline_s: float, check: bool = True
) -> "subprocess.CompletedProcess[str]":
    advice = "Check the network and this machine's package sources (apt-get update), then start again."
    advice_ko = "네트워크와 이 컴퓨터의 패키지 저장소를 확인한 뒤(apt-get update) 다시 시작하십시오."
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            list(argv), cwd=folder, env=environment, capture_output=True, text=True, timeout=deadline_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedError(
            f"{argv[0]} did not finish within {deadline_s:g} s.",
            advice,
            ko=f"{argv[0]}이(가) {deadline_s:g}초 안에 끝나지 않았습니다. {advice_ko}",
        ) from error
    if check and done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise EmbeddedError(
            f"{argv[0]} failed:\n{said}\n", advice, ko=f"{argv[0]}이(가) 실패했습니다:\n{said}\n {advice_ko}"
        )
    return done
