"""Printers' words: reasons with and without suffix, what waits for a person, and supplies in both dialects."""

import pytest

from device_agent.ipp.message import Group, Tag, attribute
from device_agent.ipp.states import (
    JobState,
    Reason,
    Severity,
    Supply,
    job_state,
    parse_reasons,
    supplies,
    waiting_for_person,
)


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        (["none"], []),
        (["cups-waiting-for-job-completed", "none-report"], []),
        (["toner-low-report"], [Reason("toner-low", Severity.REPORT)]),
        (["media-empty-warning"], [Reason("media-empty", Severity.WARNING)]),
        (["media-jam-error"], [Reason("media-jam", Severity.ERROR)]),
        (["media-jam"], [Reason("media-jam", Severity.ERROR)]),  # no suffix means error, RFC 8011 5.4.12
        (["paused"], [Reason("paused", Severity.REPORT)]),  # ... except for states that nobody broke
        (["media-jam-report", "media-jam-error"], [Reason("media-jam", Severity.ERROR)]),  # one fault, one reason
        (["", "-error"], []),
    ],
)
def test_reasons(keywords: list[str], expected: list[Reason]) -> None:
    assert parse_reasons(keywords) == expected


@pytest.mark.parametrize(
    ("keywords", "stopped", "expected"),
    [
        (["media-needed-warning", "media-empty-warning"], False, ["media-needed"]),
        (["media-empty-report"], False, []),  # another tray's
        (["media-empty-warning"], True, ["media-empty"]),
        (["media-empty-error"], False, ["media-empty"]),
        (["toner-low-warning"], False, []),
        (["paused"], True, ["paused"]),
        (["none"], True, ["stopped"]),
        (["none"], False, []),
    ],
)
def test_who_waits_for_a_person(keywords: list[str], stopped: bool, expected: list[str]) -> None:
    assert waiting_for_person(parse_reasons(keywords), stopped=stopped) == expected


def test_supplies_from_markers_win_over_printer_supply() -> None:
    printer = Group(
        4,
        (
            attribute("marker-names", Tag.NAME, "Black", "Waste"),
            attribute("marker-levels", Tag.INTEGER, 7, -3),
            attribute("marker-types", Tag.KEYWORD, "toner"),
            attribute("printer-supply", Tag.OCTET_STRING, b"type=toner;level=75;colorantname=black;"),
        ),
    )
    assert supplies(printer) == [Supply("Black", "toner", 7), Supply("Waste", "", None)]


def test_supplies_from_octets() -> None:
    printer = Group(
        4,
        (
            attribute(
                "printer-supply",
                Tag.OCTET_STRING,
                b"index=1;class=supplyThatIsConsumed;type=toner;maxcapacity=200;level=50;colorantname=black;",
                b"index=2;type=wasteToner;maxcapacity=-2;level=25;colorantname=unknown;",
                b"\xff;level=x",
            ),
            attribute("printer-supply-description", Tag.TEXT, "Black Toner"),
        ),
    )
    assert supplies(printer) == [
        Supply("Black Toner", "toner", 25),
        Supply("unknown wasteToner", "wasteToner", 25),
        Supply("", "", None),
    ]


@pytest.mark.parametrize(("number", "expected"), [(9, JobState.COMPLETED), (2, None), (99, None)])
def test_job_states(number: int, expected: JobState | None) -> None:
    assert job_state(Group(2, (attribute("job-state", Tag.ENUM, number),))) is expected
    assert job_state(Group(2)) is None
