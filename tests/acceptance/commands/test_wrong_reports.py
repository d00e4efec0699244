"""Wrong reports in messages that are right: each has its outcome, and the good ones beside it count."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from uuid_utils.compat import uuid7

from schemas.topics import Channel
from tests.support.site import Site
from tests.support.speaker import Speaker, now


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


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
    site: Site, speaker: Speaker, database: psycopg.Connection[Any], bad: Bad
) -> None:
    first, target, last = (speaker.command() for _ in range(3))
    report = bad.report(speaker, target)
    good = [speaker.report(first), speaker.report(last)]
    quarantined = rows(database, speaker.id)

    speaker.say(Channel.REPORTS, speaker.reports(good[0], report, good[1]))
    speaker.settle()

    assert [site.command(command)["status"] for command in (first, target, last)] == [
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
    site.wait_status(target, "completed")


def test_a_report_about_anothers_command_changes_nothing_there(
    site: Site, speaker: Speaker, other: Speaker, database: psycopg.Connection[Any]
) -> None:
    foreign = other.command()
    for status in ("started", "completed", "failed", "cancelled", "unknown"):
        report = speaker.report(foreign, status)
        speaker.say(Channel.REPORTS, speaker.reports(report))
        speaker.settle()
        assert rows(database, speaker.id)[-1] == (report["report_id"], "foreign_command")
        assert speaker.has_receipt(report["report_id"])
    assert (site.command(foreign)["status"], site.events(foreign)) == ("queued", ["created", "queued"])
    other.say(Channel.REPORTS, other.reports(other.report(foreign)))
    site.wait_status(foreign, "completed")


def test_a_report_about_what_was_not_handed_out_is_quarantined(
    site: Site, speaker: Speaker, database: psycopg.Connection[Any]
) -> None:
    waiting = site.send(speaker.id, "display", {"display": 0}, not_before="2098-01-01T00:00:00Z", expires_in_s=60)
    report = speaker.report(waiting["id"])
    speaker.say(Channel.REPORTS, speaker.reports(report))
    speaker.settle()
    assert rows(database, speaker.id)[-1] == (report["report_id"], "not_handed_out")
    assert site.command(waiting["id"])["status"] == "pending"


ORDERS = [
    (["completed", "started"], "completed", ["completed"]),
    (["completed", "failed"], "completed", ["completed"]),
    (["completed", "cancelled"], "completed", ["completed"]),
    (["completed", "unknown"], "completed", ["completed"]),
    (["completed", "completed"], "completed", ["completed"]),
    (["failed", "completed"], "failed", ["failed"]),
    (["started", "accepted", "completed"], "completed", ["started", "completed"]),
    (["started", "started", "completed"], "completed", ["started", "completed"]),
    (["started", "expired", "completed"], "completed", ["started", "unknown", "completed"]),
    (["started", "busy", "completed"], "completed", ["started", "completed"]),
    (["unknown", "started", "completed"], "completed", ["unknown", "completed"]),
    (["unknown", "unknown", "failed"], "failed", ["unknown", "failed"]),
    (["held", "started", "completed"], "completed", ["held", "resumed", "completed"]),
]


@pytest.mark.parametrize(("said", "status", "events"), ORDERS, ids=lambda value: "-".join(value) if value else "")
@pytest.mark.parametrize("together", [True, False], ids=["together", "one by one"])
def test_statuses_out_of_order_are_ignored_with_their_receipt(
    site: Site,
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
    assert (site.command(command)["status"], site.events(command)) == (status, ["created", "queued", *events])
    assert all(speaker.has_receipt(report["report_id"]) for report in reports)
    assert rows(database, speaker.id) == quarantined


def test_a_report_that_comes_twice_counts_once(site: Site, speaker: Speaker, database: psycopg.Connection[Any]) -> None:
    command, quarantined = speaker.command(), rows(database, speaker.id)
    started = speaker.report(command, "started")
    same_id = {**speaker.report(command, "completed"), "report_id": started["report_id"]}
    speaker.say(Channel.REPORTS, speaker.reports(started, started, same_id))
    speaker.say(Channel.REPORTS, speaker.reports(started))
    speaker.say(Channel.REPORTS, speaker.reports(same_id))
    speaker.settle()
    assert site.events(command) == ["created", "queued", "started"]
    assert rows(database, speaker.id) == quarantined
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command)))
    site.wait_status(command, "completed")


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
    site: Site, speaker: Speaker, data: dict[str, Any], stored: dict[str, Any]
) -> None:
    command = speaker.command()
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command, result={"data": data})))
    ended = site.wait_status(command, "completed")
    assert ended["result"]["data"] == stored


def test_what_nests_without_end_is_cut_and_can_be_read(site: Site, speaker: Speaker) -> None:
    for levels in (60, 70, 300, 500, 900):
        command = speaker.command()
        speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command, result={"data": nested(levels)})))
        ended = site.wait_status(command, "completed")
        assert ("nested deeper" in json.dumps(ended["result"])) == (levels > 63)
        speaker.say(Channel.STATE, speaker.message("state", at=now(), printers=[nested(levels)]))
        speaker.settle()
        assert site.http.get(f"/api/clients/{speaker.id}").status_code == 200


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
    site: Site, speaker: Speaker, reasons: Any, shown: list[str]
) -> None:
    command = speaker.command()
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command, "held", progress={"reasons": reasons})))
    speaker.settle()
    assert site.command(command)["held_reasons"] == shown
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command)))
    site.wait_status(command, "completed")


def test_a_cancel_that_nobody_asked_for_is_a_dead_letter_that_can_be_replayed(site: Site, speaker: Speaker) -> None:
    unasked, asked = speaker.command(order_key="unasked"), speaker.command()
    site.http.post(f"/api/commands/{asked}/cancel").raise_for_status()
    speaker.say(
        Channel.REPORTS,
        speaker.reports(speaker.report(unasked, "cancelled"), speaker.report(asked, "cancelled")),
    )

    ended = [site.wait_status(command, "cancelled") for command in (unasked, asked)]

    assert [command["dead_letter_reason"] for command in ended] == ["cancel_not_requested", None]
    listed = site.http.get("/api/dead-letters", params={"client_id": speaker.id}).json()["items"]
    statuses = {letter["id"]: letter["status"] for letter in listed}  # other tests leave theirs to this client
    assert (statuses.get(unasked), statuses.get(asked)) == ("cancelled", None)
    again = site.http.post(f"/api/commands/{unasked}/retry", json={})
    assert again.status_code == 201, again.text
    site.wait_status(again.json()["id"], "queued")
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(again.json()["id"])))
    site.wait_status(again.json()["id"], "completed")
    assert site.command(unasked)["dead_letter_closed_by"] == "replayed"


def test_a_late_cancel_that_nobody_asked_for_leaves_the_dead_letter_open(site: Site, speaker: Speaker) -> None:
    command = speaker.command()
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command, "unknown")))
    assert site.wait_status(command, "unknown")["dead_letter_reason"] == "unknown"
    speaker.say(Channel.REPORTS, speaker.reports(speaker.report(command, "cancelled")))
    ended = site.wait_status(command, "cancelled")
    assert (ended["dead_letter_reason"], ended["dead_letter_closed_at"]) == ("cancel_not_requested", None)
