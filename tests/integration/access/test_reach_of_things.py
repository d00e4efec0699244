"""What concerns several clients: groups, targets, batches and schedules, for those who reach only some clients."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.core.access.rules import Caller, Principal
from hub.core.clients.rules import Target
from hub.core.clients.service.clients import ClientRequest, Clients
from hub.core.clients.service.groups import Groups
from hub.core.clients.service.permissions import Permissions
from hub.core.clients.store import clients as client_store
from hub.core.clients.store.clients import Filter
from hub.core.commands.rules.policies import Policy
from hub.core.commands.service.policies import Policies
from hub.core.commands.service.submission import CommandRequest
from hub.database.engine import Database
from hub.errors import ConflictError, NotFoundError, RejectedError
from hub.features.action_policies.service import ActionPolicies
from hub.features.batches.rules import Change
from hub.features.batches.service.batches import Batches
from hub.features.batches.service.creation import BatchRequest
from hub.features.schedules.service.runner import ScheduleRunner
from hub.features.schedules.service.schedules import ScheduleRequest, Schedules
from hub.telemetry.log import Log
from tests.support import access
from tests.support.factories import add_client
from tests.support.features import batch_creation
from tests.support.recording_ports import RecordingPorts

pytestmark = pytest.mark.each_postgres

ADMIN = Caller(Principal(UUID(int=1), "user", "ann", "admin"), "127.0.0.1", session_id=UUID(int=1))
OPEN = CommandRequest(client_id="", action="open-door")
EVERYBODY = BatchRequest(target=Target(), command=OPEN)
MINE, BOTH, THEIRS = ["a-1", "a-2"], ["a-1", "b-1"], ["b-1", "b-2"]


@pytest.fixture
async def database(database: Database) -> Database:
    """Two zones with two clients each; the administrator."""
    async with database.transaction() as connection:
        await connection.execute(
            b"INSERT INTO principals (id, kind, name, role, created_at) VALUES (%s, 'user', 'ann', 'admin', now())",
            (ADMIN.principal_id,),
        )
    for zone in ("a", "b"):
        for number in (1, 2):
            await add_client(database, f"{zone}-{number}", zone=zone, tags=[zone, "door"])
    return database


@pytest.fixture
def shop(database: Database) -> Callable[..., Awaitable[Caller]]:
    """A principal with a grant for a zone, and a key of a scope; or another key `of` one, for these actions."""

    async def made(
        zone: str = "a",
        what: str = "command",
        *,
        actions: list[str] | None = None,
        of: UUID | None = None,
        **scope: Any,
    ) -> Caller:
        async with database.transaction() as connection:
            principal = of or await access.principal(connection)
            if of is None:
                await access.grant(connection, principal, "zone", zone, what, actions)
            key = await access.key(connection, principal, actions=actions if of else None, **scope)
        return await access.caller(database, key)

    return made


def refused(code: str, **params: Any) -> Any:
    """That something is refused with this code."""
    return pytest.raises(RejectedError, match=code)


def request(target: Target, **command: Any) -> BatchRequest:
    return BatchRequest(target=target, command=CommandRequest(**{"client_id": "", "action": "open-door"} | command))


async def clients_of(database: Database, batch_id: UUID) -> list[str]:
    rows = (await Batches(database, RecordingPorts(), Log()).rows(ADMIN, batch_id, after=None, limit=100)).rows
    return [row.client_id for row in rows]


async def execute(database: Database, query: bytes, *values: object) -> None:
    async with database.connection() as connection:
        await connection.execute(query, values)


def clients(database: Database) -> Clients:
    return Clients(database, RecordingPorts(), Log(), seal=lambda _: b"", broker_managed=False)


# --- clients and groups -------------------------------------------------------------------------------------------


async def test_a_group_is_seen_by_who_may_read_all_of_its_clients(database: Database, shop: Any) -> None:
    groups, who = Groups(database), await shop()
    for group_id, members in (("mine", MINE), ("both", BOTH), ("theirs", THEIRS), ("empty", [])):
        await groups.create(ADMIN, group_id, None, members)

    assert [group.id for group in (await groups.page(who, after=None, limit=10)).rows] == ["mine"]
    assert [one.client_id for one in (await groups.members(who, "mine", after=None, limit=10)).rows] == MINE
    for hidden in ("both", "theirs", "empty", "none"):
        with pytest.raises(NotFoundError, match="group_not_found"):
            await groups.get(who, hidden)
        with pytest.raises(NotFoundError, match="group_not_found"):
            await groups.members(who, hidden, after=None, limit=10)
    assert (await clients(database).get(who, "a-1")).groups == ["mine"]
    for hidden in ("both", "none"):
        assert (await clients(database).page(who, Filter(group=hidden), after=None, limit=10)).rows == []
    assert (await clients(database).get(ADMIN, "a-1")).groups == ["both", "mine"]

    # A retired client keeps nobody from seeing the group that it was in.
    await execute(database, b"UPDATE clients SET status = 'retired' WHERE id = 'b-1'")
    assert [group.id for group in (await groups.page(who, after=None, limit=10)).rows] == ["both", "mine"]


async def test_a_group_without_clients_is_seen_by_whom_a_grant_names_it_to(database: Database, shop: Any) -> None:
    await Groups(database).create(ADMIN, "empty", None, [])
    who = await shop()
    async with database.connection() as connection:
        await access.grant(connection, who.principal_id, "group", "empty")
    assert (await Groups(database).get(who, "empty")).members == 0
    narrow = await shop(of=who.principal_id, targets=[("zone", "a")])
    assert (await Groups(database).get(narrow, "empty")).members == 0


async def test_a_key_of_an_administrator_for_one_zone_changes_its_clients_and_widens_nothing(
    database: Database, shop: Any
) -> None:
    narrow = await shop(of=ADMIN.principal_id, targets=[("zone", "a")])
    service, groups = clients(database), Groups(database)
    await groups.create(ADMIN, "mine", None, MINE)
    assert (await service.update(narrow, "a-1", {"name": "Door"})).name == "Door"
    assert (await service.set_enabled(narrow, "a-1", enabled=False)).status == "disabled"
    assert await Permissions(database).change_many(narrow, Target(), {"rate_limit": 5}) == 2
    assert (await Permissions(database).get(ADMIN, "b-1")).rate_limit == 1_000_000

    for change in (
        service.update(narrow, "b-1", {"name": "Door"}),
        service.retire(narrow, "b-1"),
        service.rotate_secret(narrow, "b-1"),
        service.unfence(narrow, "b-1"),
        Permissions(database).change(narrow, "b-1", {"rate_limit": 5}),
    ):
        with pytest.raises(NotFoundError, match="client_not_found"):
            await change
    for change in (
        service.update(narrow, "a-1", {"zone": "b"}),
        service.update(narrow, "a-1", {"tags": ["b"]}),
        groups.create(narrow, "new", None, []),
        groups.rename(narrow, "mine", "Mine"),
        groups.change_members(narrow, "mine", ["b-1"], []),
        groups.delete(narrow, "mine"),
    ):
        with refused("all_clients_needed"):
            await change


async def test_a_key_that_only_administers_is_answered_when_it_changes_a_group(database: Database, shop: Any) -> None:
    key = await shop(of=ADMIN.principal_id, permissions=["administer"])
    assert (await Groups(database).create(key, "doors", None, BOTH)).members == 2
    assert (await Groups(database).change_members(key, "doors", ["b-2"], [])).members == 3


async def test_a_key_for_some_actions_administers_no_clients_but_its_actions(database: Database, shop: Any) -> None:
    key = await shop(of=ADMIN.principal_id, actions=["open-door"])
    service, groups, permissions = clients(database), Groups(database), Permissions(database)
    policies = ActionPolicies(database, Policies(database))
    await groups.create(ADMIN, "mine", None, MINE)
    for change in (
        service.create(key, ClientRequest(id="new")),
        service.update(key, "a-1", {"name": "Door"}),
        service.retire(key, "a-1"),
        service.set_enabled(key, "a-1", enabled=False),
        service.rotate_secret(key, "a-1"),
        service.unfence(key, "a-1"),
        permissions.change(key, "a-1", {"rate_limit": 5}),
        permissions.change(key, "nobody", {"rate_limit": 5}),
        permissions.change_many(key, Target(), {"rate_limit": 5}),
        groups.create(key, "new", None, []),
        groups.rename(key, "mine", "Mine"),
        groups.change_members(key, "mine", ["b-1"], []),
        groups.delete(key, "mine"),
        policies.put(key, "print", Policy(max_retries=1)),
        policies.delete(key, "print"),
    ):
        with refused("all_actions_needed"):
            await change
    assert (await policies.put(key, "open-door", Policy(max_retries=1))).action == "open-door"
    await policies.delete(key, "open-door")


async def test_figures_are_for_who_may_read_every_client(database: Database, shop: Any) -> None:
    async with database.connection() as connection:
        monitor = await access.principal(connection, "viewer")
        await access.grant(connection, monitor, "all", None, "read")
        limited = await access.principal(connection, "viewer")
        await access.grant(connection, limited, "all", None, "read", ["print"])
        callers = [
            (ADMIN, True),
            (await shop(of=monitor, permissions=["read"]), True),
            (await shop(of=monitor, targets=[("zone", "a")]), False),
            (await shop(of=monitor, actions=["print"]), False),
            (await shop(of=limited), False),
            (await shop(), False),
        ]
        for who, reads in callers:
            assert await client_store.reads_all(connection, who.scope) is reads


# --- batches ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [Target(), Target(tags_all=("door",)), Target(tags_any=("a", "b")), Target(zone="a"), Target(group="mine")],
    ids=str,
)
async def test_a_condition_means_the_clients_that_one_may_command(
    database: Database, shop: Any, target: Target
) -> None:
    await Groups(database).create(ADMIN, "mine", None, MINE)
    who, creation = await shop(), batch_creation(database, RecordingPorts())
    preview = await creation.preview(who, request(target))
    assert ([item.client_id for item in preview.items], preview.total) == (MINE, 2)
    made = await creation.create(who, request(target))
    assert await clients_of(database, made.batch_id) == MINE
    shown = await Batches(database, RecordingPorts(), Log()).get(who, made.batch_id)
    assert (shown.total, shown.counts["pending"], shown.rejected) == (2, 2, 0)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (Target(zone="b"), "no_targets"),
        (Target(zone="nowhere"), "no_targets"),
        (Target(group="theirs"), "group_not_found"),
        (Target(group="both"), "group_not_found"),
        (Target(group="none"), "group_not_found"),
        (Target(clients=("a-1", "b-1")), "validation_error"),
        (Target(clients=("a-1", "none")), "validation_error"),
    ],
    ids=str,
)
async def test_what_is_out_of_reach_is_not_there(database: Database, shop: Any, target: Target, code: str) -> None:
    await Groups(database).create(ADMIN, "both", None, BOTH)
    await Groups(database).create(ADMIN, "theirs", None, THEIRS)
    who, creation = await shop(), batch_creation(database, RecordingPorts())
    for ask in (creation.preview, creation.create, creation.judge):
        if ask == creation.judge and code == "no_targets":
            continue
        with refused(code):
            await ask(who, request(target))


async def test_one_who_may_only_read_is_told_what_to_ask_for(database: Database, shop: Any) -> None:
    creation = batch_creation(database, RecordingPorts())
    for who, action in ((await shop(what="read"), "open-door"), (await shop(actions=["print"]), "open-door")):
        for target in (Target(), Target(zone="a")):
            for ask in (creation.preview, creation.create, creation.judge):
                with refused("grant_missing"):
                    await ask(who, request(target, action=action))
        with refused("grant_missing"):
            await creation.judge(who, request(Target(clients=("a-1",)), action=action))


async def test_a_batch_is_seen_by_its_maker_and_by_who_may_read_all_of_it(database: Database, shop: Any) -> None:
    maker, other, service = await shop(), await shop("b"), Batches(database, RecordingPorts(), Log())
    creation = batch_creation(database, RecordingPorts())
    of_mine = (await creation.create(ADMIN, request(Target(zone="a")))).batch_id
    of_all = (await creation.create(ADMIN, request(Target()))).batch_id
    own = (await creation.create(maker, request(Target()))).batch_id

    async def seen(who: Caller) -> set[UUID]:
        return {batch.id for batch in (await service.page(who, before=None, limit=10)).rows}

    assert await seen(ADMIN) == {of_mine, of_all, own}
    assert await seen(maker) == {of_mine, own}
    assert await seen(other) == set()
    for who, hidden in ((maker, of_all), (other, own), (other, UUID(int=9))):
        for ask in (service.get(who, hidden), service.change(who, hidden, Change.CANCEL)):
            with pytest.raises(NotFoundError, match="batch_not_found"):
                await ask
    reader = await shop(what="read")
    assert await seen(reader) == {of_mine, own}
    with refused("grant_missing"):
        await service.change(reader, of_mine, Change.PAUSE)
    assert (await service.change(maker, of_mine, Change.PAUSE)).status == "paused"

    # Another key of the maker's, for other things, is not the maker.
    assert await seen(await shop(of=maker.principal_id, actions=["print"])) == set()
    assert await seen(await shop(of=maker.principal_id, targets=[("client", "a-1")])) == set()
    assert await seen(await shop(of=maker.principal_id, targets=[("zone", "a")])) == {of_mine, own}


async def test_a_maker_sees_of_his_batch_what_he_may_still_read(database: Database, shop: Any) -> None:
    maker, service = await shop(), Batches(database, RecordingPorts(), Log())
    own = (await batch_creation(database, RecordingPorts()).create(maker, request(Target()))).batch_id
    await execute(database, b"UPDATE clients SET zone = 'b' WHERE id = 'a-1'")
    shown = await service.get(maker, own)
    assert (shown.total, shown.counts["pending"]) == (2, 1)
    assert [row.client_id for row in (await service.rows(maker, own, after=None, limit=9)).rows] == ["a-2"]
    with refused("grant_missing"):
        await service.change(maker, own, Change.CANCEL)


async def test_a_key_that_does_not_read_gets_the_answer_to_its_batch(database: Database, shop: Any) -> None:
    key, service = (
        await shop(permissions=["command"], targets=[("zone", "a")]),
        Batches(database, RecordingPorts(), Log()),
    )
    made = (await batch_creation(database, RecordingPorts()).create(key, request(Target(clients=("a-1",))))).batch_id
    assert (await service.change(key, made, Change.PAUSE)).counts["pending"] == 1


# --- schedules ----------------------------------------------------------------------------------------------------


class Timed:
    """Schedules, and firing them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        creation = batch_creation(database, RecordingPorts())
        self.schedules = Schedules(database, creation, Log())
        self.runner = ScheduleRunner(database, creation, Log())

    async def add(self, who: Caller, wanted: BatchRequest = EVERYBODY, name: str = "doors") -> UUID:
        asked = ScheduleRequest(name=name, cron="0 7 * * *", time_zone="UTC", request=wanted)
        return (await self.schedules.create(who, asked)).id

    async def fire(self, schedule_id: UUID) -> tuple[list[str] | None, str | None]:
        """Whom it sent something, or why to nobody."""
        async with self.database.connection() as connection:
            await connection.execute(
                b"UPDATE schedules SET next_at = floorhub_now() - %s, last_batch_id = NULL WHERE id = %s",
                (timedelta(seconds=5), schedule_id),
            )
        await self.runner.look()
        row = await self.schedules.get(ADMIN, schedule_id)
        sent = None if row.last_batch_id is None else await clients_of(self.database, row.last_batch_id)
        return sent, row.last_error


