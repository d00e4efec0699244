"""The shapes of health and readiness."""

from typing import Literal

from pydantic import Field

from hub.api.shapes import Output


class Health(Output):
    """The process is alive."""

    status: Literal["ok"] = Field(description="Always `ok`: a process that is not alive does not answer.")
    version: str = Field(description="The hub's version.")


class Readiness(Output):
    """Whether the hub can do its work; `checks` names what is missing."""

    status: Literal["ready", "not_ready"] = Field(description="Whether it can do its work now.")
    checks: dict[str, str] = Field(description="By name: `ok`, or the problem.")
