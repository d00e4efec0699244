"""What can go wrong between us and a printer, split by what the caller knows afterwards.

IppError
    IppUnreachable     no request was sent; nothing can have happened
        IppUntrusted       ... because the printer's certificate is not trusted, which time does not mend
    IppInterrupted     a request was begun and no usable answer came; it may have taken effect
        IppDecodeError     an answer came and is not IPP
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


class IppDecodeError(IppInterrupted):
    """Octets that are no IPP message, or one beyond our limits."""


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
