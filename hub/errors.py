"""The hub's exceptions, split by what the caller does next.

    HubError
    ├── RejectedError      policy or input says no: tell the caller; nothing was changed
    │   ├── NotFoundError      there is no such thing, or not for this caller
    │   └── ConflictError      the state moved on, or another request stands in the way: look again
    ├── UnavailableError   database or broker away, or no room: back off and try again
    └── SetupError         the hub cannot start like this: tell the operator what to do

`schemas.codec.ContractError` (a message that breaks the contract: record it, never retry) stands beside these.
Anything else is a bug: log it with its stack and stop the service.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class HubError(Exception):
    """An error with a stable `code`; `params` fill the sentence that the catalogue holds for the code."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params: Mapping[str, Any] = params


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of a request; `field` is its path, such as `payload.copies`. `params` fill the
    sentence that `api/field_catalogue/` holds for the code."""

    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def below(self, path: str) -> "FieldProblem":
        """The same problem of a part of a larger request, which is at `path`."""
        return FieldProblem(f"{path}.{self.field}" if self.field else path, self.code, self.params)


class RejectedError(HubError):
    """The request is refused; nothing was taken or changed."""

    def __init__(self, code: str, *, fields: tuple[FieldProblem, ...] = (), **params: Any) -> None:
        super().__init__(code, **params)
        self.fields = fields


class NotFoundError(RejectedError):
    """There is no such thing."""


class ConflictError(RejectedError):
    """What was asked does not fit the present state."""


class UnavailableError(HubError):
    """A part that the hub needs is away or full; `retry_after_s` says when to try again."""

    def __init__(self, code: str, *, retry_after_s: int = 1, **params: Any) -> None:
        super().__init__(code, **params)
        self.retry_after_s = retry_after_s


class SetupError(HubError):
    """The hub cannot run with this configuration; `str()` is the sentence for the operator."""

    def __init__(self, sentence: str, *, ko: str | None = None) -> None:
        """`ko` is the sentence in Korean."""
        super().__init__("setup", sentence=sentence)
        self.sentence = sentence
        self.korean = ko or sentence

    def __str__(self) -> str:
        return self.sentence
