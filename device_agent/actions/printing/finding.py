"""Finds the job of an attempt at its printer, by its number or its name. Sends nothing that prints."""

from collections.abc import Sequence

from msgspec import Struct

from device_agent.ipp.client import GONE, NOT_FOUND, IppClient
from device_agent.ipp.errors import IppBusy, IppRefused
from device_agent.ipp.message import Group
from device_agent.ipp.states import ENDED, JobState, job_state

_NAMES = ("job-id", "job-name", "job-state", "job-uuid")
"""CUPS leaves out the name of a job that ended before its restart or while nobody asked, unless an attribute is wanted
for which it must read the job's file: job-uuid is one."""
_MOST_NAMELESS = 50
"""How many jobs without a name are asked one by one."""


class Found(Struct, frozen=True, kw_only=True):
    """What a printer says about the job of an attempt. `said` is a sentence about what was asked and answered."""

    job_id: int | None
    said: str
    gone: bool = False
    """It took the job by the number that is known, and has it no more."""


async def find_job(client: IppClient, job_name: str, job_id: int | None = None) -> Found:
    """The job with that name; `job_id` is its number, where the printer told it. Raises IppError.

    A job that still runs counts more than one that completed, that more than others, the newest most.
    """
    asked, gone = "", False
    if job_id is not None:
        asked, ours = await _ask_by_number(client, job_name, job_id)
        if ours:
            return Found(job_id=job_id, said=asked)
        gone = ours is None
        asked += "; "
    found: list[tuple[int, int]] = []
    jobs = await _all_jobs(client)
    nameless = 0
    for job in jobs:
        number, name = job.integer("job-id"), job.text("job-name")
        if number is None:
            continue
        if not name and nameless < _MOST_NAMELESS:
            name = await _name_of(client, number)
        nameless += not name
        if _is(name, job_name):
            state = job_state(job)
            found.append((1 if state is JobState.COMPLETED else 0 if state in ENDED else 2, number))
    asked += f"Get-Jobs at {client.uri} listed {len(jobs)} jobs"
    if not found:
        unnamed = f", and {nameless} without a name" if nameless else ""
        return Found(job_id=None, said=f"{asked}, none of them named {job_name}{unnamed}", gone=gone)
    _, number = max(found)
    return Found(job_id=number, said=f"{asked}, job {number} is named {job_name}")


async def listed(client: IppClient, job_id: int, names: Sequence[str]) -> Group | None:
    """What Get-Jobs says about a job, where a printer does not answer for it alone. Raises IppError."""
    return next((job for job in await _all_jobs(client, names) if job.integer("job-id") == job_id), None)


async def _all_jobs(client: IppClient, names: Sequence[str] = _NAMES) -> list[Group]:
    return [job for which in ("not-completed", "completed") for job in await client.get_jobs(which, names)]


async def _ask_by_number(client: IppClient, job_name: str, job_id: int) -> tuple[str, bool | None]:
    """A sentence, and whether the number is our job's: False when it is another's now, None when there is none."""
    question = f"Get-Job-Attributes at {client.uri}"
    try:
        job = await client.get_job(job_id, _NAMES)
    except IppBusy:
        raise
    except IppRefused as refusal:
        if refusal.status in (NOT_FOUND, GONE):
            return f"{question} no longer knows job {job_id}", None
        return f"{question} was refused ({refusal})", False
    name = job.text("job-name")
    if name and not _is(name, job_name):  # its numbers began anew
        return f"{question} has job {job_id} under another name", False
    return f"{question} has job {job_id}{f' as {job_name}' if name else ', without a name'}", True


async def _name_of(client: IppClient, job_id: int) -> str:
    try:
        return (await client.get_job(job_id, _NAMES)).text("job-name")
    except IppBusy:
        raise
    except IppRefused:  # it may be private, or gone since
        return ""


def _is(name: str, job_name: str) -> bool:
    """Whether a job's name is that of an attempt, with or without a title behind it."""
    return name == job_name or name.startswith(f"{job_name} ")
