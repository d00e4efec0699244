"""The IPP operations an agent needs (RFC 8011 section 4; CUPS-Get-Printers of CUPS).

The same code speaks to printers and to CUPS queues: a queue is a printer whose path begins with /printers/.
"""

import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, Self

from msgspec import Struct

from device_agent.ipp import codec
from device_agent.ipp.errors import IppBusy, IppDecodeError, IppRefused
from device_agent.ipp.message import Attribute, Group, GroupTag, Message, Tag, attribute
from device_agent.ipp.transport import Transport, parse_uri

PRINT_JOB = 0x0002
VALIDATE_JOB = 0x0004
CREATE_JOB = 0x0005
SEND_DOCUMENT = 0x0006
CANCEL_JOB = 0x0008
GET_JOB_ATTRIBUTES = 0x0009
GET_JOBS = 0x000A
GET_PRINTER_ATTRIBUTES = 0x000B
CUPS_GET_PRINTERS = 0x4002

NOT_FOUND = 0x0406
GONE = 0x0407
NOT_POSSIBLE = 0x0404
FORMAT_NOT_SUPPORTED = 0x040A
ATTRIBUTES_NOT_SUPPORTED = 0x040B
VERSION_NOT_SUPPORTED = 0x0503
BAD_REQUEST = 0x0400
ATTRIBUTES_NOT_SUPPORTED = 0x040B
OPERATION_NOT_SUPPORTED = 0x0501
UNPRINTABLE = frozenset({0x0411, 0x0418, 0x0419, 0x041A, 0x041B})
"""The document is to blame: its format, password, permissions, security, or that it cannot be printed (RFC 8011
appendix B, PWG 5100.13)."""
_BUSY = frozenset({0x0505, 0x0506, 0x0507})
_FIRST_ERROR = 0x0100
_MEANINGS = {
    0x0400: "the printer does not understand the request",
    0x0401: "the printer forbids it",
    0x0402: "the printer wants a login",
    0x0403: "the printer does not allow this user",
    0x0404: "it is not possible now",
    0x0406: "the printer does not know it",
    0x0407: "the printer has it no more",
    0x0408: "the document is too large for the printer",
    0x040A: "the printer does not print this format",
    0x040B: "the printer does not support an option",
    0x0411: "the printer cannot read the document",
    0x0418: "the document is protected by a password",
    0x0419: "the document forbids printing",
    0x041A: "the document is protected",
    0x041B: "the printer cannot print the document",
    0x0501: "the printer cannot do that",
    0x0503: "the printer speaks another version of IPP",
    0x0505: "the printer has a passing problem",
    0x0506: "the printer takes no jobs now",
    0x0507: "the printer is busy",
}
_MAX_JOBS = 500
"""Of one Get-Jobs; newest first, and at most 500 small jobs fit well into `codec.MAX_MESSAGE`."""
_JOB_NAME_OCTETS = 255
"""name(MAX), RFC 8011 5.1.3."""


class JobTicket(Struct, frozen=True, kw_only=True):
    """How a job is to be printed. `options` is its group of job template attributes (RFC 8011 5.2)."""

    name: str
    document_format: str
    options: tuple[Attribute, ...] = ()
    fidelity: bool = False
    """The printer shall refuse the job rather than print without one of the options."""


class Submitted(Struct, frozen=True):
    """A job the printer took. `ignored` names the options it did not accept and printed without."""

    job_id: int
    ignored: list[str]


