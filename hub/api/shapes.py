"""What all shapes of HTTP bodies share. snake_case; camelCase is accepted, too. Unknown fields are refused
by name, and so are values of another JSON type.

What the services take comes from `to_request()` of a shape, or from `changes()` of one that changes some fields.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from fastapi import Header, Path
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from hub.api.strict import make_strict
from schemas import names

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["press-1"])]
SlugInPath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
IdempotencyHeader = Annotated[str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
TraceHeader = Annotated[str | None, Header(max_length=100, pattern=r"^[0-9a-f-]+$")]
Tag = Annotated[str, Field(min_length=1, max_length=100)]
Word = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]+$")]
"""Something to look for."""
ActionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", examples=["print"])]


def _is_written_out(value: object) -> object:
    # The library takes numbers, also as text, for seconds or milliseconds, by their size.
    if not isinstance(value, str | datetime) or (isinstance(value, str) and not value.strip("0123456789.+-eE ")):
        raise ValueError("give a time as ISO 8601 has it, such as 2026-11-21T08:00:00Z")
    return value


def _within_reason(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"give a time between the years {FIRST_YEAR} and {LAST_YEAR}")
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
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(name, to_camel(name))),
        populate_by_name=True,
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

    @model_validator(mode="before")
    @classmethod
    def _under_our_names(cls, given: Any) -> Any:
        if not isinstance(given, dict) or cls._ours.keys().isdisjoint(given):
            return given
        body = {name: value for name, value in given.items() if name not in cls._ours}
        said = {name: name for name in body}
        for name, field in cls._ours.items():
            if name in given:
                if body.setdefault(field, given[name]) != given[name]:
                    raise ValueError(names.contradiction((name, said[field])))
                said.setdefault(field, name)
        return body


class Change(Input):
    """What to change; a field that is left out stays as it is."""

    may_be_null: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _not_null(self) -> Self:
        for name in type(self).model_fields:
            if name in self.model_fields_set - self.may_be_null and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null: leave it out to keep it")
        return self

    def changes(self) -> dict[str, Any]:
        """What was given, by its name, as the services take it."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class ProblemField(BaseModel):
    """A field that does not fit."""

    field: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; see docs/reference/errors.md.")
    detail: str = Field(description="What is wrong and what to do, in the language of Accept-Language (ko, en).")
    errors: list[ProblemField] | None = None
    remaining: int | None = None
    reset: str | None = None
