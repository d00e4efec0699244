"""What the tables share: their metadata, and shorthands for what a column is."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, MetaData, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

#: The names that Postgres gives by itself, so that a step written by hand and a generated one agree.
_NAMES = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
}
UPDATED_OFTEN = {"postgresql_with": {"fillfactor": 50}}

metadata = MetaData(naming_convention=_NAMES)


class Table(SQLModel, registry=registry(metadata=metadata)):
    """What the tables share: their metadata."""


def text_(**options: Any) -> Any:
    """Text without a length: Postgres stores it the same, and a limit belongs where input is judged."""
    return Field(sa_type=Text, **options)


def texts(**options: Any) -> Any:
    return Field(sa_column=Column(ARRAY(Text), **options))


def json_(**options: Any) -> Any:
    """None is NULL, not JSON's null."""
    return Field(sa_column=Column(JSONB(none_as_null=True), **options))


def client_id_(*, primary_key: bool = False) -> Any:
    return Field(sa_column=Column(Text, ForeignKey("clients.id"), primary_key=primary_key, nullable=False))


def number() -> Any:
    """A primary key that Postgres counts up; never given by us."""
    return Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))


def one_of(column: str, *values: str) -> CheckConstraint:
    """The CHECK of a closed set."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})")


class SchemaCompatibility(Table, table=True):
    """One row: the oldest program that may use the tables."""

    __tablename__ = "schema_compatibility"
    __table_args__ = (CheckConstraint("one"),)

    one: bool = Field(primary_key=True, sa_column_kwargs={"server_default": text("true")})
    oldest: str = text_()
    """The newest revision that this program knows."""