async def test_names_of_schedules_are_ones_own(database: Database, shop: Any) -> None:
    timed, one, other = Timed(database), await shop(), await shop("b")
    ids = {who.principal_id: await timed.add(who) for who in (one, other, ADMIN)}
    for who in (one, other):
        found = (await timed.schedules.page(who, before=None, limit=9, name="doors")).rows
        assert [row.id for row in found] == [ids[who.principal_id]]
        with pytest.raises(ConflictError, match="schedule_exists"):
            await timed.add(who)
    second = await timed.add(one, name="second")
    with pytest.raises(ConflictError, match="schedule_exists"):
        await timed.schedules.change(one, second, {"name": "doors"})
    for hidden in (ids[other.principal_id], ids[ADMIN.principal_id], UUID(int=9)):
        for ask in (
            timed.schedules.get(one, hidden),
            timed.schedules.preview(one, hidden, 1),
            timed.schedules.change(one, hidden, {"enabled": False}),
            timed.schedules.delete(one, hidden),
        ):
            with pytest.raises(NotFoundError, match="schedule_not_found"):
                await ask


@pytest.mark.parametrize(
    "wanted",
    [
        request(Target(zone="a")),
        request(Target(clients=("a-1", "a-2"))),
        request(Target(group="mine")),
        request(Target(tags_all=("a",), tags_any=("door", "window"))),
        BatchRequest(commands=tuple(CommandRequest(client_id=one, action="open-door") for one in MINE)),
    ],
    ids=["zone", "clients", "group", "tags", "commands"],
)
async def test_the_schedule_of_another_is_seen_by_who_may_read_all_that_it_means(
    database: Database, shop: Any, wanted: BatchRequest
) -> None:
    await Groups(database).create(ADMIN, "mine", None, MINE)
    timed = Timed(database)
    schedule_id = await timed.add(ADMIN, wanted)
    assert (await timed.schedules.get(await shop(what="read"), schedule_id)).name == "doors"
    for who in (await shop("b"), await shop(targets=[("client", "a-1")]), await shop(actions=["print"])):
        assert (await timed.schedules.page(who, before=None, limit=9)).rows == []
    with refused("grant_missing"):
        await timed.schedules.change(await shop(what="read"), schedule_id, {"enabled": False})
    assert not (await timed.schedules.change(await shop(), schedule_id, {"enabled": False})).enabled


