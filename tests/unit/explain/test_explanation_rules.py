"""One cause for every set of facts, and the one that a person can act on."""

import re
import string
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.commands.rules.lifecycle import Status
from hub.features.explain.rules.causes import codes, explain
from hub.features.explain.store import Facts
from hub.subject import Cause
from tests.support.hubs import subjects
from tests.support.paths import ROOT

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IDS = [UUID(int=number) for number in range(1, 20)]
PLAIN: dict[str, Any] = {
    "status": "pending", "client_status": "active", "on_hold": False, "batch_id": None, "scheduled": False,
    "attempt": 1, "max_retries": 3, "not_before": None, "error": None, "session": "s-1", "queued_at": NOW,
    "fenced": False, "presence": "online", "presence_since": NOW,
    "batch_status": "paused", "stop_reason": "requested", "per_minute": None,
    "blocker": None, "blocker_is_dead_letter": None, "order_key": None,
    "priority": 5, "lane": "client", "in_lane": [], "at_client": 0, "ahead": [], "cancel_requested_at": None,
    "accepted_at": None, "sent_at": None, "sends": 1, "lease_until": NOW, "lane_runs": None, "held_reasons": None,
    "goodbye_at": None, "unconfirmed": False, "distrusts": None,
    "started_at": None, "unknown_reason": None, "progress": None, "id": IDS[0], "client_id": "front-pc",
    "expires_at": NOW, "now": NOW, "broker_connected": True,
}  # fmt: skip
CAUSES = [cause for subject in subjects() for cause in subject.causes]


def code_of(**differs: Any) -> str:
    return explain(Facts(**{**PLAIN, **differs}), CAUSES).code


WAYS: list[tuple[str, dict[str, Any]]] = [
    ("batch_paused", {"on_hold": True, "scheduled": True}),
    ("rollout", {"scheduled": True, "not_before": NOW, "per_minute": 10.0, "batch_id": IDS[0]}),
    ("retry_waits", {"scheduled": True, "attempt": 2, "per_minute": 10.0}),
    ("scheduled", {"scheduled": True, "not_before": NOW, "presence": "offline"}),
    ("retry_waits", {"scheduled": True, "attempt": 2}),
    ("client_disabled", {"client_status": "disabled", "presence": "offline"}),
    ("client_never_seen", {"session": None, "presence": "unknown"}),
    ("client_fenced", {"fenced": True}),
    ("client_offline", {"presence": "offline", "in_lane": IDS[:2]}),
    ("client_unknown", {"presence": "unknown"}),
    ("client_unconfirmed", {"unconfirmed": True, "in_lane": IDS[:2]}),
    ("keys_refused", {"distrusts": "old_key_list", "unconfirmed": True, "in_lane": IDS[:2]}),
    ("keys_refused", {"distrusts": "old_key_list", "status": "queued", "sent_at": NOW}),
    ("client_offline", {"distrusts": "old_key_list", "presence": "offline"}),
    ("client_offline", {"unconfirmed": True, "presence": "offline"}),
    ("order_key_waits", {"blocker": IDS[0], "in_lane": IDS[:2]}),
    ("order_key_dead_letter", {"blocker": IDS[0], "blocker_is_dead_letter": True}),
    ("lane_full", {"in_lane": IDS[:2]}),
    ("lane_full", {"in_lane": IDS[:3], "priority": 9}),
    ("dispatch_due", {"in_lane": IDS[:2], "priority": 9, "at_client": 16}),
    ("client_full", {"at_client": 16}),
    ("behind_others", {"ahead": IDS[:1]}),
    ("dispatch_due", {}),
    ("cancel_asked", {"status": "queued", "cancel_requested_at": NOW, "presence": "offline"}),
    ("client_offline", {"status": "queued", "accepted_at": NOW, "presence": "offline"}),
    ("not_at_broker", {"status": "queued"}),
    ("not_fetched", {"status": "queued", "session": "http:s-1"}),
    ("not_acknowledged", {"status": "queued", "sent_at": NOW}),
    ("waits_in_agent", {"status": "queued", "accepted_at": NOW}),
    ("held", {"status": "running", "held_reasons": ["media-empty"]}),
    ("running", {"status": "running", "presence": "offline"}),
    ("goodbye_said", {"status": "running", "presence": "offline", "goodbye_at": NOW}),
    ("ended", {"status": "failed", "presence": "offline"}),
]


@pytest.mark.parametrize(
    ("unknown_reason", "code", "told"),
    [
        ("reported", "not_proven", "not_proven"),
        ("reported", None, "reported"),
        ("no_word", "not_proven", "no_word"),
    ],
)
def test_the_reason_of_an_unknown_command_is_the_code_that_its_agent_gave(
    unknown_reason: str, code: str | None, told: str
) -> None:
    error = None if code is None else {"code": code, "message": ""}
    facts = Facts(**{**PLAIN, "status": "unknown", "unknown_reason": unknown_reason, "error": error})
    assert explain(facts, CAUSES).details["reason"] == told


@pytest.mark.parametrize(("cause", "differs"), WAYS, ids=lambda value: str(value)[:60])
def test_facts_have_their_cause(cause: str, differs: dict[str, Any]) -> None:
    assert code_of(**differs) == cause