class IppClient:
    """Asks one printer. An async context manager; every operation has a deadline and raises IppError."""

    def __init__(
        self,
        uri: str,
        *,
        tls_verify: bool = True,
        ca_file: str | None = None,
        connect_s: float = 5.0,
        answer_s: float = 15.0,
        send_s: float = 600.0,
        user: str = "floorhub",
    ) -> None:
        """`answer_s` bounds a question; `send_s` how long a printer may take nothing of a document, then its answer.

        Raises ValueError for the URI.
        """
        endpoint = parse_uri(uri)
        self.uri = endpoint.uri
        self._told = endpoint.told
        self._transport = Transport(endpoint, connect_s=connect_s, tls_verify=tls_verify, ca_file=ca_file)
        self._answer_s = answer_s
        self._send_s = send_s
        self._user = user
        self._request_ids = itertools.count(1)
        self._version = (2, 0)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.__aexit__()

    async def get_printer(self, names: Sequence[str]) -> Group:
        """Get-Printer-Attributes, only those named."""
        answer = await self._ask(GET_PRINTER_ATTRIBUTES, [_wanted(names)])
        return answer.first(GroupTag.PRINTER)

    async def validate_job(self, ticket: JobTicket) -> list[str]:
        """Validate-Job: whether the printer would take it. Returns the names of the options it would ignore."""
        return _ignored(await self._ask(VALIDATE_JOB, _describe(ticket), ticket.options))

    async def print_job(
        self, ticket: JobTicket, document: Path, on_sent: Callable[[], Awaitable[None]] | None = None
    ) -> Submitted:
        """Print-Job: the whole job in one request. `on_sent` is awaited once the system has taken the whole document,
        while the printer answers."""
        return _submitted(await self._ask(PRINT_JOB, _describe(ticket), ticket.options, document, on_sent))

    async def create_job(self, ticket: JobTicket) -> Submitted:
        """Create-Job: a job without a document, which `send_document` adds."""
        return _submitted(await self._ask(CREATE_JOB, [_name(ticket), *_fidelity(ticket)], ticket.options))

    async def send_document(self, job_id: int, ticket: JobTicket, document: Path) -> None:
        """Send-Document, the job's only one."""
        told = [
            attribute("job-id", Tag.INTEGER, job_id),
            attribute("document-format", Tag.MIME_TYPE, ticket.document_format),
            attribute("last-document", Tag.BOOLEAN, True),
        ]
        await self._ask(SEND_DOCUMENT, told, document=document)

    async def get_job(self, job_id: int, names: Sequence[str]) -> Group:
        """Get-Job-Attributes. IppRefused with NOT_FOUND: the printer does not know the job, or not any more."""
        answer = await self._ask(GET_JOB_ATTRIBUTES, [attribute("job-id", Tag.INTEGER, job_id), _wanted(names)])
        return answer.first(GroupTag.JOB)

    async def get_jobs(self, which: Literal["completed", "not-completed"], names: Sequence[str]) -> list[Group]:
        """Get-Jobs, newest first for completed ones; `completed` includes what was cancelled or aborted."""
        asked = [
            attribute("limit", Tag.INTEGER, _MAX_JOBS),
            _wanted(names),
            attribute("which-jobs", Tag.KEYWORD, which),
        ]
        return list((await self._ask(GET_JOBS, asked)).of(GroupTag.JOB))

    async def cancel_job(self, job_id: int) -> None:
        """Cancel-Job. IppRefused with NOT_POSSIBLE: it has ended already."""
        await self._ask(CANCEL_JOB, [attribute("job-id", Tag.INTEGER, job_id)])

    async def cups_get_printers(self, names: Sequence[str]) -> list[Group]:
        """CUPS-Get-Printers: the queues of a CUPS server."""
        answer = await self._ask(CUPS_GET_PRINTERS, [_wanted(names)], to_printer=False)
        return list(answer.of(GroupTag.PRINTER))

    async def _ask(
        self,
        operation: int,
        about: Iterable[Attribute],
        options: tuple[Attribute, ...] = (),
        document: Path | None = None,
        on_sent: Callable[[], Awaitable[None]] | None = None,
        *,
        to_printer: bool = True,
    ) -> Message:
        groups = [Group(GroupTag.OPERATION, (*self._opening(to_printer=to_printer), *about))]
        if options:
            groups.append(Group(GroupTag.JOB, options))
        try:
            return await self._exchange(operation, tuple(groups), document, on_sent)
        except IppRefused as refusal:
            if refusal.status != VERSION_NOT_SUPPORTED or self._version == (1, 1):
                raise
        self._version = (1, 1)  # RFC 8011 4.1.8: every printer knows it
        return await self._exchange(operation, tuple(groups), document, on_sent)

    def _opening(self, *, to_printer: bool) -> list[Attribute]:
        """The attributes that come first, in this order (RFC 8011 4.1.4, 4.1.5)."""
        opening = [
            attribute("attributes-charset", Tag.CHARSET, "utf-8"),
            attribute("attributes-natural-language", Tag.LANGUAGE, "en"),
        ]
        if to_printer:
            opening.append(attribute("printer-uri", Tag.URI, self._told))
        return [*opening, attribute("requesting-user-name", Tag.NAME, self._user)]

    async def _exchange(
        self,
        operation: int,
        groups: tuple[Group, ...],
        document: Path | None,
        on_sent: Callable[[], Awaitable[None]] | None,
    ) -> Message:
        request = Message(code=operation, request_id=next(self._request_ids), groups=groups, version=self._version)
        within_s = self._answer_s if document is None else self._send_s
        octets = await self._transport.exchange(codec.encode(request), document, within_s, on_sent)
        answer, _ = codec.decode(octets, whole=True)
        # Some printers do not repeat it and say 0; the connection says well enough what is answered.
        if answer.request_id not in (request.request_id, 0):
            raise IppDecodeError(f"the printer answered request {answer.request_id} instead of {request.request_id}")
        if answer.code >= _FIRST_ERROR:
            said = answer.first(GroupTag.OPERATION).text("status-message")
            message = said or _MEANINGS.get(answer.code, "the printer refuses")
            raise (IppBusy if answer.code in _BUSY else IppRefused)(answer.code, message, _ignored(answer))
        return answer


def job_name(prefix: str, title: str = "") -> str:
    """`prefix`, then the title as far as 255 octets allow. The prefix itself is never cut."""
    whole = f"{prefix} {title}" if title else prefix
    return whole.encode()[:_JOB_NAME_OCTETS].decode("utf-8", "ignore").rstrip()


def _name(ticket: JobTicket) -> Attribute:
    return attribute("job-name", Tag.NAME, ticket.name)


def _describe(ticket: JobTicket) -> list[Attribute]:
    return [
        _name(ticket),
        *_fidelity(ticket),
        attribute("document-format", Tag.MIME_TYPE, ticket.document_format),
    ]


def _fidelity(ticket: JobTicket) -> list[Attribute]:
    return [attribute("ipp-attribute-fidelity", Tag.BOOLEAN, True)] if ticket.fidelity else []


def _wanted(names: Sequence[str]) -> Attribute:
    return attribute("requested-attributes", Tag.KEYWORD, *names)


def _submitted(answer: Message) -> Submitted:
    job_id = answer.first(GroupTag.JOB).integer("job-id")
    if job_id is None:
        raise IppDecodeError("the printer accepted the job, but gave it no number")
    return Submitted(job_id, _ignored(answer))


def _ignored(answer: Message) -> list[str]:
    return sorted({item.name for group in answer.of(GroupTag.UNSUPPORTED) for item in group.attributes})