async def test_a_schedule_reaches_what_its_principal_reaches_when_it_fires(database: Database, shop: Any) -> None:
    timed, who = Timed(database), await shop()
    of_all = await timed.add(who)
    named = await timed.add(who, request(Target(clients=("a-1", "a-2"))), "named")
    listed = await timed.add(
        who, BatchRequest(commands=tuple(CommandRequest(client_id=one, action="open-door") for one in MINE)), "listed"
    )
    for schedule_id in (of_all, named, listed):
        assert await timed.fire(schedule_id) == (MINE, None)
    await execute(database, b"UPDATE clients SET zone = 'b' WHERE id = 'a-1'")
    for schedule_id in (of_all, named, listed):
        assert await timed.fire(schedule_id) == (["a-2"], None)
    await execute(database, b"DELETE FROM grants")
    for schedule_id in (of_all, named, listed):
        assert await timed.fire(schedule_id) == (None, "principal_revoked")


@pytest.mark.parametrize(
    "loses",
    [
        b"UPDATE principals SET disabled_at = now() WHERE id = %s",
        b"UPDATE principals SET role = 'viewer' WHERE id = %s",
        b"UPDATE grants SET access = 'read' WHERE principal_id = %s",
        b"UPDATE grants SET actions = '{print}' WHERE principal_id = %s",
        b"DELETE FROM grants WHERE principal_id = %s",
    ],
    ids=["disabled", "viewer", "reads", "prints", "nothing"],
)
async def test_the_schedule_of_one_who_may_no_longer_says_so(database: Database, shop: Any, loses: bytes) -> None:
    timed, who = Timed(database), await shop()
    await Groups(database).create(ADMIN, "mine", None, MINE)
    schedules = [
        await timed.add(who, request(target), str(place))
        for place, target in enumerate((Target(), Target(zone="a"), Target(group="mine"), Target(clients=("a-1",))))
    ]
    await execute(database, loses, who.principal_id)
    for schedule_id in schedules:
        assert await timed.fire(schedule_id) == (None, "principal_revoked")
    # Nobody is meant at all: that is another thing.
    await execute(database, b"UPDATE clients SET status = 'retired'")
    if b"principals" not in loses:
        assert await timed.fire(schedules[0]) == (None, "no_targets")


