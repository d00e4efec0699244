"""What all shapes of HTTP bodies share. snake_case; camelCase is accepted, too. Unknown fields are refused
by name, and so are values of another JSON type.

What the services take comes from `to_request()` of a shape, or from `changes()` of one that changes some fields.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from fastapi import Header, Path
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from hub.api.field_catalogue import all_of, invalid
from hub.api.strict import make_strict
from hub.errors import FieldProblem
from schemas import names

SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"
CLIENT_ID = "Id of a client."
Slug = Annotated[str, Field(pattern=SLUG, examples=["front-desk"])]
ClientIdInPath = Annotated[str, Path(pattern=SLUG, description=CLIENT_ID, examples=["front-desk"])]
IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Chosen by you, one for each intention: the same key and body give the same answer for 24 hours.",
    ),
]
TraceHeader = Annotated[
    str | None,
    Header(
        alias="traceparent",
        max_length=100,
        pattern=r"^[0-9a-f-]+$",
        description="W3C trace context; it travels with the command to the agent.",
    ),
]
LanguageHeader = Annotated[
    str, Header(alias="Accept-Language", description="`ko` or `en`: the language of sentences for people.")
]
Tag = Annotated[str, Field(min_length=1, max_length=100)]
Word = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]+$")]
"""Something to look for."""
ActionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", examples=["print"])]


def _is_written_out(value: object) -> object:
    # The library takes numbers, also as text, for seconds or milliseconds, by their size.
    if not isinstance(value, str | datetime) or (isinstance(value, str) and not value.strip("0123456789.+-eE ")):
        raise invalid("time")
    return value


def _within_reason(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise invalid("year", first=FIRST_YEAR, last=LAST_YEAR)
    # Offsets up to a day are valid ISO 8601, and beyond what Postgres reads.
    return moment.astimezone(UTC)


FIRST_YEAR, LAST_YEAR = 2000, 2200
"""Postgres stores times that no JSON library reads any more; one of them would break every list it stands in."""
Moment = Annotated[AwareDatetime, BeforeValidator(_is_written_out), AfterValidator(_within_reason)]


class Input(BaseModel):
    """What callers send. Two names of one field in one body must say the same."""

    other_names: ClassVar[Mapping[str, str]] = {}
    """Further names of fields, and ours; camelCase needs none."""
    _ours: ClassVar[Mapping[str, str]] = {}

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        make_strict(handler.resolve_ref_schema(schema))
        return schema

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        camel = {to_camel(name): name for name in cls.model_fields if to_camel(name) != name}
        cls._ours = camel | {name: ours for name, ours in cls.other_names.items() if ours in cls.model_fields}

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:  # noqa: ARG003 - for shapes that look
        """What does not go together among the fields that were given, by their names.

        Also asked when a field does not fit by itself, so that a caller hears of all faults at once: then the values
        are as they were sent, of any type.
        """
        return iter(())

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(value, Mapping):
            return handler(value)
        problems: list[FieldProblem] = []
        said: dict[str, str] = {}
        if not cls._ours.keys().isdisjoint(value):
            value = cls._under_our_names(value, said, problems)
        try:
            made = handler(value)
        except ValidationError as refused:
            sent = {name: value[name] for name in cls.model_fields if name in value}
            # What was meant to change may be among the fields that do not fit.
            problems += (problem for problem in cls.conflicts(sent) if problem.code != "nothing_to_change")
            raise all_of(problems, refused, said, cls.model_fields) from None
        problems += cls.conflicts({name: made.__dict__[name] for name in value if name in made.__dict__})
        if problems:
            raise all_of(problems, said=said)
        return made

    @classmethod
    def _under_our_names(
        cls, sent: Mapping[str, Any], said: dict[str, str], problems: list[FieldProblem]
    ) -> Mapping[str, Any]:
        """The body with its fields under our names. Adds to `said` what the body calls each field, and a problem for
        each further name of it with another value."""
        body = {name: value for name, value in sent.items() if name not in cls._ours}
        said |= {name: name for name in body}
        for name, field in cls._ours.items():
            if name in sent:
                first = said.setdefault(field, name)
                if not names.same(body.setdefault(field, sent[name]), sent[name]):
                    problems.append(FieldProblem(name, "contradicts", {"other": first}))
        return body


def number_of(given: Mapping[str, Any], *fields: str) -> int:
    """How many of these fields were given, and are not null."""
    return sum(given.get(field) is not None for field in fields)


class Change(Input):
    """What to change; a field that is left out stays as it is."""

    may_be_null: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        for name, value in given.items():
            if value is None and name not in cls.may_be_null:
                yield FieldProblem(name, "no_null")

    def changes(self) -> dict[str, Any]:
        """What was given, by its name, as the services take it."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class Output(BaseModel):
    """What the hub answers: every field is there, null where there is nothing to say."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class ProblemField(Output):
    """A field that does not fit."""

    field: str = Field(description="Its path in the body, such as `payload.copies`, or the name of the parameter.")
    code: str = Field(description="What is wrong, as a code for programs, such as `at_least`.")
    message: str = Field(description="What is wrong and what to do, in the language of `Accept-Language`.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    EXAMPLE: ClassVar = {
        "type": "urn:floorhub:problem:validation_error",
        "title": "VALIDATION_ERROR",
        "status": 422,
        "code": "validation_error",
        "detail": "Some fields of the request are invalid: correct those that `errors` lists and send it again.",
        "errors": [{"field": "payload.copies", "code": "at_least", "message": "must be at least 1"}],
    }

    type: str = Field(description="The code as a URN: `urn:floorhub:problem:CODE`.")
    title: str = Field(description="The group of the code, such as `VALIDATION_ERROR`.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="What went wrong, for programs. Stable; docs/reference/errors.md lists all.")
    detail: str = Field(description="What is wrong and what to do, in the language of `Accept-Language` (ko, en).")
    errors: list[ProblemField] | None = Field(None, description="With `validation_error`: every wrong field.")
    remaining: int | None = Field(None, description="With 429: how many commands are left, which is 0.")
    reset: str | None = Field(None, description="With 429: when the limit resets (ISO 8601).")
    made: str | None = Field(
        None,
        description="With `idempotency_key_reused`: id of the command or batch that the key has made; with "
        "`grant_exists`: id of the grant.",
    )
    permission: str | None = Field(None, description="With `forbidden`: the permission that is missing.")
    role: str | None = Field(None, description="With `forbidden`: the caller's role.")
    key: str | None = Field(None, description="With `forbidden`: id of the key; null for a sign-in.")
