"""The file of faults: what it refuses, and that a seed is a plan."""

import pytest

from hub.errors import SetupError
from hub.programs.simulator.faults import Faults, check_clients, parse
from hub.programs.simulator.plan import ClientPlan
from tests.support.paths import ROOT

EXAMPLE = ROOT / "docs/examples/simulate/rough-site.toml"


def drawn(faults: Faults, client_id: str) -> list[object]:
    plan = ClientPlan(faults, client_id)
    chances = [plan.message(way) for _ in range(50) for way in ("in", "out")]
    return [*chances, *(plan.job("status") for _ in range(50)), plan.crash(), plan.leave(), plan.skew_s, plan.crashes]


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
    assert all(plan.job("status").end == "completed" for _ in range(100))
    assert not plan.crashes
    assert not plan.leaves


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[crash]\nshar = 1", ["line 2", "shar"]),
        ("[messages.in]\n\ndrop = 1.5", ["line 3", "$.messages.in.drop"]),
        ("[messages]\nout = { drop = 1.5 }", ["line 2", "$.messages.out.drop"]),
        ("[crash]\nevery_s = [5, 1]", ["line 2", "crash.every_s"]),
        ("[effects]\nfail = 0.7\nunknown = 0.7", ["line 1", "effects"]),
        ("seed = \nx = 1", ["TOML", "line 1"]),
        ("seed = 1\nsede = 2", ["line 2", "sede"]),
        ('[[rule]]\ndrop = 0.1\n[[rule]]\nclients = "Pc 1"', ["line 4", "$.rule[1].clients"]),
        ("[[rule]]\ndrop = 0.1\n[[rule]]\nfial = 0.1", ["line 4", "fial"]),
        ('[[rule]]\nactions = ["print"]\nfail = "often"', ["line 3", "$.rule[0].fail"]),
        ("[[rule]]\nslow_s = [5, 1]", ["line 2", "rule[0].slow_s"]),
        ('[[rule]]\nclients = "sim-*"', ["line 1", "rule[0]"]),
        ('[[rule]]\nactions = ["print"]\n\n[rule.crash]\nshare = 1', ["line 4", "rule[0].crash"]),
        ("[[rule]]\n[rule.clock]\nskew_s = [5, 1]", ["line 3", "rule[0].clock.skew_s"]),
        ("[effects]\nfail = 0.7\n[[rule]]\nunknown = 0.7", ["line 3", "rule[0]"]),
    ],
)
def test_a_wrong_file_is_refused_by_line_and_field(text: str, named: list[str]) -> None:
    with pytest.raises(SetupError) as refused:
        parse(text, "faults.toml")
    for part in named:
        assert part in refused.value.sentence


RULES = """
[effects]
fail = 0.2

[[rule]]
clients = ["sim-0001", "sim-001?"]
actions = ["print_pdf"]
drop = 1

[[rule]]
clients = "sim-0001"
unknown = 0.5
direction = "in"
delay = 1
delay_s = [7, 7]

[[rule]]
clients = "sim-0002"
[rule.crash]
share = 1
"""


def test_a_rule_is_about_its_clients_and_actions_and_leaves_the_rest_as_it_is() -> None:
    faults = parse(RULES, "rules")
    plain = parse("[effects]\nfail = 0.2", "plain")
    one, other = ClientPlan(faults, "sim-0001"), ClientPlan(faults, "sim-0002")
    assert one.message("in", frozenset({"print_pdf"})).copies == ()
    assert one.message("out", frozenset({"print_pdf", "status"})).copies == ()
    assert one.message("out", frozenset({"status"})).copies == (0.0,)
    assert one.message("in", frozenset({"status"})).copies == (7.0,)
    assert one.message("in").copies == (7.0,)  # a receipt: of no single action
    assert ClientPlan(faults, "sim-0012").message("in", frozenset({"print_pdf"})).copies == ()
    assert other.message("in", frozenset({"print_pdf"})).copies == (0.0,)
    assert (one.crashes, other.crashes) == (False, True)
    assert {one.job("status").end for _ in range(200)} == {"completed", "failed", "unknown"}
    without = ClientPlan(plain, "sim-0002")
    assert [other.job("status") for _ in range(50)] == [without.job("status") for _ in range(50)]
    assert faults.longest_delay_s == 7.0


def test_where_two_rules_speak_of_one_thing_the_last_one_counts() -> None:
    text = "[[rule]]\ndrop = 1\nduplicate = 1\n[[rule]]\ndrop = 0"
    assert ClientPlan(parse(text, "two"), "sim-0001").message("in").copies == (0.0, 0.0)


def test_a_rule_about_no_client_of_the_run_is_refused() -> None:
    text = '[[rule]]\ndrop = 1\n[[rule]]\nclients = "printer-*"\ndrop = 1'
    faults = parse(text, "faults.toml")
    check_clients(faults, text, "faults.toml", ["printer-0001", "printer-0002"])
    with pytest.raises(SetupError) as refused:
        check_clients(faults, text, "faults.toml", ["sim-0001", "sim-0002"])
    assert "faults.toml line 4" in refused.value.sentence
