"""Whether the broker asks machines for a certificate, as the settings want it, and which machines have none to show."""

import asyncio
from collections.abc import Sequence

from hub.config import Settings
from hub.programs.doctor.database import WithoutKey
from hub.programs.doctor.sentences import fail, ok, warn
from schemas.addresses import read_address
from schemas.findings import Finding
from schemas.network_words import in_words
from schemas.tls import alert_in, refusal_at, trusting

_MQTTS = 8883
_FOR_NONE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
"""How alerts end of a broker that got no certificate: TLS 1.3 and 1.2."""


async def check_machine_certificates(settings: Settings, without_key: Sequence[WithoutKey]) -> list[Finding]:
    """All about them; nothing where neither the settings ask for them nor other machines come."""
    if not settings.machine_certificates:
        return [_before(without_key)] if settings.public_mqtt_url else []
    found = []
    if settings.public_mqtt_url:
        found.append(await asyncio.to_thread(_asks, settings))
    if without_key:
        found.append(warn("machines", "machines_without_key", number=without_key[0].number, names=_names(without_key)))
    return found


def _before(without_key: Sequence[WithoutKey]) -> Finding:
    """Whom the switch would lock out: what to know before it is on. Nothing is wrong with them now."""
    if not without_key:
        return ok("machines", "machines_all_with_key")
    return ok("machines", "machines_without_key_yet", number=without_key[0].number, names=_names(without_key))


def _names(without_key: Sequence[WithoutKey]) -> str:
    names = ", ".join(each.id for each in without_key)
    more = without_key[0].number - len(without_key)
    return f"{names} (+ {more})" if more > 0 else names


def _asks(settings: Settings) -> Finding:
    """Whether the broker takes no connection without a certificate where machines call it."""
    address = read_address(settings.public_mqtt_url)
    shown = f"{address.host}:{address.port or _MQTTS}"
    try:
        ca_file = None if settings.ca_file is None else str(settings.ca_file)
        alert = refusal_at(address.host, address.port or _MQTTS, trusting(ca_file))
    except OSError as problem:
        alert = alert_in(problem)
        if alert is None:
            english, korean = in_words(problem)
            return warn("machines", "machine_certificates_unknown", address=shown, problem=english, problem_ko=korean)
    if alert is not None and alert.endswith(_FOR_NONE):
        return ok("machines", "machine_certificates_ok", address=shown)
    return fail("machines", "machine_certificates_off", address=shown)
