"""What can go wrong between us and a printer, split by what the caller knows afterwards.

IppError
    IppUnreachable     no request was sent; nothing can have happened
        IppUntrusted       ... because the printer's certificate is not trusted, which time does not mend
    IppInterrupted     a request was begun and no usable answer came; it may have taken effect
        IppDecodeError     an answer came and is not IPP
        IppTurnedAway      ... its web server has no time for it (HTTP 408, 429, 503), and a gateway may say so, too
        IppServerError     ... its web server failed (other HTTP 5xx)
    IppRefused         the printer answered and did not do it
        IppBusy            ... because it cannot now; the same request may succeed later
"""


class IppError(Exception):
    """Base of this package's errors; the text is for people."""


class IppUnreachable(IppError):  # noqa: N818 - the name says what is known
    """No connection: no octet of the request was sent."""


class IppUntrusted(IppUnreachable):
    """Its certificate is not trusted: no octet of the request was sent."""


class IppInterrupted(IppError):  # noqa: N818 - the name says what is known
    """The request was sent in part or in full, and its answer is missing."""

    sent_whole = True
    """False: the system did not take the whole document, so that the printer cannot have it. True says only that it
    was sent: a web server that refuses a request may have read all of it and given nothing of it to the printer."""


class IppDecodeError(IppInterrupted):
    """Octets that are no IPP message, or one beyond our limits."""


class IppTurnedAway(IppInterrupted):
    """The printer's web server says that it does not serve the request now."""

    def __init__(self, http_status: int, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status


class IppServerError(IppInterrupted):
    """The printer's web server failed over the request."""


class IppRefused(IppError):  # noqa: N818 - the name says what is known
    """The printer answered with an error status (RFC 8011 4.1.6.1), or its web server with HTTP 4xx (`status` 0)."""

    def __init__(self, status: int, message: str, unsupported: list[str] | None = None) -> None:
        """`unsupported` names the attributes that the printer blames."""
        super().__init__(f"{message} (0x{status:04x})" if status else message)
        self.status = status
        self.message = message
        self.unsupported = unsupported or []


class IppBusy(IppRefused):
    """Refused for now: busy 0x0507, temporary error 0x0505, not accepting jobs 0x0506."""


def is_no_answer(problem: IppError) -> bool:
    """Whether nobody is there who could answer, or nobody has time to: it may be switched off, or start just now."""
    silent = isinstance(problem, (IppUnreachable, IppInterrupted))
    return silent and not isinstance(problem, (IppUntrusted, IppDecodeError, IppServerError))
