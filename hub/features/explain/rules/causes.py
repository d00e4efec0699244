"""Why a command stands where it stands: facts in, exactly one cause out. Pure."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.core.commands.rules.lanes import PER_CLIENT, PER_LANE, URGENT_PRIORITY
from hub.core.presence.rules.presence import over_http


class Cause(enum.StrEnum):
    """The closed list. A cause may be added, none gets another meaning."""

    ENDED = "ended"
    BATCH_PAUSED = "batch_paused"
    ROLLOUT = "rollout"
    SCHEDULED = "scheduled"
    RETRY_WAITS = "retry_waits"
    CLIENT_DISABLED = "client_disabled"
    CLIENT_NEVER_SEEN = "client_never_seen"
    CLIENT_KEPT_AWAY = "client_kept_away"
    CLIENT_OFFLINE = "client_offline"
    CLIENT_UNKNOWN = "client_unknown"
    BROKER_NOT_CONNECTED = "broker_not_connected"
    ORDER_KEY_WAITS = "order_key_waits"
    ORDER_KEY_DEAD_LETTER = "order_key_dead_letter"
    LANE_FULL = "lane_full"
    CLIENT_FULL = "client_full"
    BEHIND_OTHERS = "behind_others"
    DISPATCH_DUE = "dispatch_due"
    CANCEL_ASKED = "cancel_asked"
    NOT_AT_BROKER = "not_at_broker"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NOT_FETCHED = "not_fetched"
    WAITS_IN_AGENT = "waits_in_agent"
    HELD = "held"
    RUNNING = "running"


@dataclass(frozen=True)
class Explanation:
    """One cause and what belongs to it: ids, times, numbers, ready for JSON and for the sentences."""

    cause: Cause
    details: Mapping[str, Any] = field(default_factory=dict)


def explain(facts: Mapping[str, Any], *, broker_connected: bool | None) -> Explanation:
    """The cause for a row of `store.explanation.facts`.

    `broker_connected`: whether any hub process is at the broker; None when nobody has said so, either way.
    """
    match facts["status"]:
        case "pending":
            return _disabled(facts) or _held_back(facts) or _unreachable(facts, broker_connected) or _in_line(facts)
        case "queued":
            return _cancel(facts) or _handed_out(facts, broker_connected)
        case "running":
            return _cancel(facts) or _running(facts)
        case status:
            return Explanation(Cause.ENDED, {"status": status, "reason": _reason(facts)})


def _reason(facts: Mapping[str, Any]) -> str | None:
    """Why it ended without success, as a code."""
    code = (facts["error"] or {}).get("code")
    return facts["unknown_reason"] or code


def _disabled(facts: Mapping[str, Any]) -> Explanation | None:
    if facts["client_status"] == "active":
        return None
    return Explanation(Cause.CLIENT_DISABLED, {"client_status": facts["client_status"]})


def _held_back(facts: Mapping[str, Any]) -> Explanation | None:
    """What keeps a pending command out of the line."""
    if facts["on_hold"]:
        return Explanation(
            Cause.BATCH_PAUSED,
            {"batch_id": facts["batch_id"], "batch_status": facts["batch_status"], "stop_reason": facts["stop_reason"]},
        )
    if not facts["scheduled"]:
        return None
    if facts["attempt"] > 1:
        return Explanation(
            Cause.RETRY_WAITS,
            {
                "attempt": facts["attempt"],
                "max_retries": facts["max_retries"],
                "until": facts["not_before"],
                "error": facts["error"],
            },
        )
    if facts["per_minute"] is not None:
        return Explanation(
            Cause.ROLLOUT,
            {"until": facts["not_before"], "batch_id": facts["batch_id"], "per_minute": facts["per_minute"]},
        )
    return Explanation(Cause.SCHEDULED, {"until": facts["not_before"]})


def _unreachable(facts: Mapping[str, Any], broker_connected: bool | None) -> Explanation | None:
    """What keeps anything from going to the client."""
    since = {"since": facts["presence_since"]}
    if facts["session"] is None:
        return Explanation(Cause.CLIENT_NEVER_SEEN)
    if facts["kept_away"]:
        return Explanation(Cause.CLIENT_KEPT_AWAY)
    # Before presence: while no hub is at the broker, none knows who is. Clients that speak HTTP do without it.
    if broker_connected is False and not over_http(facts["session"]):
        return Explanation(Cause.BROKER_NOT_CONNECTED)
    if facts["presence"] == "offline":
        return Explanation(Cause.CLIENT_OFFLINE, since)
    return None


def _in_line(facts: Mapping[str, Any]) -> Explanation:
    """What a pending command waits behind; unknown presence is named last, for dispatch goes there all the same."""
    if facts["blocker"] is not None:
        cause = Cause.ORDER_KEY_DEAD_LETTER if facts["blocker_is_dead_letter"] else Cause.ORDER_KEY_WAITS
        return Explanation(cause, {"order_key": facts["order_key"], "command_id": facts["blocker"]})
    urgent = facts["priority"] >= URGENT_PRIORITY
    if len(facts["in_lane"]) >= PER_LANE + urgent:
        return Explanation(Cause.LANE_FULL, {"lane": facts["lane"], "command_ids": facts["in_lane"]})
    if not urgent and facts["at_client"] >= PER_CLIENT:
        return Explanation(Cause.CLIENT_FULL, {"commands": facts["at_client"]})
    if facts["ahead"]:
        return Explanation(Cause.BEHIND_OTHERS, {"lane": facts["lane"], "command_ids": facts["ahead"]})
    if facts["presence"] == "unknown":
        return Explanation(Cause.CLIENT_UNKNOWN, {"since": facts["presence_since"]})
    return Explanation(Cause.DISPATCH_DUE)


def _cancel(facts: Mapping[str, Any]) -> Explanation | None:
    if facts["cancel_requested_at"] is None:
        return None
    return Explanation(Cause.CANCEL_ASKED, {"since": facts["cancel_requested_at"], "presence": facts["presence"]})


def _handed_out(facts: Mapping[str, Any], broker_connected: bool | None) -> Explanation:
    if facts["accepted_at"] is not None and facts["presence"] == "online":
        return Explanation(Cause.WAITS_IN_AGENT, {"since": facts["accepted_at"], "command_id": facts["lane_runs"]})
    if (stopped := _disabled(facts) or _unreachable(facts, broker_connected)) is not None:
        return stopped
    sends = {"sends": facts["sends"], "next_send": facts["lease_until"]}
    if facts["accepted_at"] is not None:
        return Explanation(Cause.CLIENT_UNKNOWN, {"since": facts["presence_since"]})
    if over_http(facts["session"]):
        return Explanation(Cause.NOT_FETCHED, {"since": facts["queued_at"], **sends})
    if facts["sent_at"] is None:
        return Explanation(Cause.NOT_AT_BROKER, sends)
    return Explanation(Cause.NOT_ACKNOWLEDGED, {"since": facts["sent_at"], **sends})


def _running(facts: Mapping[str, Any]) -> Explanation:
    if facts["held_reasons"]:
        return Explanation(Cause.HELD, {"reasons": facts["held_reasons"], "since": facts["started_at"]})
    return Explanation(
        Cause.RUNNING,
        {"since": facts["started_at"], "progress": facts["progress"], "presence": facts["presence"]},
    )
