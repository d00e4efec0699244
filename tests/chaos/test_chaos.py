"""A short run of chaos with each `make test`; `make chaos` is the long one."""

from tests.chaos.plan import KINDS, plan
from tests.chaos.report import text
from tests.chaos.run import run


def test_a_plan_is_a_function_of_its_seed_and_long_ones_have_every_kind() -> None:
    faults = plan(7, 1_200, 20)

    assert faults == plan(7, 1_200, 20)
    assert faults != plan(8, 1_200, 20)
    assert len(faults) >= 200
    assert {fault.kind for fault in plan(7, 12_000, 20)} == {kind.name for kind in KINDS}


def test_every_promise_is_kept_while_things_break() -> None:
    outcome = run(seed=3, minutes=0.25, agents=5, rate=10, gap_s=0.8)

    assert outcome.verdict.kept, text(outcome)
    assert outcome.verdict.accepted > 100, text(outcome)
    assert len(outcome.faults) >= 8, text(outcome)
