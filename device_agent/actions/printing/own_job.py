"""By what an attempt's own job is told from another that has its number: printers begin their numbers anew after a
reset, and a name may be withheld or cut."""

from collections.abc import Mapping
from typing import Any

from device_agent.ipp.message import Group

IDENTITY = ("job-id", "job-name", "job-uuid", "job-originating-user-name")
"""What to ask for. CUPS leaves out the name of a job that ended before its restart or while nobody asked, unless an
attribute is wanted for which it must read the job's file: job-uuid is one."""
DOCUMENT_SENT = "document_sent"
"""What the journal remembers of whether the printer got the whole document."""
USER = "floorhub"
_OURS = "floorhub-"
_LEAST_CUT = 32
"""A name that a printer cut is believed from this length on: of the command's id only the last digits are missing."""


class OwnJob:
    """The job of an attempt at its printer, and what is known of it. In doubt a job is another's."""

    def __init__(self, name: str, job_id: int, *, fresh: bool = True, remembered: Mapping[str, Any] | None = None):
        """`fresh`: the printer has told the number just now. `remembered`: see `remembered`."""
        known = remembered or {}
        uuid, called = known.get("job_uuid"), known.get("job_called")
        self.name = name
        self.job_id = job_id
        sent, ignored = known.get(DOCUMENT_SENT), known.get("ignored")
        self.document_sent = sent if isinstance(sent, bool) else None
        """Whether the printer took the whole document. None: nobody noted it."""
        self.ignored = [str(name) for name in ignored] if isinstance(ignored, list) else []
        """What the printer said it would ignore when it took the job."""
        self._fresh = fresh
        self._uuid = uuid if isinstance(uuid, str) else ""
        self._called = called if isinstance(called, str) else None
        """What the printer called it when it was asked first; empty: it told no name. None: it was not asked yet."""

    @classmethod
    def recall(cls, name: str, remembered: Mapping[str, Any]) -> "OwnJob | None":
        """The job that an earlier process remembered; None where it knew no number."""
        number = remembered.get("job_id")
        return cls(name, number, fresh=False, remembered=remembered) if type(number) is int else None

    def remembered(self) -> dict[str, Any]:
        """For the journal: `job_id`, `document_sent`, `ignored`, and as soon as the printer was asked for it
        `job_called` and `job_uuid`."""
        known: dict[str, Any] = {"job_id": self.job_id}
        if self._called is not None:
            known |= {"job_called": self._called, "job_uuid": self._uuid}
        if self.document_sent is not None:
            known[DOCUMENT_SENT] = self.document_sent
        if self.ignored:
            known["ignored"] = self.ignored
        return known

    def doubt(self) -> None:
        """The printer was silent: it may have been reset."""
        self._fresh = False

    def is_shown_by(self, job: Group) -> bool:
        """Whether what the printer says of our number is about our job."""
        name, uuid = job.text("job-name"), job.text("job-uuid")
        if name and (is_named(name, self.name) or is_cut(name, self.name)):
            return True
        if uuid and self._uuid:
            return uuid == self._uuid
        if not name:  # it may tell no names at all, or none of others' jobs
            return not self._uuid and (self._fresh if self._called is None else self._called == "")
        # Some printers call jobs as they like; then at least the user must be ours.
        by_us = job.text("job-originating-user-name") == USER and not name.startswith(_OURS)
        return by_us and (self._fresh if self._called is None else self._called == name)

    def learn(self, job: Group) -> bool:
        """Take in what the printer says of our job; whether that is news."""
        name, uuid = job.text("job-name"), job.text("job-uuid")
        news = self._called is None or bool(uuid and not self._uuid) or bool(name and not self._called)
        self._called = self._called or name
        self._uuid = self._uuid or uuid
        return news


def is_named(name: str, job_name: str) -> bool:
    """Whether a job's name is that of an attempt, with or without a title behind it."""
    return name == job_name or name.startswith(f"{job_name} ")


def is_cut(name: str, job_name: str) -> bool:
    """Whether a job's name is the beginning of an attempt's, as printers that keep short names leave it. It does not
    tell one attempt of a command from another."""
    return len(name) >= _LEAST_CUT and job_name.startswith(name)