async def test_what_a_key_for_one_client_leaves_behind_stays_within_its_scope(database: Database, shop: Any) -> None:
    timed, whole = Timed(database), await shop()
    scope = {"targets": [("client", "a-1")], "permissions": ["read", "command"]}
    narrow = await shop(of=whole.principal_id, **scope)
    schedule_id = await timed.add(narrow)
    assert await timed.fire(schedule_id) == (["a-1"], None)

    # Whoever has the whole key changes what is not about whom it sends to, and its scope stays.
    await timed.schedules.change(whole, schedule_id, {"misfire": "once", "grace_s": 300})
    assert await timed.fire(schedule_id) == (["a-1"], None)

    # A key that is replaced by one with the same scope is followed by it; one that ends without, ends it.
    new = await shop(of=whole.principal_id, **scope)
    await execute(database, b"UPDATE api_keys SET revoked_at = now() WHERE id = %s", narrow.key_id)
    assert await timed.fire(schedule_id) == (["a-1"], None)
    await shop(of=whole.principal_id, targets=[("client", "a-2")], permissions=["read", "command"])
    await execute(database, b"UPDATE api_keys SET expires_at = now() WHERE id = %s", new.key_id)
    assert await timed.fire(schedule_id) == (None, "principal_revoked")

    await timed.schedules.change(whole, schedule_id, {"cron": "0 8 * * *"})
    assert await timed.fire(schedule_id) == (MINE, None)
