"""What may be done, by whom, and why: the answers come from the rule that is enforced."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.api.pages import Page
from hub.core.access.rules import Permission, may
from hub.core.access.rules.permissions import effective, permissions_of
from hub.core.access.rules.reasons import Reason
from hub.core.access.store import api_keys
from hub.core.access.store import check as store
from hub.core.access.store.api_keys import Key
from hub.core.access.store.check import Decision, Holder, Policy, Reached, WhoMay
from hub.database.engine import Connection, Database
from hub.errors import FieldProblem, NotFoundError, RejectedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """About a principal (by id or name) or a key, about a client, or about both."""

    principal: str | None = None
    key_id: UUID | None = None
    client: str | None = None
    action: str | None = None
    """None: whichever."""
    want: str | None = None
    """None: `command` when an action is named, else `read`."""

    @property
    def wanted(self) -> str:
        """`read` or `command`."""
        return self.want or ("read" if self.action is None else "command")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one principal may do something with one client."""

    holder: Holder
    key: Key | None
    allowed: bool
    reasons: Sequence[Reason]
    client_allows: bool
    """Whether the client's own policy allows it, whoever asks."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a principal, or one of its keys, may do at all."""

    holder: Holder
    key: Key | None
    permissions: Sequence[Permission]
    clients: Page[Reached, str]


class AccessCheck:
    """The service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def verdict(self, question: Question) -> Verdict:
        """Whether a principal or key may do it with a client. Raises NotFoundError, RejectedError."""
        assert question.client is not None  # noqa: S101 - who asks for a verdict names one
        async with self._database.connection() as connection:
            holder, key = await _who(connection, question)
            policy = await _policy(connection, question.client)
            decision = await store.decide(
                connection,
                principal_id=holder.id,
                key_id=None if key is None else key.id,
                want=question.wanted,
                client=question.client,
                action=question.action,
            )
        allowed = decision.allowed and (key is None or key.status == "active")
        reasons = tuple(_reasons(question, holder, key, decision))
        return Verdict(holder, key, allowed, (*reasons, _of_client(question, policy)), _allows(question, policy))

    async def extent(self, question: Question, *, after: str | None, limit: int) -> Extent:
        """What a principal or key may do, with a page of the clients that it reaches. Raises NotFoundError,
        RejectedError."""
        async with self._database.connection() as connection:
            holder, key = await _who(connection, question)
            usable = holder.status == "active" and (key is None or key.status == "active")
            rows = []
            if usable:
                rows = await store.reached(
                    connection,
                    principal_id=holder.id,
                    key_id=None if key is None else key.id,
                    after=after,
                    limit=limit + 1,
                )
        permissions = effective(holder.role, None if key is None else key.permissions) if usable else ()
        return Extent(holder, key, permissions, Page.of(rows, limit, lambda row: row.client_id))

    async def holders(self, question: Question, *, after: UUID | None, limit: int) -> Page[WhoMay, UUID]:
        """Who may do it with a client. Raises NotFoundError."""
        assert question.client is not None  # noqa: S101 - who asks for holders names one
        async with self._database.connection() as connection:
            await _policy(connection, question.client)
            rows = await store.holders(
                connection,
                want=question.wanted,
                client=question.client,
                action=question.action,
                after=after,
                limit=limit + 1,
            )
        return Page.of(rows, limit, lambda row: row.id)


async def _who(connection: Connection, question: Question) -> tuple[Holder, Key | None]:
    key = None
    if question.key_id is not None:
        key = await api_keys.get(connection, question.key_id)
        if key is None:
            raise NotFoundError("key_not_found", id=question.key_id)
    wanted = question.principal if key is None or question.principal is not None else str(key.principal_id)
    principal_id = _uuid(wanted)
    holder = await store.principal(connection, principal_id=principal_id, name=wanted)
    if holder is None:
        raise NotFoundError("principal_not_found", id=wanted)
    if key is not None and key.principal_id != holder.id:
        contradiction = FieldProblem("principal", "contradicts", {"other": "key_id"})
        raise RejectedError("validation_error", fields=(contradiction,))
    return holder, key


def _uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


async def _policy(connection: Connection, client: str) -> Policy:
    found = await store.client_policy(connection, client)
    if found is None:
        raise NotFoundError("client_not_found", client_id=client)
    return found


def _reasons(question: Question, holder: Holder, key: Key | None, decision: Decision) -> Iterator[Reason]:
    if holder.status != "active":
        yield Reason("principal", False, params={"name": holder.name})
    may_by_role = may(holder.role, Permission(question.wanted))
    yield Reason("role", may_by_role, params={"role": holder.role, "may": _listed(permissions_of(holder.role))})
    if holder.reach == "all":
        yield Reason("reach_all", True)
    elif decision.grants:
        yield from (Reason("grant", True, grant_id) for grant_id in decision.grants)
    else:
        yield Reason("no_grant", False)
    if key is None:
        return
    if key.status != "active":
        yield Reason("key", False, key.id, {"prefix": key.prefix, "status": key.status})
    if key.permissions is not None:
        listed = question.wanted in key.permissions
        yield Reason("key_permissions", listed, key.id, {"may": _listed(key.permissions)})
    if key.actions is not None:
        fits = question.action is None or question.action in key.actions
        yield Reason("key_actions", fits, key.id, {"actions": _listed(key.actions)})
    if key.targets is not None:
        yield Reason("key_clients", decision.key_has_client, key.id)


def _of_client(question: Question, policy: Policy) -> Reason:
    actions = "*" if policy.allowed_actions is None else _listed(policy.allowed_actions) or "-"
    return Reason("client", _allows(question, policy), params={"status": policy.status, "actions": actions})


def _allows(question: Question, policy: Policy) -> bool:
    if question.wanted == "read":
        return True
    allowed: Any = policy.allowed_actions
    return policy.status == "active" and (allowed is None or question.action is None or question.action in allowed)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
