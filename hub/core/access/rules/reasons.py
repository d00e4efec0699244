"""Why something is allowed or not, as people read it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

SENTENCES: Mapping[str, tuple[str, str]] = {
    "principal": ("{name} is disabled.", "{name}은(는) 사용 중지되었습니다."),
    "key": ("The key {prefix} is {status}.", "키 {prefix}의 상태는 {status}입니다."),
    "role": ("The role {role} has the permissions: {may}.", "역할 {role}의 권한: {may}."),
    "reach_all": ("It reaches all clients.", "모든 클라이언트에 접근합니다."),
    "grant": ("A grant allows it.", "접근 허용이 있습니다."),
    "no_grant": (
        "No grant allows it for this client: `floorhub grant add` gives one.",
        "이 클라이언트에 대한 접근 허용이 없습니다. `floorhub grant add`로 추가하십시오.",
    ),
    "key_permissions": ("The key's permissions are: {may}.", "키의 권한: {may}."),
    "key_actions": ("The key is for the actions: {actions}.", "키가 허용하는 동작: {actions}."),
    "key_clients": ("The key is for some clients only.", "키는 일부 클라이언트에만 쓸 수 있습니다."),
    "client": (
        "The client itself is {status}, and allows the actions: {actions}.",
        "클라이언트의 상태는 {status}이며, 허용하는 동작: {actions}.",
    ),
}
"""By rule, in English and Korean."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one rule says."""

    rule: str
    allowed: bool
    id: UUID | None = None
    """Of the grant or the key that it is about."""
    params: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self, *, korean: bool) -> str:
        """For people."""
        return SENTENCES[self.rule][korean].format(**self.params)
