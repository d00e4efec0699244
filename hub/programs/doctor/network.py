"""What other machines meet: where they reach the hub, and which authority they must trust."""

import asyncio
import ssl
import time
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import httpx
from cryptography import x509

from hub import private_files
from hub.errors import SetupError
from hub.programs import bounded_http
from hub.programs.doctor.sentences import fail, ok, warn
from hub.programs.embedded.authority import AUTHORITY, AUTHORITY_KEY, FOLDER
from hub.programs.embedded.machine_names import Address, interfaces, without_connection
from hub.programs.installation import Installation
from schemas.findings import Finding
from schemas.fingerprints import der_of_pem, fingerprint, grouped
from schemas.network_words import in_words
from schemas.text import TextError
from schemas.tls import certificates, distrust_in, trusting

HUB_S = 8.0
FEWEST_DAYS = 365
"""An authority that ends sooner should be replaced at leisure: every machine must trust the next one."""


async def check_network(installation: Installation, *, hub_answers: bool) -> list[Finding]:
    """All about other machines. `hub_answers`: on this machine; else nobody can reach it."""
    settings = installation.settings
    found = _exposed(installation) + check_authority(installation)
    if not settings.public_url:
        code = "network_none" if installation.embedded else "network_not_told"
        return [*found, ok("network", code)]
    if not hub_answers:
        return [*found, warn("network", "network_stopped", url=settings.public_url)]
    return [*found, await _reached(settings.public_url, settings.ca_file, own=installation.embedded)]


async def _reached(url: str, ca_file: Path | None, *, own: bool) -> Finding:
    """Whether the hub answers where other machines call it, with a certificate that they trust. `own`: that must be
    this machine; else it may be a proxy's address."""
    try:
        verify: ssl.SSLContext | bool = False
        if url.startswith("https:"):
            verify = await asyncio.to_thread(trusting, ca_file)
        status, _ = await bounded_http.get(f"{url}/health", within_s=HUB_S, verify=verify)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, bounded_http.TooLargeError) as problem:
        if distrust_in(problem) is not None:
            return fail("network", "network_distrusted", url=url)
        if own and (address := _address_of(url)) is not None and (others := _moved_from(address)):
            return fail("network", "network_moved", url=url, address=address, others=", ".join(map(str, others)))
        english, korean = in_words("no answer in time" if isinstance(problem, TimeoutError) else problem)
        return fail("network", "network_unreachable", url=url, problem=english, problem_ko=korean)
    if status != httpx.codes.OK:
        return fail("network", "network_unreachable", url=url, problem=f"HTTP {status}", problem_ko=f"HTTP {status}")
    # This machine reaches its own address also while nobody else does.
    if (address := _address_of(url)) is not None and (interface := without_connection(address)) is not None:
        return fail("network", "network_unplugged", url=url, interface=interface)
    return ok("network", "network_ok", url=url)


def _address_of(url: str) -> Address | None:
    """The address that a URL names; None where it has a name."""
    try:
        return ip_address(httpx.URL(url).host)
    except ValueError:
        return None


def _moved_from(address: Address) -> list[Address]:
    """The addresses that this machine has in place of one from its own networks, which it no longer has."""
    own = [each.address for each in interfaces() if each.address.version == address.version]
    return own if address.is_private and not address.is_loopback and address not in own else []


def _exposed(installation: Installation) -> list[Finding]:
    settings = installation.settings
    if not settings.exposed:
        return []
    return [warn("network", "network_plain", address=f"{settings.host}:{settings.port}")]


def check_authority(installation: Installation, now: float | None = None) -> list[Finding]:
    """The authority of the settings, else the one in the data folder: until when, and its fingerprint."""
    now = time.time() if now is None else now
    folder = installation.folder / FOLDER
    file = installation.settings.ca_file or folder / AUTHORITY
    if installation.settings.ca_file is None and not file.exists():
        return []
    try:
        if (folder / AUTHORITY_KEY).exists():
            with private_files.belonging_to_owner_of(installation.folder):
                private_files.check_file(folder / AUTHORITY_KEY)
        der = der_of_pem(certificates(file))
        ends = x509.load_der_x509_certificate(der).not_valid_after_utc
    except SetupError as problem:
        return [fail("authority", "authority_wrong", problem=problem.sentence, problem_ko=problem.korean)]
    except TextError as problem:
        return [
            fail("authority", "authority_wrong", problem=f"{file}: {problem}", problem_ko=f"{file}: {problem.korean}")
        ]
    except (OSError, ValueError) as problem:
        return [fail("authority", "authority_wrong", problem=f"{file}: {problem}", problem_ko=f"{file}: {problem}")]
    days = int((ends - datetime.fromtimestamp(now, UTC)).total_seconds() // 86_400)
    code = "authority_ends" if days < FEWEST_DAYS else "authority_ok"
    judged = fail if days < 0 else warn if days < FEWEST_DAYS else ok
    return [judged("authority", code, fingerprint=grouped(fingerprint(der)), until=ends.date(), days=days, file=file)]
