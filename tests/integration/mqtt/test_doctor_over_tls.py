"""The doctor at a broker with TLS: whom it trusts, and how long the certificate is valid."""

from pathlib import Path

import pytest

from hub.config import Settings
from hub.programs.doctor import broker
from hub.programs.embedded import ports
from hub.programs.installation import Installation
from schemas.findings import Level
from tests.integration.mqtt.running_broker import Running
from tests.support.hubs import NOBODY
from tests.support.waiting import eventually


async def hub_at(running: Running, ca_file: Path | None, host: str = "localhost") -> Installation:
    """A hub with settings of its own at that broker, once its listener with TLS is there."""
    pid = running.broker.pid
    assert pid is not None
    await eventually(lambda: ports.listens(pid, running.tls.port))
    settings = Settings(
        database_url=NOBODY,
        data_dir=Path("/nonexistent"),
        mqtt_url=f"mqtts://{host}:{running.tls.port}",
        mqtt_password=running.hub.password,
        mqtt_ca_file=ca_file,
    )
    return Installation(settings, False, {})


async def test_the_days_that_are_left_are_told_and_the_account_is_tried(running: Running) -> None:
    hub = await hub_at(running, running.tls.certificate_file)

    found = {item.code: item for item in await broker.check_broker(hub, None, None)}
    (certificate,) = await broker.check_certificates(hub)

    assert found["broker_ok"].level is Level.OK
    assert found["published_missing"].level is Level.WARN, "no hub has been there"
    assert (certificate.code, certificate.level, certificate.values["days"]) == ("certificate_ends", Level.WARN, "1")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_that_nobody_vouches_for_or_of_another_name_is_told(running: Running, host: str) -> None:
    hub = await hub_at(running, None if host == "localhost" else running.tls.certificate_file, host)

    (found,) = await broker.check_broker(hub, None, None)
    (certificate,) = await broker.check_certificates(hub)

    assert (found.code, found.level) == ("broker_certificate", Level.FAIL)
    assert (certificate.code, certificate.level) == ("certificate_wrong", Level.FAIL)
    assert found.sentence(korean=True) != found.sentence(korean=False)
