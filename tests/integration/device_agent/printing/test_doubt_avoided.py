"""Where the printer can be asked or waited for, nobody has to go and look."""

from pathlib import Path

import msgspec
import pytest

from device_agent.actions.printing import request as print_request
from device_agent.ipp import client as ipp
from device_agent.ipp.message import Message
from device_agent.ipp.states import JobState
from tests.integration.device_agent.printing.odd_printer import reply
from tests.integration.device_agent.printing.scripted_printer import Answer, Job, ScriptedPrinter, once
from tests.support.printing import FAST, Context, payload, restarted

REQUEST = print_request.parse(payload())
LONG = "0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
PATIENT = msgspec.structs.replace(FAST, away_s=60.0)


async def test_a_printer_that_is_away_in_the_middle_of_a_job_is_waited_for(pdf: Path) -> None:
    """Longer than one that answers and does not say what its job is in."""
    there = ScriptedPrinter()
    asked = 0

    def away(_: Message) -> Answer | None:
        nonlocal asked
        asked += 1
        return (503, b"") if asked < 20 else None

    there.instead[ipp.GET_JOB_ATTRIBUTES] = away
    context = Context(pdf)
    async with there.running(PATIENT) as printer:
        outcome = await printer.print_document(REQUEST, context)
    assert outcome.status == "completed", outcome
    assert context.heard("held") == [["printer-unreachable"]]


async def test_a_printer_that_is_away_after_the_job_was_sent_is_waited_for(pdf: Path) -> None:
    there = ScriptedPrinter()
    asked = 0

    def lose(request: Message) -> Answer:
        there.usual(request)
        return 500, b""

    def away(_: Message) -> Answer | None:
        nonlocal asked
        asked += 1
        return (503, b"") if asked < 20 else None

    there.instead |= {ipp.PRINT_JOB: lose, ipp.GET_JOBS: away}
    context = Context(pdf)
    async with there.running(PATIENT) as printer:
        outcome = await printer.print_document(REQUEST, context)
    assert (outcome.status, there.documents) == ("completed", 1), outcome
    assert [kind for kind, _ in context.told if kind != "progress"] == ["held", "resumed"]


@pytest.mark.parametrize("attempt", [1, 2])
async def test_a_cut_name_is_ours(attempt: int) -> None:
    await _cut(True, attempt, "completed")


@pytest.mark.parametrize(("attempt", "status"), [(1, "completed"), (2, "unknown")])
async def test_a_cut_name_without_a_number_is_a_first_attempts(attempt: int, status: str) -> None:
    """It may be the earlier attempt's."""
    await _cut(False, attempt, status)


async def _cut(by_number: bool, attempt: int, status: str) -> None:
    there = ScriptedPrinter()
    context = Context(command_id=LONG)
    context.job_name = f"floorhub-{LONG}-{attempt}"
    there.jobs[4] = Job(4, context.job_name[:40], JobState.COMPLETED)
    context.remembered = {"job_id": 4} if by_number else {"document_sent": True}
    async with there.running() as printer:
        outcome = await printer.evidence(REQUEST, context)
    assert outcome.status == status, outcome


@pytest.mark.parametrize(
    ("refused", "state"), [("completed", JobState.PROCESSING), ("not-completed", JobState.COMPLETED)]
)
@pytest.mark.parametrize("code", [0x040B, 0x0501, 0x0400])
async def test_one_refused_list_does_not_hide_the_other(refused: str, state: JobState, code: int) -> None:
    there = ScriptedPrinter()
    there.jobs[4] = Job(4, Context().job_name, state)

    def refuse(request: Message) -> Answer | None:
        return reply(request, code) if request.groups[0].text("which-jobs") == refused else None

    def end(_: Message) -> None:
        there.jobs[4].state = JobState.COMPLETED

    there.instead |= {ipp.GET_JOBS: refuse, ipp.GET_JOB_ATTRIBUTES: end}
    async with there.running() as printer:
        outcome = await printer.evidence(REQUEST, restarted())
    assert (outcome.status, outcome.data["job_id"]) == ("completed", 4), outcome


@pytest.mark.parametrize("status", [408, 429, 503])
async def test_a_web_server_that_has_no_time_is_asked_again(pdf: Path, status: int) -> None:
    there = ScriptedPrinter()
    there.jobs[1] = Job(1, "Letter", JobState.COMPLETED)
    there.instead[ipp.PRINT_JOB] = once(lambda _: (status, b""))
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, there.documents) == ("completed", 1), outcome


@pytest.mark.parametrize("why", ["it took the job", "it tells no jobs", "it tells no names", "nothing is kept"])
async def test_a_web_server_that_has_no_time_is_not_sent_the_job_twice(pdf: Path, why: str) -> None:
    there = ScriptedPrinter()

    def turn_away(request: Message) -> Answer:
        if why == "it took the job":
            there.usual(request)
        return 408 if why == "nothing is kept" else 503, b""

    there.instead[ipp.PRINT_JOB] = once(turn_away)
    if why == "it tells no jobs":
        there.instead[ipp.GET_JOBS] = lambda request: reply(request, 0x0501)
    elif why == "it tells no names":
        there.jobs[1] = Job(1, "", JobState.COMPLETED)
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert there.heard.count(ipp.PRINT_JOB) == 1
    assert outcome.status == ("completed" if why == "it took the job" else "unknown"), outcome


async def test_a_printer_that_took_the_job_is_waited_for_after_a_restart_too() -> None:
    """Its number is known, so that it is followed and held like one that never was cut off."""
    there = ScriptedPrinter()
    there.jobs[1] = Job(1, Context().job_name, JobState.COMPLETED)
    asked = 0

    def away(_: Message) -> Answer | None:
        nonlocal asked
        asked += 1
        return (503, b"") if asked < 20 else None

    there.instead[ipp.GET_JOB_ATTRIBUTES] = away
    context = Context()
    context.remembered = {"job_id": 1}
    async with there.running(PATIENT) as printer:
        outcome = await printer.evidence(REQUEST, context)
    assert outcome.status == "completed", outcome
    assert [kind for kind, _ in context.told if kind != "progress"][:3] == ["found", "held", "resumed"]
