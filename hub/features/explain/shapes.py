"""The shapes of explanations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, create_model

from hub.api.shapes import Output
from hub.core.commands.shapes import CommandId


class StepOutput(Output):
    """One step of a command's timeline."""

    event: str = Field(description="As in the log, and sent (at the broker), accepted (in the agent's journal).")
    at: datetime = Field(description="When it happened.")
    after_ms: float = Field(description="Since the step before; 0 for the first.")
    attempt: int = Field(description="The attempt that it is about.")
    detail: dict[str, Any] | None = Field(description="What belongs to the event.")


class ExplanationOutput(Output):
    """One cause, for programs and for people."""

    command_id: CommandId
    cause: str = Field(description="One of a closed list; programs act on this.")
    detail: str = Field(description="What blocks it and what to do, in the language of Accept-Language.")
    details: dict[str, Any] = Field(description="What belongs to the cause: ids, times, numbers.")
    timeline: list[StepOutput] = Field(description="Every step until now, in order of time.")


def closed(codes: Sequence[str]) -> type[ExplanationOutput]:
    """The same shape with the list of causes that this hub knows."""
    cause: Any = Literal[tuple(codes)]
    return create_model(
        "ExplanationOutput",
        __base__=ExplanationOutput,
        __doc__=ExplanationOutput.__doc__,
        cause=(cause, Field(description=ExplanationOutput.model_fields["cause"].description)),
    )
