"""Names of figures are ours alone, and what an alert waits for is there before it happens."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.app import Hub
from hub.telemetry.metrics import Meters
from tests.support.hubs import settings


def samples() -> dict[str, float]:
    """What a hub shows that has done nothing yet."""
    text = Hub(settings()).parts.get(Meters).render().decode()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_name_begins_with_the_prefix_and_none_says_when_it_was_made() -> None:
    names = {name.partition("[")[0] for name in samples()}

    assert {name for name in names if not name.startswith("floorhub_")} == set()
    assert {name for name in names if name.endswith("_created")} == set()


@pytest.mark.parametrize(
    "sample",
    [
        "floorhub_commands_completed_total[('status', 'failed')]",
        "floorhub_commands_completed_total[('status', 'unknown')]",
        "floorhub_commands_refused_total[('code', 'rate_limited')]",
        "floorhub_commands_sent_total[('kind', 'again')]",
        "floorhub_commands_created_total[('action', 'own')]",
        "floorhub_reports_quarantined_total[('reason', 'unknown_command')]",
        "floorhub_dead_letters_closed_total[('by', 'decided')]",
        "floorhub_security_events_total[('kind', 'two_machines')]",
        "floorhub_cleanup_deleted_total[('kind', 'commands')]",
        "floorhub_http_requests_total[('method', 'POST'), ('status', '503')]",
    ],
)
def test_a_counter_is_there_at_zero_before_its_first_event(sample: str) -> None:
    assert samples()[sample] == 0


def test_another_prefix_is_refused() -> None:
    with pytest.raises(ValueError, match="floorhub_"):
        Meters().counter("http_requests", "would collide")
