"""Which version of Floorhub is installed, and which build of it."""

import functools
import hashlib
from importlib.metadata import Distribution, PackageNotFoundError, distribution

PACKAGES = ("broker_config", "device_agent", "hub", "schemas")
_NAME = "floorhub"
_DIGITS = 8


@functools.cache
def installed_version() -> str:
    """`0.1.0+3f9c2a1d`: the release, and eight digits that are the same where the same files are installed. `+source`:
    it runs from a source tree, whose files may change at any time. `0+source`: from one that was never installed.

    A local version as Python packages write it (PEP 440), so that programs can compare it.
    """
    try:
        found = distribution(_NAME)
    except PackageNotFoundError:
        return "0+source"
    return f"{found.version}+{_build(found)}"


def build_of(record: str) -> str:
    """The build by the list of installed files with their hashes (`RECORD` of the package's metadata). What an
    installer adds on this machine does not count."""
    lines = (line.strip() for line in record.splitlines())
    ours = sorted(line for line in lines if line.partition("/")[0] in PACKAGES and "/__pycache__/" not in line)
    if not ours:
        return "source"
    return hashlib.sha256("\n".join(ours).encode()).hexdigest()[:_DIGITS]


def _build(found: Distribution) -> str:
    return build_of(found.read_text("RECORD") or "")
