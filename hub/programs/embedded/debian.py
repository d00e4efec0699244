"""Debian packages without root: apt says which ones are missing and downloads them, dpkg unpacks them."""

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
#: The C library must be the running system's own: a process cannot mix another one with the system's loader.
_NEVER_UNPACKED = frozenset({"libc6", "libc-bin", "libc6-dev"})
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
"""
_PRIVATE_FOLDERS = """\
Dir::State "{folder}/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
"""


def is_available() -> bool:
    """Whether this machine has Debian's package tools."""
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb"))


def release() -> str:
    """A folder-name-safe name of this system's release and processor, such as `debian-12-x86_64`."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        system = {}
    text = f"{system.get('ID', 'linux')}-{system.get('VERSION_ID', 'any')}-{platform.machine()}"
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)


def unpack(package: str, target: Path) -> None:
    """Unpack `package` and what it needs beyond the installed packages into `target`.

    Uses the system's package lists when they know the package, else lists of its own, fetched now. Raises
    EmbeddedError with apt's own words when the package cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="floorhub-apt-") as name:
        scratch = Path(name)
        config = scratch / "apt.conf"
        config.write_text(_CONFIG.format(user="root" if os.geteuid() == 0 else "_apt"), encoding="utf-8")
        try:
            archives = _download(package, scratch / "system", config)
        except EmbeddedError:
            # Lists are absent in fresh images, or so old that the versions they name are gone: take new ones.
            _use_private_lists(scratch, config)
            archives = _download(package, scratch / "private", config)
        for archive in archives:
            _run(["dpkg-deb", "--extract", str(archive), str(target)], scratch, _UNPACK_DEADLINE_S)


def _use_private_lists(scratch: Path, config: Path) -> None:
    for folder in ("state", "lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    with config.open("a", encoding="utf-8") as file:
        file.write(_PRIVATE_FOLDERS.format(folder=scratch))
    # One unreachable third-party source makes this fail, though Debian's own lists came: what follows decides.
    _apt(["update"], scratch, config, _UPDATE_DEADLINE_S, check=False)


def _download(package: str, folder: Path, config: Path) -> list[Path]:
    folder.mkdir()
    plan = _apt(
        ["install", "--simulate", "--no-install-recommends", package], folder, config, _RESOLVE_DEADLINE_S
    ).stdout
    wanted = [f"{name}={version}" for name, version in _INSTALL_LINE.findall(plan) if name not in _NEVER_UNPACKED]
    if not any(item.startswith(f"{package}=") for item in wanted):
        # Installed already, yet the caller misses something: fetch at least the package itself.
        wanted.append(package)
    _apt(["download", *wanted], folder, config, _DOWNLOAD_DEADLINE_S)
    return sorted(folder.glob("*.deb"))


def _apt(
    arguments: Sequence[str], folder: Path, config: Path, deadline_s: float, check: bool = True
) -> "subprocess.CompletedProcess[str]":
    return _run(["apt-get", f"--config-file={config}", "--quiet=2", *arguments], folder, deadline_s, check)


def _run(
    argv: Sequence[str], folder: Path, deadline_s: float, check: bool = True
) -> "subprocess.CompletedProcess[str]":
    advice = "Check the network and this machine's package sources (apt-get update), then start again."
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            list(argv), cwd=folder, env=environment, capture_output=True, text=True, timeout=deadline_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedError(f"{argv[0]} did not finish within {deadline_s:g} s.", advice) from error
    if check and done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise EmbeddedError(f"{argv[0]} failed:\n{said}\n", advice)
    return done
