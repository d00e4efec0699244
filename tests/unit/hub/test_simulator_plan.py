"""The file of faults: what it refuses, and that a seed is a plan."""

from pathlib import Path

import pytest

from hub.errors import SetupError
from hub.simulator.plan import ClientPlan, Faults, parse

EXAMPLE = Path(__file__).parents[3] / "docs/examples/simulate/rough-floor.toml"


def drawn(faults: Faults, client_id: str) -> list[object]:
    plan = ClientPlan(faults, client_id)
    chances = [plan.message(way) for _ in range(50) for way in ("in", "out")]
    return [*chances, *(plan.job() for _ in range(50)), plan.crash(), plan.leave(), plan.skew_s, plan.crashes]


def test_the_same_seed_is_the_same_plan_and_clients_differ() -> None:
    faults = parse(EXAMPLE.read_text(), "rough")
    assert drawn(faults, "sim-0001") == drawn(faults, "sim-0001")
    assert drawn(faults, "sim-0001") != drawn(faults, "sim-0002")
    assert drawn(faults, "sim-0001") != drawn(
        parse(EXAMPLE.read_text().replace("seed = 7", "seed = 8"), "x"), "sim-0001"
    )


def test_without_a_file_nothing_goes_wrong() -> None:
    plan = ClientPlan(Faults(), "sim-0001")
    assert all(plan.message("in").copies == (0.0,) for _ in range(100))
    assert all(plan.job().end == "completed" for _ in range(100))
    assert not plan.crashes
    assert not plan.leaves


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[crash]\nshar = 1", "shar"),
        ("[messages.in]\ndrop = 1.5", "$.messages.in.drop"),
        ("[crash]\nevery_s = [5, 1]", "crash.every_s"),
        ("[effects]\nfail = 0.7\nunknown = 0.7", "effects"),
        ("seed = ", "TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_field(text: str, named: str) -> None:
    with pytest.raises(SetupError) as refused:
        parse(text, "faults.toml")
    assert named in refused.value.sentence
