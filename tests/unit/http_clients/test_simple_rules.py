"""What the hub fills in for clients that know only their key."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from hub.core.http_clients import rules
from schemas.messages import Run
from schemas.states import ReportStatus

COMMAND = UUID("0192f0c1-0000-7000-8000-000000000002")
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Standing:
    status: str
    attempt: int = 1
    known: bool = False


@pytest.mark.parametrize("attempt", [1, 2, 101])
def test_a_run_id_says_its_attempt(attempt: int) -> None:
    said = rules.run_id(COMMAND, attempt)
    command_id, read = rules.read_run_id(said)
    assert (command_id, read or 1) == (COMMAND, attempt)
    assert said == str(COMMAND) or attempt > 1


def test_the_same_report_has_the_same_id_and_no_other_has() -> None:
    ids = {rules.report_id(COMMAND, attempt, status) for attempt in (1, 2) for status in ReportStatus}
    assert len(ids) == 2 * len(ReportStatus)
    assert rules.report_id(COMMAND, 1, ReportStatus.FAILED) in ids
    assert rules.report_id(uuid4(), 1, ReportStatus.FAILED) not in ids


@pytest.mark.parametrize(
    ("said", "attempt", "standing", "fits"),
    [
        (ReportStatus.STARTED, 1, Standing("running"), True),
        (ReportStatus.STARTED, 1, Standing("unknown"), True),
        (ReportStatus.STARTED, 1, Standing("completed"), False),
        (ReportStatus.STARTED, 1, Standing("completed", known=True), True),
        (ReportStatus.STARTED, 1, Standing("cancelled"), False),
        (ReportStatus.COMPLETED, 1, Standing("completed"), True),
        (ReportStatus.COMPLETED, 1, Standing("failed"), False),
        (ReportStatus.FAILED, 1, Standing("pending", attempt=2, known=True), True),
        (ReportStatus.FAILED, 1, Standing("running", attempt=2), False),
        (ReportStatus.COMPLETED, 1, Standing("completed", attempt=2), False),
    ],
)
def test_a_report_fits_what_is_so_or_was_applied(
    said: ReportStatus, attempt: int, standing: Standing, *, fits: bool
) -> None:
    assert rules.fits(said, attempt, standing) is fits


@pytest.mark.parametrize(
    ("attempt", "standing", "worth"),
    [
        (1, Standing("queued"), True),
        (1, Standing("running"), True),
        (1, Standing("unknown"), True),
        (1, Standing("pending"), False),
        (1, Standing("running", attempt=2), False),
        (2, Standing("running"), False),
        (1, Standing("failed"), False),
    ],
)
def test_only_an_attempt_that_was_handed_out_is_reported_on(attempt: int, standing: Standing, *, worth: bool) -> None:
    assert rules.may_be_applied(attempt, standing) is worth


def run(action: str, **payload: object) -> Run:
    return Run(
        client_id="pda-1",
        command_id=COMMAND,
        attempt=2,
        lane="client",
        action=action,
        payload=payload,
        priority=5,
        issued_at=NOW,
        expires_at=NOW,
        timeout_s=60,
    )


def test_a_payload_that_has_such_a_field_keeps_it() -> None:
    event = rules.command_event(run("print", printer="a", printerName="b", document={"path": "x"}), str)
    assert event["payload"] == {"printer": "a", "printerName": "b", "document": {"path": "x"}, "options": {}}
    assert event["id"] == f"{COMMAND}.2"
    own = {"options": 5, "pdfUrl": 6}
    assert rules.command_event(run("label", **own), str)["payload"] == own
