"""A small IPP printer with jobs, whose answers a test may replace: for what no real one does on demand."""

import contextlib
from collections.abc import AsyncIterator, Callable

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing.ipp import IppPrinter
from device_agent.actions.printing.poll import Timing
from device_agent.ipp import client as ipp
from device_agent.ipp.message import Attribute, Group, Message, Tag, attribute
from device_agent.ipp.states import ENDED, JobState
from tests.integration.device_agent.printing.odd_printer import printer_that, reply
from tests.support.printing import FAST

Answer = tuple[int, bytes]
_OPERATIONS = (ipp.PRINT_JOB, ipp.CREATE_JOB, ipp.SEND_DOCUMENT, ipp.CANCEL_JOB, ipp.GET_JOB_ATTRIBUTES, ipp.GET_JOBS)


class Job:
    """A job as the printer has it; `name` and `uuid` empty: not told."""

    def __init__(self, number: int, name: str, state: JobState, uuid: str = "", user: str = "floorhub") -> None:
        self.number, self.name, self.state, self.uuid, self.user = number, name, state, uuid, user
        self.documents = 0

    def group(self) -> Group:
        said: list[Attribute] = [
            attribute("job-id", Tag.INTEGER, self.number),
            attribute("job-state", Tag.ENUM, self.state),
        ]
        said += [attribute("job-name", Tag.NAME, self.name)] if self.name else []
        said += [attribute("job-uuid", Tag.URI, self.uuid)] if self.uuid else []
        said += [attribute("job-originating-user-name", Tag.NAME, self.user)] if self.user else []
        return Group(2, tuple(said))


class ScriptedPrinter:
    """Prints at once what it gets. `instead` may answer an operation in its place; None from it: go on as usual.
    `also_does`: what it really does, though the answer is another's."""

    def __init__(self, prints: JobState = JobState.COMPLETED, cut: int = 255) -> None:
        self.jobs: dict[int, Job] = {}
        self.heard: list[int] = []
        self.cancelled: list[int] = []
        self.instead: dict[int, Callable[[Message], Answer | None]] = {}
        self._prints = prints
        self._cut = cut

    @property
    def documents(self) -> int:
        """How many it took."""
        return sum(job.documents for job in self.jobs.values())

    def answer(self, request: Message) -> Answer:
        self.heard.append(request.code)
        said = self.instead.get(request.code, lambda _: None)(request)
        return said if said is not None else self.usual(request)

    def usual(self, request: Message) -> Answer:
        about = request.groups[0]
        job = self.jobs.get(about.integer("job-id") or 0)
        match request.code:
            case ipp.PRINT_JOB | ipp.CREATE_JOB:
                number = len(self.jobs) + 1
                job = Job(number, about.text("job-name")[: self._cut], JobState.PENDING)
                self.jobs[number] = job
                if request.code == ipp.PRINT_JOB:
                    self._take(job)
                return reply(request, 0, job.group())
            case ipp.GET_JOBS:
                ended = about.text("which-jobs") == "completed"
                return reply(request, 0, *(job.group() for job in self.jobs.values() if (job.state in ENDED) == ended))
            case ipp.GET_PRINTER_ATTRIBUTES:
                return reply(request, 0, Group(4, (attribute("operations-supported", Tag.ENUM, *_OPERATIONS),)))
        if job is None:
            return reply(request, ipp.NOT_FOUND)
        if request.code == ipp.SEND_DOCUMENT:
            self._take(job)
        elif request.code == ipp.CANCEL_JOB:
            self.cancelled.append(job.number)
            if job.state in ENDED:
                return reply(request, ipp.NOT_POSSIBLE)
            job.state = JobState.CANCELED
        return reply(request, 0, job.group())

    def _take(self, job: Job) -> None:
        job.documents += 1
        job.state = self._prints

    @contextlib.asynccontextmanager
    async def running(self, timing: Timing = FAST) -> AsyncIterator[IppPrinter]:
        """The agent's driver for it."""
        async with printer_that(self.answer) as client:
            yield IppPrinter(PrinterConfig(name="office", uri=client.uri), timing)


def once(answer: Callable[[Message], Answer | None]) -> Callable[[Message], Answer | None]:
    """Only the first time."""
    left = [answer]
    return lambda request: left.pop()(request) if left else None
