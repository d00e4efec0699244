"""Wrong MQTT messages with a real client's credentials: each has its outcome, and nothing else changes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from uuid_utils.compat import uuid7

from schemas.topics import Channel, client_topic
from tests.support.site import Site
from tests.support.speaker import SESSION, Speaker, logged, now
from tests.support.tables import kept
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("compares whole tables")

DEEP = 10_000


# --- whole messages -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """A payload on a channel, and the reason that the hub logs; None: it is taken for nothing and not worth a word."""

    id: str
    reason: str | None
    payload: Callable[[Speaker], bytes | dict[str, Any]]
    channel: Channel = Channel.REPORTS


def progress(speaker: Speaker) -> dict[str, Any]:
    return Speaker.report(str(uuid7()), "progress")


MESSAGES = [
    Message("nothing", None, lambda _: b""),
    Message("text", "bad_frame", lambda _: b"hello"),
    Message("a list", "bad_frame", lambda _: b"[1]"),
    Message("half a JSON", "not_json", lambda _: b'{"v": 1, '),
    Message("two JSONs", "invalid", lambda _: b"{}{}"),
    Message("an empty object", "invalid", lambda _: b"{}"),
    Message("no UTF-8", "invalid", lambda _: b'{"v":1,"kind":"reports","client_id":"\xff"}'),
    Message("NaN", "not_json", lambda s: json.dumps(s.reports({"at": float("nan")})).encode()),
    Message("nested 10,000 deep", "not_json", lambda _: b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    Message("a raw NUL", "not_json", lambda _: b'{"v":1,"kind":"reports\0"}'),
    Message("half a character", "not_json", lambda s: s.reports("\ud800")),
    Message("a signature that is none", "bad_frame", lambda s: b"kid !!\n" + json.dumps(s.reports()).encode()),
    Message("a short signature", "bad_frame", lambda s: b"kid AAAA\n" + json.dumps(s.reports()).encode()),
    Message("version 2", "unsupported_version", lambda _: {"v": 2, "kind": "reports", "reports": {"new": 1}}),
    Message("version 0", "invalid", lambda s: {**s.reports(progress(s)), "v": 0}),
    Message("version of letters", "invalid", lambda s: {**s.reports(progress(s)), "v": "1"}),
    Message("unknown kind", "unsupported_kind", lambda s: s.message("gossip")),
    Message("no kind", "invalid", lambda s: {"v": 1, "client_id": s.id}),
    Message("a kind of another channel", "unsupported_kind", lambda s: s.message("heartbeat", connection=1)),
    Message("a kind of the hub", "unsupported_kind", lambda s: s.message("run")),
    Message("another client's id", "foreign_client_id", lambda s: s.reports(progress(s), client_id="pc-other")),
    Message("a hostile client id", "invalid", lambda s: s.reports(progress(s), client_id="../#")),
    Message("no client id", "invalid", lambda s: s.reports(progress(s), client_id=None)),
    Message("no session", "invalid", lambda s: s.reports(progress(s), session="")),
    Message("a session of 65", "invalid", lambda s: s.reports(progress(s), session="x" * 65)),
    Message("NUL in the session", "invalid", lambda s: s.reports(progress(s), session="a\0")),
    Message("an epoch beyond 64 bits", "invalid", lambda s: s.reports(progress(s), epoch=2**63)),
    Message("reports no list", "invalid", lambda s: s.reports(reports="all of them")),
    Message("no reports", None, lambda s: s.reports()),
    Message(
        "heartbeat of another",
        "foreign_client_id",
        lambda s: s.message("heartbeat", connection=1, client_id="pc-other"),
        Channel.HEARTBEAT,
    ),
    Message("connection 0", "invalid", lambda s: s.message("heartbeat", connection=0), Channel.HEARTBEAT),
    Message("connection 2^31", "invalid", lambda s: s.message("heartbeat", connection=2**31), Channel.HEARTBEAT),
    Message(
        "heartbeat with NUL",
        "invalid",
        lambda s: s.message("heartbeat", connection=1) | {"session": "\0"},
        Channel.HEARTBEAT,
    ),
    Message(
        "heartbeat with an epoch beyond 64 bits",
        "invalid",
        lambda s: s.message("heartbeat", connection=1, epoch=2**70),
        Channel.HEARTBEAT,
    ),
    Message("birth of another", "foreign_client_id", lambda s: s.birth(client_id="pc-other"), Channel.PRESENCE),
    Message("birth of no level", "invalid", lambda s: s.birth(level="expert"), Channel.PRESENCE),
    Message("birth without a clock", "invalid", lambda s: s.birth(clock=None), Channel.PRESENCE),
    Message("birth without a zone", "invalid", lambda s: s.birth(clock="2026-11-21T00:00:00"), Channel.PRESENCE),
    Message("birth with NUL", "invalid", lambda s: s.birth(session="a\0"), Channel.PRESENCE),
    Message("birth with 2^40 connections", "invalid", lambda s: s.birth(connection=2**40), Channel.PRESENCE),
    Message("birth that is a report", "unsupported_kind", lambda s: s.reports(progress(s)), Channel.PRESENCE),
    Message("will of another", "foreign_client_id", lambda s: forged_will(s), Channel.PRESENCE),
    Message(
        "will of an old connection", None, lambda s: s.message("will", connection=1, session="x"), Channel.PRESENCE
    ),
    Message("state of another", "foreign_client_id", lambda s: state(s, client_id="pc-other"), Channel.STATE),
    Message("state with 101 printers", "invalid", lambda s: state(s, printers=[{}] * 101), Channel.STATE),
    Message("state with a printer of text", "invalid", lambda s: state(s, printers=["office"]), Channel.STATE),
    Message("a question nobody answers", None, lambda s: s.message("request"), Channel.REQUESTS),
    Message("nonsense as a question", None, lambda _: b"{}", Channel.REQUESTS),
]


def state(speaker: Speaker, **fields: Any) -> dict[str, Any]:
    return speaker.message("state", **{"at": now(), **fields})


def forged_will(speaker: Speaker) -> dict[str, Any]:
    return speaker.message("will", connection=99, client_id="pc-other")


@pytest.mark.fault("F16")
@pytest.mark.fault("F30")
@pytest.mark.parametrize("wrong", MESSAGES, ids=lambda wrong: wrong.id)
def test_a_wrong_message_is_refused_with_its_reason_and_changes_nothing(
    site: Site, speaker: Speaker, database: psycopg.Connection[Any], wrong: Message
) -> None:
    before, place = kept(database), site.hub.log.stat().st_size

    assert speaker.say(wrong.channel, wrong.payload(speaker)) in (0, 16)
    speaker.settle()

    reasons = [line["reason"] for line in logged(site, place, "message.refused", speaker.id)]
    assert reasons == ([] if wrong.reason is None else [wrong.reason])
    assert kept(database) == before
    assert site.hub.process.poll() is None


def test_a_retained_lie_is_refused_again_by_each_hub_that_comes_and_harms_none(
    site: Site, speaker: Speaker, database: psycopg.Connection[Any]
) -> None:
    before = kept(database)
    speaker.say(Channel.PRESENCE, speaker.birth(client_id="pc-other"), retain=True)
    speaker.say(Channel.STATE, b"junk", retain=True)
    speaker.say(Channel.REPORTS, b"junk", retain=True)
    late = site.add_hub("late")
    try:
        for refused in (
            '"channel":"presence","reason":"foreign_client_id"',
            '"channel":"state","reason":"bad_frame"',
            '"channel":"reports","reason":"retained"',
        ):
            until(lambda text=refused: text in late.log.read_text(), refused)  # type: ignore[misc]
        assert late.process.poll() is None
    finally:
        late.stop()
        for channel in (Channel.STATE, Channel.REPORTS):
            speaker.say(channel, b"", retain=True)
        speaker.say(Channel.PRESENCE, speaker.birth(), retain=True)
    speaker.settle()
    assert kept(database) == before


def test_what_is_too_large_or_not_its_own_does_not_pass_the_broker(
    site: Site, other: Speaker, database: psycopg.Connection[Any]
) -> None:
    intruder = Speaker(site)
    before, place = kept(database), site.hub.log.stat().st_size
    report = json.dumps(other.reports(Speaker.report(str(uuid7()))))
    assert intruder.broker.publish(client_topic(other.id, Channel.REPORTS), report) == 0x87
    too_large = b'{"a":"' + b"x" * 65_536 + b'"}'
    intruder.broker.send(client_topic(intruder.id, Channel.REPORTS), too_large)  # type: ignore[arg-type]
    intruder.broker.wait_for(lambda: intruder.broker.disconnected)
    other.settle()
    assert logged(site, place, "message.refused", other.id) == []
    assert logged(site, place, "message.refused", intruder.id) == []
    assert kept(database)["report_quarantine"] == before["report_quarantine"]


def test_the_session_of_the_speaker_stood_through_all_of_this(site: Site, speaker: Speaker) -> None:
    client = site.http.get(f"/api/clients/{speaker.id}").json()
    assert (client["presence"], client["agent_name"]) == ("online", "test")
    assert SESSION in site.http.get(f"/api/clients/{speaker.id}/history").text
