"""The shapes of actions and their policies."""

from datetime import datetime

from pydantic import BaseModel, Field, model_validator

from hub.core.commands.rules.policies import Policy
from hub.core.commands.shapes import BackOffInput


class PolicyInput(BackOffInput):
    """The policy of an action. What is left out, or null, is the hub's default."""

    max_retries: int | None = Field(None, ge=0, le=100)
    timeout_s: float | None = Field(None, gt=0, le=86_400)
    expires_in_s: float | None = Field(None, gt=0, le=2_592_000)

    @model_validator(mode="after")
    def _something(self) -> "PolicyInput":
        if all(value is None for value in self.__dict__.values()):
            raise ValueError("give at least one value; DELETE takes the policy away")
        return self

    def to_request(self) -> Policy:
        """As the service takes it."""
        return Policy(**self.__dict__)


class PolicyOutput(BaseModel):
    """What an action's policy says; null: the hub's default."""

    max_retries: int | None
    first_delay_s: float | None
    factor: float | None
    cap_s: float | None
    timeout_s: float | None
    expires_in_s: float | None


class EffectiveOutput(BaseModel):
    """What a command of the action gets when its sender says nothing."""

    max_retries: int
    first_delay_s: float
    factor: float
    cap_s: float
    timeout_s: float
    expires_in_s: float


class ActionOutput(BaseModel):
    """An action."""

    action: str
    built_in: bool = Field(description="Every site names it alike; else it is the site's own.")
    policy: PolicyOutput | None = Field(description="null: it has none.")
    effective: EffectiveOutput
    updated_at: datetime | None


class ActionList(BaseModel):
    """The built-in actions, and those that have a policy."""

    items: list[ActionOutput]
