"""Finds the job of an attempt at its printer, by its number or its name. Sends nothing that prints."""

from collections.abc import Sequence

from msgspec import Struct

from device_agent.actions.printing.own_job import IDENTITY, OwnJob, is_cut, is_named
from device_agent.ipp.client import GONE, NOT_FOUND, IppClient
from device_agent.ipp.errors import IppBusy, IppRefused
from device_agent.ipp.message import Group, GroupTag
from device_agent.ipp.states import ENDED, JobState, job_state

_NAMES = (*IDENTITY, "job-state")
_MOST_NAMELESS = 50
"""How many jobs without a name are asked one by one."""
_FIRST_ATTEMPT = "-1"


class Found(Struct, frozen=True, kw_only=True):
    """What a printer says about the job of an attempt. `said` is a sentence about what was asked and answered."""

    own: OwnJob | None
    said: str
    gone: bool = False
    """It took the job by the number that is known, and has it no more."""
    ended: bool = False
    """By its name it was found among those that ended."""
    absent: bool = False
    """The printer told all its jobs with their names, and ours is none of them."""
    keeps_ended: bool = False
    """It listed jobs that ended."""

    @property
    def job_id(self) -> int | None:
        """The printer's number of it."""
        return None if self.own is None else self.own.job_id


class _Listing(Struct, frozen=True):
    jobs: list[Group]
    refused: IppRefused | None
    """Why a part of the list is missing."""


async def find_job(client: IppClient, job_name: str, known: OwnJob | None = None) -> Found:
    """The job with that name; `known` where the printer told its number. Raises IppError.

    A job that still runs counts more than one that completed, that more than others, the newest most.
    """
    asked, gone = "", False
    if known is not None:
        asked, ours = await _ask_by_number(client, known)
        if ours:
            return Found(own=known, said=asked)
        gone = ours is None
        asked += "; "
    found: list[tuple[int, int]] = []
    listing = await _all_jobs(client)
    nameless = ended = 0
    for job in listing.jobs:
        number, name = job.integer("job-id"), job.text("job-name")
        if number is None:
            continue
        ended += job_state(job) in ENDED
        if not name and nameless < _MOST_NAMELESS:
            name = await _name_of(client, number)
        nameless += not name
        if is_named(name, job_name) or _is_first_cut(name, job_name):
            state = job_state(job)
            found.append((1 if state is JobState.COMPLETED else 0 if state in ENDED else 2, number))
    asked += f"Get-Jobs at {client.uri} listed {len(listing.jobs)} jobs"
    if listing.refused is not None:
        asked += f" (and refused the others: {listing.refused})"
    if not found:
        unnamed = f", and {nameless} without a name" if nameless else ""
        said = f"{asked}, none of them named {job_name}{unnamed}"
        absent = listing.refused is None and not nameless
        return Found(own=None, said=said, gone=gone, absent=absent, keeps_ended=ended > 0)
    rank, number = max(found)
    own = OwnJob(job_name, number, fresh=False)
    return Found(own=own, said=f"{asked}, job {number} is named {job_name}", ended=rank < 2)


async def shown(client: IppClient, job_id: int, names: Sequence[str]) -> Group | None:
    """What a printer says about a number, with its state: alone, or in its list where it does not answer for one alone.
    None when there is no such job. Raises IppError."""
    refused: IppRefused | None = None
    job: Group | None = None
    try:
        job = await client.get_job(job_id, names)
    except IppBusy:
        raise
    except IppRefused as refusal:
        refused = refusal
    if job is not None and job_state(job) is not None:
        return job
    jobs = (await _all_jobs(client, names)).jobs
    found = next((found for found in jobs if found.integer("job-id") == job_id), None)
    if found is not None and job_state(found) is not None:
        return found
    if refused is not None and refused.status not in (NOT_FOUND, GONE):
        raise refused
    return job


async def cancel_own(client: IppClient, own: OwnJob) -> None:
    """Cancel-Job for our job, and never for another that has its number by now. Raises IppError."""
    try:
        job = await shown(client, own.job_id, _NAMES)
    except IppBusy:
        raise
    except IppRefused:  # it says nothing of any job
        job = Group(GroupTag.JOB)
    if job is not None and own.is_shown_by(job):
        await client.cancel_job(own.job_id)


async def _all_jobs(client: IppClient, names: Sequence[str] = _NAMES) -> _Listing:
    """What runs and what ended. A printer that refuses one of the two lists is believed the other. Raises IppError."""
    jobs: list[Group] = []
    refusals: list[IppRefused] = []
    for which in ("not-completed", "completed"):
        try:
            jobs += await client.get_jobs(which, names)
        except IppBusy:
            raise
        except IppRefused as refusal:
            refusals.append(refusal)
    if len(refusals) > 1:
        raise refusals[0]
    return _Listing(jobs, refusals[0] if refusals else None)


async def _ask_by_number(client: IppClient, known: OwnJob) -> tuple[str, bool | None]:
    """A sentence, and whether the number is our job's: False when it is another's now, None when there is none."""
    question = f"Get-Job-Attributes at {client.uri}"
    job_id = known.job_id
    try:
        job = await client.get_job(job_id, _NAMES)
    except IppBusy:
        raise
    except IppRefused as refusal:
        if refusal.status in (NOT_FOUND, GONE):
            return f"{question} no longer knows job {job_id}", None
        return f"{question} was refused ({refusal})", False
    name = job.text("job-name")
    if not known.is_shown_by(job):  # its numbers began anew
        return f"{question} has job {job_id} {'under another name' if name else 'without a name: it may be any'}", False
    return f"{question} has job {job_id}{f' as {known.name}' if name else ', without a name'}", True


async def _name_of(client: IppClient, job_id: int) -> str:
    try:
        return (await client.get_job(job_id, _NAMES)).text("job-name")
    except IppBusy:
        raise
    except IppRefused:  # it may be private, or gone since
        return ""


def _is_first_cut(name: str, job_name: str) -> bool:
    """Whether a cut name is ours without its number to vouch for it: of a first attempt, which has none before it."""
    return job_name.endswith(_FIRST_ATTEMPT) and is_cut(name, job_name)
