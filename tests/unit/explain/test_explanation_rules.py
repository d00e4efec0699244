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
from hub.features.explain.rules.causes import Cause, Explanation, explain
from hub.features.explain.sentences import SENTENCES, sentence
from tests.support.paths import ROOT

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IDS = [UUID(int=number) for number in range(1, 20)]
PLAIN: dict[str, Any] = {
    "status": "pending", "client_status": "active", "on_hold": False, "batch_id": None, "scheduled": False,
    "attempt": 1, "max_retries": 3, "not_before": None, "error": None, "session": "s-1", "queued_at": NOW,
    "kept_away": False, "presence": "online", "presence_since": NOW,
    "batch_status": "paused", "stop_reason": "requested", "per_minute": None,
    "blocker": None, "blocker_is_dead_letter": None, "order_key": None,
    "priority": 5, "lane": "client", "in_lane": [], "at_client": 0, "ahead": [], "cancel_requested_at": None,
    "accepted_at": None, "sent_at": None, "sends": 1, "lease_until": NOW, "lane_runs": None, "held_reasons": None,
    "started_at": None, "unknown_reason": None, "progress": None,
}  # fmt: skip
WAYS: list[tuple[Cause, dict[str, Any]]] = [
    (Cause.BATCH_PAUSED, {"on_hold": True, "scheduled": True}),
    (Cause.ROLLOUT, {"scheduled": True, "not_before": NOW, "per_minute": 10.0, "batch_id": IDS[0]}),
    (Cause.RETRY_WAITS, {"scheduled": True, "attempt": 2, "per_minute": 10.0}),
    (Cause.SCHEDULED, {"scheduled": True, "not_before": NOW, "presence": "offline"}),
    (Cause.RETRY_WAITS, {"scheduled": True, "attempt": 2}),
    (Cause.CLIENT_DISABLED, {"client_status": "disabled", "presence": "offline"}),
    (Cause.CLIENT_NEVER_SEEN, {"session": None, "presence": "unknown"}),
    (Cause.CLIENT_KEPT_AWAY, {"kept_away": True}),
    (Cause.CLIENT_OFFLINE, {"presence": "offline", "in_lane": IDS[:2]}),
    (Cause.CLIENT_UNKNOWN, {"presence": "unknown"}),
    (Cause.ORDER_KEY_WAITS, {"blocker": IDS[0], "in_lane": IDS[:2]}),
    (Cause.ORDER_KEY_DEAD_LETTER, {"blocker": IDS[0], "blocker_is_dead_letter": True}),
    (Cause.LANE_FULL, {"in_lane": IDS[:2]}),
    (Cause.LANE_FULL, {"in_lane": IDS[:3], "priority": 9}),
    (Cause.DISPATCH_DUE, {"in_lane": IDS[:2], "priority": 9, "at_client": 16}),
    (Cause.CLIENT_FULL, {"at_client": 16}),
    (Cause.BEHIND_OTHERS, {"ahead": IDS[:1]}),
    (Cause.DISPATCH_DUE, {}),
    (Cause.CANCEL_ASKED, {"status": "queued", "cancel_requested_at": NOW, "presence": "offline"}),
    (Cause.CLIENT_OFFLINE, {"status": "queued", "accepted_at": NOW, "presence": "offline"}),
    (Cause.NOT_AT_BROKER, {"status": "queued"}),
    (Cause.NOT_FETCHED, {"status": "queued", "session": "http:s-1"}),
    (Cause.NOT_ACKNOWLEDGED, {"status": "queued", "sent_at": NOW}),
    (Cause.WAITS_IN_AGENT, {"status": "queued", "accepted_at": NOW}),
    (Cause.HELD, {"status": "running", "held_reasons": ["media-empty"]}),
    (Cause.RUNNING, {"status": "running", "presence": "offline"}),
    (Cause.ENDED, {"status": "failed", "presence": "offline"}),
]


@pytest.mark.parametrize(("cause", "differs"), WAYS, ids=lambda value: str(value)[:60])
def test_facts_have_their_cause(cause: Cause, differs: dict[str, Any]) -> None:
    assert explain({**PLAIN, **differs}, broker_connected=True).cause is cause


@pytest.mark.parametrize("status", ["pending", "queued"])
def test_a_hub_that_is_not_at_the_broker_blames_no_client(status: str) -> None:
    facts = {**PLAIN, "status": status, "presence": "offline"}
    assert explain(facts, broker_connected=False).cause is Cause.BROKER_NOT_CONNECTED
    assert explain(facts, broker_connected=None).cause is Cause.CLIENT_OFFLINE


def test_who_speaks_http_waits_for_no_broker() -> None:
    facts = {**PLAIN, "session": "http:s-1"}
    assert explain(facts, broker_connected=False).cause is Cause.DISPATCH_DUE
    assert explain({**facts, "status": "queued"}, broker_connected=False).cause is Cause.NOT_FETCHED


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
    **{name: st.booleans() for name in ("on_hold", "scheduled", "kept_away", "blocker_is_dead_letter")},
    **{name: st.none() | st.just(NOW) for name in ("cancel_requested_at", "accepted_at", "sent_at", "presence_since")},
    "session": st.sampled_from([None, "s-1", "http:s-1"]),
    "per_minute": st.none() | st.just(10.0),
    "blocker": st.none() | st.sampled_from(IDS),
}


@given(facts=st.fixed_dictionaries(ANY), connected=st.sampled_from([True, False, None]))
def test_any_facts_have_one_cause_of_the_list_and_a_sentence(facts: dict[str, Any], connected: bool | None) -> None:
    found = explain({**PLAIN, **facts}, broker_connected=connected)
    assert (found.cause is Cause.ENDED) == (facts["status"] not in ("pending", "queued", "running"))
    assert sentence(found, korean=True) != sentence(found, korean=False)


@pytest.mark.parametrize("cause", Cause)
def test_both_sentences_of_a_cause_tell_the_same_facts(cause: Cause) -> None:
    names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in SENTENCES[cause]]
    assert names[0] == names[1]


def test_no_time_is_shown_as_a_dash() -> None:
    assert "since -" in sentence(Explanation(Cause.CLIENT_OFFLINE, {"since": None}), korean=False)


def test_the_documented_causes_are_the_code_s() -> None:
    page = ROOT / "docs/reference/causes.md"
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)) == {
        cause.value: texts[0] for cause, texts in SENTENCES.items()
    }