@pytest.mark.parametrize(
    ("differs", "english", "korean"),
    [
        (
            {"status": "failed", "error": {"code": "printer_unreachable", "message": "no answer from 10.0.0.5"}},
            "failed (printer_unreachable): no answer from 10.0.0.5; what to do: Run `floorhub-agent doctor`",
            "failed(printer_unreachable): no answer from 10.0.0.5; 할 일: `floorhub-agent doctor`를 실행하십시오",
        ),
        (
            {"status": "unknown", "unknown_reason": "no_word"},
            "unknown (no_word). What to do: Check whether the machine and its agent are running",
            "unknown(no_word). 할 일: 컴퓨터와 에이전트가 실행 중인지",
        ),
        (
            {"status": "failed", "error": {"code": "of_a_site", "message": "[/x] {0}"}},
            "failed (of_a_site): [/x] {0}; what to do: Read the message",
            "failed(of_a_site): [/x] {0}; 할 일: 메시지와",
        ),
        (
            {"status": "failed", "error": {"code": "document_unprintable", "message": "invalid password"}},
            "(document_unprintable): invalid password; what to do: If other documents print there",
            "(document_unprintable): invalid password; 할 일: 다른 문서가 인쇄되면",
        ),
        ({"status": "completed"}, "It has ended: completed. The timeline", "끝났습니다: completed."),
    ],
)
def test_what_ended_without_success_says_why_and_what_to_do(differs: dict[str, Any], english: str, korean: str) -> None:
    found = explain(Facts(**{**PLAIN, "unknown_reason": None, **differs}), CAUSES)
    assert found.code == "ended"
    assert english in found.sentence(korean=False)
    assert korean in found.sentence(korean=True)


@pytest.mark.parametrize(
    ("differs", "english", "korean"),
    [
        (
            {"status": "running", "held_reasons": ["printer-unreachable"]},
            "The printer cannot be reached (printer-unreachable). Switch it on",
            "프린터에 연결할 수 없습니다",
        ),
        (
            {"status": "running", "held_reasons": ["printer-busy"]},
            "is printing another job",
            "다른 작업을 인쇄하고 있습니다",
        ),
        ({"status": "running", "held_reasons": ["media-empty"]}, "needs attention", "조치가 필요합니다"),
    ],
)
def test_what_a_person_can_do_is_said(differs: dict[str, Any], english: str, korean: str) -> None:
    found = explain(Facts(**{**PLAIN, **differs}), CAUSES)
    assert english in found.sentence(korean=False)
    assert korean in found.sentence(korean=True)


@pytest.mark.parametrize("status", ["pending", "queued"])
def test_a_hub_that_is_not_at_the_broker_blames_no_client(status: str) -> None:
    facts = {"status": status, "presence": "offline"}
    assert code_of(**facts, broker_connected=False) == "broker_not_connected"
    assert code_of(**facts, broker_connected=None) == "client_offline"


def test_who_speaks_http_waits_for_no_broker() -> None:
    facts = {"session": "http:s-1", "broker_connected": False}
    assert code_of(**facts) == "dispatch_due"
    assert code_of(**facts, status="queued") == "not_fetched"


ANY = {
    "status": st.sampled_from([status.value for status in Status]),
    "client_status": st.sampled_from(["active", "disabled", "retired"]),
    "presence": st.sampled_from(["online", "offline", "unknown"]),
    "attempt": st.integers(1, 101),
    "priority": st.integers(1, 10),
    "in_lane": st.lists(st.sampled_from(IDS), max_size=4),
    "ahead": st.lists(st.sampled_from(IDS), max_size=2),
    "at_client": st.integers(0, 20),
    "held_reasons": st.none() | st.just(["media-empty"]),
    **{name: st.booleans() for name in ("on_hold", "scheduled", "fenced", "blocker_is_dead_letter")},
    **{name: st.none() | st.just(NOW) for name in ("cancel_requested_at", "accepted_at", "sent_at", "presence_since")},
    "session": st.sampled_from([None, "s-1", "http:s-1"]),
    "per_minute": st.none() | st.just(10.0),
    "blocker": st.none() | st.sampled_from(IDS),
}


@given(facts=st.fixed_dictionaries(ANY), connected=st.sampled_from([True, False, None]))
def test_any_facts_have_one_cause_of_the_list_and_a_sentence(facts: dict[str, Any], connected: bool | None) -> None:
    found = explain(Facts(**{**PLAIN, **facts, "broker_connected": connected}), CAUSES)
    assert (found.code == "ended") == (facts["status"] not in ("pending", "queued", "running"))
    assert found.sentence(korean=True) != found.sentence(korean=False)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.code)
def test_both_sentences_of_a_cause_tell_the_same_facts(cause: Cause) -> None:
    names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (cause.en, cause.ko)]
    assert names[0] == names[1]


def test_no_time_is_shown_as_a_dash() -> None:
    found = explain(Facts(**{**PLAIN, "presence": "offline", "presence_since": None}), CAUSES)
    assert "since -" in found.sentence(korean=False)


def test_the_documented_causes_are_the_code_s() -> None:
    page = ROOT / "docs/reference/causes.md"
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)) == {
        cause.code: cause.en for cause in CAUSES
    }


def test_the_list_of_causes_is_closed_and_each_rank_is_taken_once() -> None:
    assert len(codes(CAUSES)) == 28
    ranks = [(status, rank) for cause in CAUSES for status, rank in cause.ranks.items()]
    assert len(ranks) == len(set(ranks))
