"""Whether something is allowed, who may do it, and what a key may do: the answers against the rule that is enforced,
and against a model of it in Python that shares nothing with the SQL, over principals, grants and keys at random."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from hub.core.access.rules.permissions import permissions_of
from hub.core.access.rules.targets import ClientsNamed
from hub.core.access.service.check import AccessCheck, Question
from hub.core.access.service.integrations import Created
from hub.core.access.store.api_keys import Key
from hub.database.engine import Database
from hub.errors import NotFoundError, RejectedError
from tests.support.factories import add_client
from tests.support.granting import Administration

ZONES, TAGS, GROUPS = ("a", "b"), ("x", "y", "z"), ("g", "h")
ACTIONS = ("print", "status", "reboot")
WANTS = ("read", "command")


@dataclass
class Machine:
    """A client, as the model knows it."""

    id: str
    zone: str
    tags: set[str]
    groups: set[str]

    def is_named(self, target: ClientsNamed) -> bool:
        match target.kind:
            case "all":
                return True
            case "client":
                return target.name == self.id
            case "group":
                return target.name in self.groups
            case "zone":
                return target.name == self.zone
            case _:
                return set(target.tags or ()) <= self.tags


@dataclass
class Grantee:
    """An integration with its grants and keys, as the model knows them."""

    made: Created
    role: str
    reach: str
    grants: list[tuple[ClientsNamed, tuple[str, ...] | None, str]]
    keys: list[Key]
    disabled: bool

    @property
    def id(self) -> UUID:
        return self.made.integration.id

    def allows(self, key: Key | None, want: str, machine: Machine, action: str | None) -> bool:
        """What section 6 of the reference says, read once more."""
        if self.disabled or (want == "command" and self.role == "viewer"):
            return False
        asked = None if key is None or action is not None else key.limits.actions
        granted = self.reach == "all" or any(
            machine.is_named(target)
            and (want == "read" or access == "command")
            and (actions is None or (action in actions if action else asked is None or set(asked) & set(actions)))
            for target, actions, access in self.grants
        )
        if key is None or not granted:
            return granted
        limits = key.limits
        return (
            (limits.permissions is None or want in limits.permissions)
            and (limits.actions is None or action is None or action in limits.actions)
            and (limits.targets is None or any(machine.is_named(target) for target in limits.targets))
        )


class World:
    """Clients and integrations at random."""

    def __init__(self, database: Database, seed: int) -> None:
        self.admin = Administration(database)
        self.check = AccessCheck(database)
        self.random = random.Random(seed)  # noqa: S311 - cases, no secrets
        self.machines: list[Machine] = []
        self.grantees: list[Grantee] = []

    async def fill(self) -> "World":
        async with self.admin.database.connection() as connection:
            for group in GROUPS:
                await connection.execute(
                    b"INSERT INTO client_groups (id, name, created_at, updated_at) VALUES (%s, '', now(), now())",
                    (group,),
                )
        for number in range(8):
            machine = Machine(f"pc-{number}", self.one(ZONES), self.some(TAGS), self.some(GROUPS))
            self.machines.append(machine)
            await add_client(self.admin.database, machine.id, zone=machine.zone, tags=sorted(machine.tags))
            async with self.admin.database.connection() as connection:
                for group in machine.groups:
                    await connection.execute(b"INSERT INTO client_group_members VALUES (%s, %s)", (group, machine.id))
        for number in range(10):
            await self.grantee(number)
        return self

    async def grantee(self, number: int) -> None:
        role = self.one(("operator", "operator", "viewer", "admin"))
        reach = "all" if role == "admin" else self.one(("granted", "granted", "granted", "all"))
        made = await self.admin.integration(f"system {number}", role=role, reach=reach)
        grants = []
        for _ in range(self.random.randrange(4)):
            access = self.one(WANTS) if role != "viewer" else "read"
            grant = (self.target(with_all=True), self.actions(), access)
            if grant not in grants:
                grants.append(grant)
                await self.admin.grant(made, *grant)
        keys = []
        for _ in range(3):
            has = [permission.value for permission in permissions_of(role)]
            permissions = None if self.random.random() < 0.5 else tuple(self.random.sample(has, k=self.up_to(len(has))))
            targets = None if self.random.random() < 0.5 else (self.target(), self.target())
            limits = {"permissions": permissions, "actions": self.actions(), "targets": targets}
            keys.append((await self.admin.key(made, **limits)).key)
        disabled = self.random.random() < 0.15
        if disabled:
            await self.admin.integrations.change(self.admin.caller, made.integration.id, {"status": "disabled"})
            keys = [await self.admin.keys.get(self.admin.caller, key.id) for key in keys]
        self.grantees.append(Grantee(made, role, reach, grants, keys, disabled))

    def one(self, values: tuple[str, ...]) -> str:
        return self.random.choice(values)

    def some(self, values: tuple[str, ...]) -> set[str]:
        return {value for value in values if self.random.random() < 0.5}

    def up_to(self, most: int) -> int:
        return self.random.randint(1, most)

    def actions(self) -> tuple[str, ...] | None:
        return None if self.random.random() < 0.4 else tuple(sorted(self.random.sample(ACTIONS, k=self.up_to(2))))

    def target(self, *, with_all: bool = False) -> ClientsNamed:
        match self.random.randrange(5 if with_all else 4):
            case 0:
                return ClientsNamed("client", self.random.choice(self.machines).id)
            case 1:
                return ClientsNamed("group", self.one(GROUPS))
            case 2:
                return ClientsNamed("zone", self.one(ZONES))
            case 3:
                return ClientsNamed("tags", tags=tuple(sorted(self.random.sample(TAGS, k=self.up_to(2)))))
            case _:
                return ClientsNamed("all")

    def questions(self) -> Iterator[tuple[Grantee, Key | None, Machine, str, str | None]]:
        for grantee, machine, want, action in product(self.grantees, self.machines, WANTS, (None, *ACTIONS)):
            for key in (None, *grantee.keys):
                yield grantee, key, machine, want, action


@pytest.mark.parametrize("seed", range(1))
async def test_the_answers_are_those_of_the_rule_and_of_a_model_of_it(database: Database, seed: int) -> None:
    world = await World(database, seed).fill()
    questions = list(world.questions())
    rule = await enforced(world, questions)
    model = [
        grantee.allows(key, want, machine, action) and (key is None or key.status == "active")
        for grantee, key, machine, want, action in questions
    ]
    assert {True, False} == set(model)
    assert [asked for asked, ours, theirs in zip(questions, model, rule, strict=True) if ours != theirs] == []

    answers = dict(zip(map(named, questions), model, strict=True))
    for question in world.random.sample(questions, k=80):
        await verdict_is(world, question, allowed=answers[named(question)])
    for machine, want, action in product(world.machines, WANTS, (None, *ACTIONS)):
        await holders_are(world, machine, want, action)
    for grantee in world.grantees:
        for key in (None, *grantee.keys):
            await extent_is(world, grantee, key)


def named(question: tuple[Grantee, Key | None, Machine, str, str | None]) -> tuple[Any, ...]:
    grantee, key, machine, want, action = question
    return grantee.id, key.id if key else None, machine.id, want, action


async def enforced(world: World, questions: list[Any]) -> list[bool]:
    """What the function says that every statement asks."""
    rows = [named(question) for question in questions]
    found = await world.admin.rows(
        "SELECT floorhub_allows(p, k, w, c, a) AS allowed"
        " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[]) WITH ORDINALITY q (p, k, c, w, a, n)"
        " ORDER BY n",
        *(list(column) for column in zip(*rows, strict=True)),
    )
    return [row["allowed"] for row in found]


async def verdict_is(world: World, question: Any, *, allowed: bool) -> None:
    grantee, key, machine, want, action = question
    who = {"principal": str(grantee.id)} if key is None else {"key_id": key.id}
    verdict = await world.check.verdict(Question(client=machine.id, want=want, action=action, **who))

    assert verdict.allowed is allowed
    # What the rules say one by one agrees with what they say together.
    rules = [reason for reason in verdict.reasons if reason.rule != "client"]
    assert all(reason.allowed for reason in rules) is allowed
    for reason in rules:
        assert reason.sentence(korean=True) != reason.sentence(korean=False)
    by_grant = {reason.id for reason in rules if reason.rule == "grant"}
    grants = {
        grant.id
        for grant in (
            await world.admin.grants.page(
                world.admin.caller, principal_id=grantee.id, client=machine.id, after=None, limit=50
            )
        ).rows
    }
    assert by_grant <= grants


async def holders_are(world: World, machine: Machine, want: str, action: str | None) -> None:
    question = Question(client=machine.id, want=want, action=action)
    found, after = {}, None
    while True:
        page = await world.check.holders(question, after=after, limit=3)
        found |= {row.id: {UUID(key["id"]) for key in row.keys} for row in page.rows}
        if (after := page.following) is None:
            break
    assert found == {
        grantee.id: {key.id for key in grantee.keys if grantee.allows(key, want, machine, action)}
        for grantee in world.grantees
        if grantee.allows(None, want, machine, action)
    }


async def extent_is(world: World, grantee: Grantee, key: Key | None) -> None:
    question = Question(key_id=key.id) if key else Question(principal=grantee.made.integration.name)
    found, after = [], None
    while True:
        extent = await world.check.extent(question, after=after, limit=3)
        found += list(extent.clients.rows)
        if (after := extent.clients.following) is None:
            break
    has = set() if grantee.disabled else {permission.value for permission in permissions_of(grantee.role)}
    assert set(extent.permissions) == (has if key is None or key.permissions is None else has & set(key.permissions))
    for machine in world.machines:
        row = next((row for row in found if row.client_id == machine.id), None)
        read = grantee.allows(key, "read", machine, None)
        assert (row is not None and row.read) == read
        commands = {action for action in ACTIONS if grantee.allows(key, "command", machine, action)}
        if row is None:
            assert commands == set()
        elif row.actions is None:
            # Everything, so also what nobody has named.
            assert grantee.allows(key, "command", machine, "something else")
        else:
            assert not grantee.allows(key, "command", machine, "something else")
            assert set(row.actions) == commands


async def test_what_there_is_not_is_said(database: Database) -> None:
    admin = Administration(database)
    await add_client(database, "pc-1")
    owner, other = await admin.integration("wms"), await admin.integration("shop")
    key = await admin.key(owner)
    unknown = UUID(int=7)
    for question, code in (
        (Question(principal="nobody", client="pc-1"), "principal_not_found"),
        (Question(principal=str(unknown), client="pc-1"), "principal_not_found"),
        (Question(key_id=unknown, client="pc-1"), "key_not_found"),
        (Question(principal="wms", client="pc-2"), "client_not_found"),
    ):
        with pytest.raises(NotFoundError) as refused:
            await admin.check.verdict(question)
        assert refused.value.code == code
    with pytest.raises(NotFoundError):
        await admin.check.holders(Question(client="pc-2"), after=None, limit=10)
    with pytest.raises(RejectedError):
        await admin.check.verdict(Question(principal=str(other.integration.id), key_id=key.key.id, client="pc-1"))
    both = Question(principal="wms", key_id=key.key.id, client="pc-1")
    assert (await admin.check.verdict(both)).key == key.key


async def test_a_key_that_has_ended_may_nothing(database: Database) -> None:
    admin = Administration(database)
    await add_client(database, "pc-1")
    key = await admin.key(await admin.integration(reach="all"))
    question = Question(key_id=key.key.id, client="pc-1", action="print")
    assert (await admin.check.verdict(question)).allowed

    await admin.keys.revoke(admin.caller, key.key.id)

    verdict = await admin.check.verdict(question)
    assert not verdict.allowed
    assert [reason.rule for reason in verdict.reasons if not reason.allowed] == ["key"]
    extent = await admin.check.extent(Question(key_id=key.key.id), after=None, limit=10)
    assert (list(extent.permissions), list(extent.clients.rows)) == ([], [])
    [holder] = (await admin.check.holders(Question(client="pc-1", action="print"), after=None, limit=10)).rows
    assert holder.keys == []


async def test_what_the_client_itself_refuses_is_said_beside(database: Database) -> None:
    admin = Administration(database)
    await add_client(database, "pc-1", allowed_actions=["print"])
    await admin.integration("wms", reach="all")
    for action, allows in (("print", True), ("reboot", False)):
        verdict = await admin.check.verdict(Question(principal="wms", client="pc-1", action=action))
        assert (verdict.allowed, verdict.client_allows) == (True, allows)
