"""The shapes of health and readiness."""

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """Whether the hub is alive."""

    status: Literal["ok"]
    version: str


class Readiness(BaseModel):
    """Whether the hub can do its work; `checks` names what is missing."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
