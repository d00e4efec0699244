"""The configurations of agents that commands write."""

import pytest

from hub.programs.cli.agent_configs import Places

HUB, BROKER = "https://192.0.2.1:8443", "mqtts://hub.example:8883"


@pytest.mark.parametrize(
    ("hub_url", "mqtt_url", "named"),
    [
        (HUB, BROKER, []),
        ("http://127.0.0.1:8080", BROKER, ["http://127.0.0.1:8080"]),
        (HUB, "mqtt://[::1]:1883", ["mqtt://[::1]:1883"]),
        ("http://localhost:8080", "mqtt://127.0.0.2", ["http://localhost:8080", "mqtt://127.0.0.2"]),
    ],
)
def test_addresses_that_only_this_machine_can_use_are_named(hub_url: str, mqtt_url: str, named: list[str]) -> None:
    warnings = Places(hub_url, mqtt_url, None).warnings()

    assert len(warnings) == bool(named)
    for warning in warnings:
        assert [url for url in (hub_url, mqtt_url) if url in warning] == named
