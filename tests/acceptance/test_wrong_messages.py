"""Wrong MQTT messages with a real client's credentials: each has its outcome, and nothing else changes."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from uuid_utils.compat import uuid7

from schemas.topics import Channel, client_topic
from tests.acceptance.floor import Floor, until
from tests.acceptance.speaker import SESSION, Speaker, kept, logged, now

DEEP = 10_000


@pytest.fixture(scope="module")
def speaker(floor: Floor) -> Iterator[Speaker]:
    speaker = Speaker(floor)
    speaker.settle()
    yield speaker
    speaker.close()


@pytest.fixture(scope="module")
def other(floor: Floor) -> Iterator[Speaker]:
    other = Speaker(floor)
    yield other
    other.close()


@pytest.fixture(scope="module")
def database(floor: Floor) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(floor.stack.database_url, autocommit=True) as connection:
        yield connection


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


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


@pytest.mark.parametrize("wrong", MESSAGES, ids=lambda wrong: wrong.id)
def test_a_wrong_message_is_refused_with_its_reason_and_changes_nothing(
    floor: Floor, speaker: Speaker, database: psycopg.Connection[Any], wrong: Message
) -> None:
    before, place = kept(database), floor.hub.log.stat().st_size

    assert speaker.say(wrong.channel, wrong.payload(speaker)) in (0, 16)
    speaker.settle()

    reasons = [line["reason"] for line in logged(floor, place, "message.refused", speaker.id)]
    assert reasons == ([] if wrong.reason is None else [wrong.reason])
    assert kept(database) == before
    assert floor.hub.process.poll() is None


def test_a_retained_lie_is_refused_again_by_each_hub_that_comes_and_harms_none(
    floor: Floor, speaker: Speaker, database: psycopg.Connection[Any]
) -> None:
    before = kept(database)
    speaker.say(Channel.PRESENCE, speaker.birth(client_id="pc-other"), retain=True)
    speaker.say(Channel.STATE, b"junk", retain=True)
    speaker.say(Channel.REPORTS, b"junk", retain=True)
    late = floor.add_hub("late")
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
    floor: Floor, other: Speaker, database: psycopg.Connection[Any]
) -> None:
    intruder = Speaker(floor)
    before, place = kept(database), floor.hub.log.stat().st_size
    report = json.dumps(other.reports(Speaker.report(str(uuid7()))))
    assert intruder.broker.publish(client_topic(other.id, Channel.REPORTS), report) == 0x87
    too_large = b'{"a":"' + b"x" * 65_536 + b'"}'
    intruder.broker.send(client_topic(intruder.id, Channel.REPORTS), too_large)  # type: ignore[arg-type]
    intruder.broker.wait_for(lambda: intruder.broker.disconnected)
    other.settle()
    assert logged(floor, place, "message.refused", other.id) == []
    assert logged(floor, place, "message.refused", intruder.id) == []
    assert kept(database)["report_quarantine"] == before["report_quarantine"]


# --- single reports among good ones ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Bad:
    """A report about a command that was handed out, the reason it lies in quarantine with (None: it is ignored; a
    reason that ends in `...` is its beginning), and whether it gets a receipt."""

    id: str
    reason: str | None
    report: Callable[[Speaker, str], Any]
    receipt: bool = True


def changed(**fields: Any) -> Callable[[Speaker, str], dict[str, Any]]:
    """A report that is right but for these fields; what is None is left out."""

    def made(_: Speaker, command_id: str) -> dict[str, Any]:
        whole = Speaker.report(command_id, **fields)
        return {name: value for name, value in whole.items() if value is not None}

    return made


REPORTS = [
    Bad("unknown command", "unknown_command", lambda s, _: s.report(str(uuid7()))),
    Bad("attempt 0", "Expected `int` >= 1 ...", changed(attempt=0)),
    Bad("attempt -1", "Expected `int` >= 1 ...", changed(attempt=-1)),
    Bad("attempt of letters", "Expected `int`, got `str` ...", changed(attempt="1")),
    Bad("attempt ahead", "not_handed_out", changed(attempt=2)),
    Bad("attempt far ahead", "Expected `int` <= 1000 ...", changed(attempt=1001)),
    Bad("unknown status", "unsupported", changed(status="exploded")),
    Bad("empty status", "unsupported", changed(status="")),
    Bad("status of a number", "Expected `str`, got `int` ...", changed(status=7)),
    Bad("no status", "Object missing required field `status`...", lambda s, c: without(s.report(c), "status")),
    Bad("no report id", "Object missing required field `report_id`...", changed(report_id=None), receipt=False),
    Bad("report id no UUID", "Invalid UUID ...", changed(report_id="1"), receipt=False),
    Bad("command id no UUID", "Invalid UUID ...", lambda s, _: s.report("../../x")),
    Bad("a number", "Expected `object`, got `int`...", lambda *_: 7, receipt=False),
    Bad("a list", "Expected `object`, got `array`...", lambda *_: [1], receipt=False),
    Bad("null", "Expected `object`, got `null`...", lambda *_: None, receipt=False),
    Bad("a time without a zone", "Expected `datetime` with a timezone ...", changed(at="2026-11-21T00:00:00")),
    Bad("no time", "Object missing required field `at`...", changed(at=None)),
    Bad("progress no object", "Expected `object | null`, got `array` ...", changed(progress=[1])),
    Bad("result no object", "Expected `object | null`, got `str` ...", changed(result="fine")),
    Bad("an endless sentence", "Expected `str` of length <= 8000 ...", changed(result={"message": "x" * 8_001})),
    Bad("a negative duration", "Expected `float` >= 0.0 ...", changed(result={"duration_s": -1})),
    Bad("a code with spaces", "Expected `str` matching regex ...", changed(status="failed", error={"code": "A B"})),
    Bad("no code", "Object missing required field `code` ...", changed(status="failed", error={})),
]


def without(report: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key != name}


def rows(database: psycopg.Connection[Any], client_id: str) -> list[tuple[Any, ...]]:
    found = database.execute(
        "SELECT report_id::text, reason FROM report_quarantine WHERE client_id = %s ORDER BY id", (client_id,)
    )
    return found.fetchall()


@pytest.mark.parametrize("bad", REPORTS, ids=lambda bad: bad.id)
def test_a_bad_report_stands_alone_in_quarantine_and_the_good_ones_beside_it_count(
    floor: Floor, speaker: Speaker, database: psycopg.Connection[Any], bad: Bad
) -> None:
    first, target, last = (speaker.command() for _ in range(3))
    report = bad.report(speaker, target)
    good = [speaker.report(first), speaker.report(last)]
    quarantined = rows(database, speaker.id)

    speaker.say(Channel.REPORTS, speaker.reports(good[0], report, good[1]))
    speaker.settle()

    assert [floor.command(command)["status"] for command in (first, target, last)] == [
        "completed",
        "queued",
        "completed",
    ]
    added = rows(database, speaker.id)[len(quarantined) :]
    report_id = report.get("report_id") if bad.receipt else None
    assert [row[0] for row in added] == [report_id]
    assert bad.reason is not None
    assert added[0][1].startswith(bad.reason.removesuffix("...").rstrip())
    assert bad.reason.endswith("...") or added[0][1] == bad.reason
    if bad.receipt:
        assert speaker.has_receipt(report_id)
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(target)))
    floor.wait_status(target, "completed")


def test_a_report_about_anothers_command_changes_nothing_there(
    floor: Floor, speaker: Speaker, other: Speaker, database: psycopg.Connection[Any]
) -> None:
    foreign = other.command()
    for status in ("started", "completed", "failed", "cancelled", "unknown"):
        report = speaker.report(foreign, status)
        speaker.say(Channel.REPORTS, speaker.reports(report))
        speaker.settle()
        assert rows(database, speaker.id)[-1] == (report["report_id"], "foreign_command")
        assert speaker.has_receipt(report["report_id"])
    assert (floor.command(foreign)["status"], floor.events(foreign)) == ("queued", ["created", "queued"])
    other.say(Channel.REPORTS, other.reports(other.report(foreign)))
    floor.wait_status(foreign, "completed")


def test_a_report_about_what_was_not_handed_out_is_quarantined(
    floor: Floor, speaker: Speaker, database: psycopg.Connection[Any]
) -> None:
    waiting = floor.send(speaker.id, "display", {"display": 0}, not_before="2098-01-01T00:00:00Z", expires_in_s=60)
    report = speaker.report(waiting["id"])
    speaker.say(Channel.REPORTS, speaker.reports(report))
    speaker.settle()
    assert rows(database, speaker.id)[-1] == (report["report_id"], "not_handed_out")
    assert floor.command(waiting["id"])["status"] == "pending"


ORDERS = [
    (["completed", "started"], "completed", ["completed"]),
    (["completed", "failed"], "completed", ["completed"]),
    (["completed", "cancelled"], "completed", ["completed"]),
    (["completed", "unknown"], "completed", ["completed"]),
    (["completed", "completed"], "completed", ["completed"]),
    (["failed", "completed"], "failed", ["failed"]),
    (["started", "accepted", "completed"], "completed", ["started", "completed"]),
    (["started", "started", "completed"], "completed", ["started", "completed"]),
    (["started", "expired", "completed"], "completed", ["started", "completed"]),
    (["started", "busy", "completed"], "completed", ["started", "completed"]),
    (["unknown", "started", "completed"], "completed", ["unknown", "completed"]),
    (["unknown", "unknown", "failed"], "failed", ["unknown", "failed"]),
    (["held", "started", "completed"], "completed", ["held", "resumed", "completed"]),
]


@pytest.mark.parametrize(("said", "status", "events"), ORDERS, ids=lambda value: "-".join(value) if value else "")
@pytest.mark.parametrize("together", [True, False], ids=["together", "one by one"])
def test_statuses_out_of_order_are_ignored_with_their_receipt(
    floor: Floor,
    speaker: Speaker,
    database: psycopg.Connection[Any],
    said: list[str],
    status: str,
    events: list[str],
    together: bool,
) -> None:
    command, quarantined = speaker.command(), rows(database, speaker.id)
    reports = [speaker.report(command, each) for each in said]
    for message in [reports] if together else [[report] for report in reports]:
        speaker.say(Channel.REPORTS, speaker.reports(*message))
    speaker.settle()
    assert (floor.command(command)["status"], floor.events(command)) == (status, ["created", "queued", *events])
    assert all(speaker.has_receipt(report["report_id"]) for report in reports)
    assert rows(database, speaker.id) == quarantined


def test_a_report_that_comes_twice_counts_once(
    floor: Floor, speaker: Speaker, database: psycopg.Connection[Any]
) -> None:
    command, quarantined = speaker.command(), rows(database, speaker.id)
    started = speaker.report(command, "started")
    same_id = {**speaker.report(command, "completed"), "report_id": started["report_id"]}
    speaker.say(Channel.REPORTS, speaker.reports(started, started, same_id))
    speaker.say(Channel.REPORTS, speaker.reports(started))
    speaker.say(Channel.REPORTS, speaker.reports(same_id))
    speaker.settle()
    assert floor.events(command) == ["created", "queued", "started"]
    assert rows(database, speaker.id) == quarantined
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command)))
    floor.wait_status(command, "completed")


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        ({"text": "a\0b"}, {"text": "a\ufffdb"}),
        ({"a\0": 1}, {"a\ufffd": 1}),
        ({"n": 2**70}, {"n": 2**70}),
        ({"list": ["\0"] * 3}, {"list": ["\ufffd"] * 3}),
        ({"x": "x" * 60_000}, {"x": "x" * 60_000}),
    ],
    ids=["NUL", "NUL in a key", "beyond 64 bits", "list", "large"],
)
def test_what_cannot_be_stored_is_cleaned_and_the_command_ends_all_the_same(
    floor: Floor, speaker: Speaker, data: dict[str, Any], stored: dict[str, Any]
) -> None:
    command = speaker.command()
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command, result={"data": data})))
    ended = floor.wait_status(command, "completed")
    assert ended["result"]["data"] == stored


def test_what_nests_without_end_is_cut_and_can_be_read(floor: Floor, speaker: Speaker) -> None:
    for levels in (60, 70, 300, 500, 900):
        command = speaker.command()
        speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command, result={"data": nested(levels)})))
        ended = floor.wait_status(command, "completed")
        assert ("nested deeper" in json.dumps(ended["result"])) == (levels > 63)
        speaker.say(Channel.STATE, state(speaker, printers=[nested(levels)]))
        speaker.settle()
        assert floor.http.get(f"/api/clients/{speaker.id}").status_code == 200


@pytest.mark.parametrize(
    ("reasons", "shown"),
    [
        (["media-empty"], ["media-empty"]),
        ("media-empty", ["unspecified"]),
        (5, ["unspecified"]),
        ([[1], {"a": 2}, None, 3], ["unspecified"]),
        (["a", 1, "b"], ["a", "b"]),
        ([str(n) for n in range(100)], [str(n) for n in range(20)]),
    ],
)
def test_odd_reasons_for_waiting_are_read_as_far_as_they_can_be(
    floor: Floor, speaker: Speaker, reasons: Any, shown: list[str]
) -> None:
    command = speaker.command()
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command, "held", progress={"reasons": reasons})))
    speaker.settle()
    assert floor.command(command)["held_reasons"] == shown
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command)))
    floor.wait_status(command, "completed")


def test_the_session_of_the_speaker_stood_through_all_of_this(floor: Floor, speaker: Speaker) -> None:
    client = floor.http.get(f"/api/clients/{speaker.id}").json()
    assert (client["presence"], client["agent_name"]) == ("online", "test")
    assert SESSION in floor.http.get(f"/api/clients/{speaker.id}/history").text
