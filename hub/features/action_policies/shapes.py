"""The shapes of actions and their policies."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from hub.api.description import example
from hub.api.shapes import Output, number_of
from hub.core.commands.rules.policies import Policy
from hub.core.commands.shapes import BackOffInput
from hub.errors import FieldProblem

_RETRIES = "Further attempts after failures that certainly had no effect."
_FIRST = "Seconds before the second attempt."
_FACTOR = "Each delay is the previous one times this."
_CAP = "The longest delay in seconds."
_TIMEOUT = "Seconds that a run may take."
_EXPIRES = "Seconds within which the effect may begin."


class PolicyInput(BackOffInput):
    """The policy of an action. What is left out, or null, is the hub's default."""

    max_retries: int | None = Field(None, ge=0, le=100, description=_RETRIES)
    timeout_s: float | None = Field(None, gt=0, le=86_400, description=_TIMEOUT)
    expires_in_s: float | None = Field(None, gt=0, le=2_592_000, description=_EXPIRES)

    EXAMPLES: ClassVar = {
        "minimal": example("Fewer attempts", max_retries=1),
        "full": example(
            "Everything",
            max_retries=5,
            first_delay_s=2,
            factor=3,
            cap_s=60,
            timeout_s=120,
            expires_in_s=900,
        ),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`. DELETE takes a policy away."""
        yield from super().conflicts(given)
        names = tuple(cls.model_fields)
        if not number_of(given, *names):
            yield FieldProblem("", "nothing_to_change", {"names": names})

    def to_request(self) -> Policy:
        """As the service takes it."""
        return Policy(**self.__dict__)


class PolicyOutput(Output):
    """What an action's policy says; null: the hub's default."""

    max_retries: int | None = Field(description=_RETRIES)
    first_delay_s: float | None = Field(description=_FIRST)
    factor: float | None = Field(description=_FACTOR)
    cap_s: float | None = Field(description=_CAP)
    timeout_s: float | None = Field(description=_TIMEOUT)
    expires_in_s: float | None = Field(description=_EXPIRES)


class EffectiveOutput(Output):
    """What a command of the action gets when its sender says nothing."""

    max_retries: int = Field(description=_RETRIES)
    first_delay_s: float = Field(description=_FIRST)
    factor: float = Field(description=_FACTOR)
    cap_s: float = Field(description=_CAP)
    timeout_s: float = Field(description=_TIMEOUT)
    expires_in_s: float = Field(description=_EXPIRES)


class ActionOutput(Output):
    """An action with the values that apply to its commands."""

    action: str = Field(description="Its name.")
    built_in: bool = Field(description="True for built-in actions; false for a site's own.")
    policy: PolicyOutput | None = Field(description="null: it has none.")
    effective: EffectiveOutput = Field(description="The values that apply if the sender of a command sets none.")
    updated_at: datetime | None = Field(description="When the policy was last changed.")


class ActionList(Output):
    """The built-in actions, and those that have a policy."""

    items: list[ActionOutput] = Field(description="The actions, in order of their names.")
