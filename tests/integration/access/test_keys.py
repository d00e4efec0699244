"""Keys of integrations: what they may be, how they end, and what is told of it."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.core.access.rules import Principal
from hub.core.access.rules.targets import ClientsNamed
from hub.core.access.service import Access
from hub.core.access.service.grants import GrantRequest
from hub.core.access.service.integrations import GrantWish, KeyWish
from hub.core.access.service.keys import KeyFilter
from hub.core.clients.service.groups import Groups
from hub.database.engine import Database
from hub.errors import ConflictError, NotFoundError, RejectedError
from hub.telemetry.log import Log
from hub.tokens import API_KEY, is_token
from tests.support.factories import add_client
from tests.support.granting import Administration, id_of

HOUR = timedelta(hours=1)
ZONE = ClientsNamed("zone", "a")


@pytest.fixture
def admin(database: Database) -> Administration:
    return Administration(database)


@pytest.fixture
def access(database: Database) -> Access:
    return Access(database, Log())


async def is_let_in(access: Access, key: str, address: str | None = "192.0.2.1") -> bool:
    try:
        await access.authenticate(key, address)
    except RejectedError as refused:
        if refused.code != "unauthorized":
            raise
        return False
    return True


async def test_a_key_is_stored_as_its_hash_and_its_prefix_only(admin: Administration) -> None:
    new = await admin.key(await admin.integration())

    assert is_token(new.text, API_KEY)
    [row] = await admin.rows("SELECT * FROM api_keys")
    assert bytes(row["sha256"]) == hashlib.sha256(new.text.encode()).digest()
    assert row["prefix"] == new.text[:12]
    # Nothing in any table has more of it than the prefix.
    tables = await admin.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    for table in tables:
        rows = await admin.rows(f"SELECT t::text AS text FROM {table['table_name']} t")  # noqa: S608 - a name of ours
        assert [row for row in rows if new.text[:16] in row["text"] or new.text[12:24] in row["text"]] == []


@pytest.mark.parametrize(
    ("allowed", "comes_from", "let_in"),
    [
        (("192.0.2.7",), "192.0.2.7", True),
        (("192.0.2.7",), "192.0.2.8", False),
        (("192.0.2.0/24",), "192.0.2.255", True),
        (("192.0.2.0/24",), "192.0.3.0", False),
        (("192.0.2.0/24",), "::ffff:192.0.2.9", True),
        (("2001:db8::/32",), "2001:db8:1::1", True),
        (("2001:db8::/32",), "2001:db9::1", False),
        (("2001:db8::/32",), "192.0.2.1", False),
        (("10.0.0.0/8", "192.0.2.7"), "192.0.2.7", True),
        (("192.0.2.7",), None, False),
        (("192.0.2.7",), "localhost", False),
        (None, None, True),
        (None, "localhost", True),
    ],
)
async def test_a_key_is_refused_from_an_address_that_it_does_not_allow(
    admin: Administration, access: Access, allowed: tuple[str, ...] | None, comes_from: str | None, let_in: bool
) -> None:
    new = await admin.key(await admin.integration(), addresses=allowed)

    if let_in:
        assert (await access.authenticate(new.text, comes_from)).principal.name == "wms"
    else:
        with pytest.raises(RejectedError) as refused:
            await access.authenticate(new.text, comes_from)
        assert refused.value.code == "key_address_refused"
    await access.record_uses()
    events = await admin.rows("SELECT * FROM security_events")
    assert len(events) == (not let_in)
    if events:
        [event] = events
        assert (event["kind"], event["address"]) == ("key_address_refused", comes_from)
        assert event["detail"]["prefix"] == new.key.prefix
        assert new.text not in str(event)


async def test_an_address_that_tries_again_and_again_is_one_security_event(
    admin: Administration, access: Access
) -> None:
    new = await admin.key(await admin.integration(), addresses=("192.0.2.7",))
    for _ in range(3):
        for last in range(4):
            with pytest.raises(RejectedError):
                await access.authenticate(new.text, f"198.51.100.{last}")
        await access.record_uses()

    assert len(await admin.rows("SELECT * FROM security_events")) == 4


async def test_a_key_ends_when_it_expires(
    admin: Administration, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    new = await admin.key(await admin.integration(), expires_at=await admin.now() + HOUR)

    assert await is_let_in(Access(await shift_clock("59 minutes"), Log()), new.text)
    later = await shift_clock("61 minutes")
    assert not await is_let_in(Access(later, Log()), new.text)
    assert (await Administration(later).keys.get(admin.caller, id_of(new))).status == "expired"


async def test_a_key_that_would_have_expired_before_is_refused(admin: Administration) -> None:
    owner = await admin.integration()
    with pytest.raises(RejectedError) as refused:
        await admin.key(owner, expires_at=await admin.now())
    assert [(problem.field, problem.code) for problem in refused.value.fields] == [("expires_at", "already_past")]


async def test_after_a_rotation_both_keys_are_valid_until_the_overlap_ends(
    admin: Administration, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    await add_client(admin.database, "pc-1")
    limits: dict[str, Any] = {
        "permissions": ("command", "read"),
        "actions": ("print",),
        "targets": (ClientsNamed("client", "pc-1"), ClientsNamed("tags", tags=("x", "y"))),
        "addresses": ("192.0.2.0/24",),
        "expires_at": await admin.now() + 10 * HOUR,
    }
    old = await admin.key(await admin.integration(), name="line 1", **limits)
    new = await admin.keys.rotate(admin.caller, id_of(old), 2 * HOUR)

    assert new.text != old.text
    assert new.key.name == "line 1"
    before, after = old.key.limits, new.key.limits
    assert (after.permissions, after.actions, after.addresses) == (before.permissions, before.actions, before.addresses)
    assert set(after.targets or ()) == set(limits["targets"])
    # It lives as long as the old one was made for.
    assert after.expires_at is not None
    assert abs(after.expires_at - new.key.created_at - 10 * HOUR) < timedelta(minutes=1)
    for shifted, valid in (("119 minutes", True), ("121 minutes", False)):
        later = Access(await shift_clock(shifted), Log())
        assert await is_let_in(later, old.text) is valid
        assert await is_let_in(later, new.text)


async def test_a_rotation_without_overlap_ends_the_old_key_at_once(admin: Administration, access: Access) -> None:
    old = await admin.key(await admin.integration())
    assert await is_let_in(access, old.text)

    new = await admin.keys.rotate(admin.caller, id_of(old), timedelta())
    access.forget()

    assert not await is_let_in(access, old.text)
    assert await is_let_in(access, new.text)


async def test_a_rotation_lengthens_no_life(admin: Administration) -> None:
    old = await admin.key(await admin.integration(), expires_at=(soon := await admin.now() + HOUR))

    await admin.keys.rotate(admin.caller, id_of(old), 24 * HOUR)

    assert (await admin.keys.get(admin.caller, id_of(old))).expires_at == soon


async def test_a_key_that_has_ended_cannot_be_rotated(admin: Administration) -> None:
    owner = await admin.integration()
    revoked, rotated = await admin.key(owner), await admin.key(owner)
    await admin.keys.revoke(admin.caller, id_of(revoked))
    await admin.keys.rotate(admin.caller, id_of(rotated), timedelta())

    for key in (revoked, rotated):
        with pytest.raises(ConflictError) as refused:
            await admin.keys.rotate(admin.caller, id_of(key), HOUR)
        assert refused.value.code == "key_ended"


async def test_what_ends_a_key_ends_it(admin: Administration, access: Access) -> None:
    owner = await admin.integration()
    keys = {name: await admin.key(owner, name=name) for name in ("revoked", "left")}
    await admin.keys.revoke(admin.caller, id_of(keys["revoked"]))
    assert not await is_let_in(access, keys["revoked"].text)
    assert await is_let_in(access, keys["left"].text)

    for status, valid in (("disabled", False), ("active", True)):
        await admin.integrations.change(admin.caller, owner.integration.id, {"status": status})
        access.forget()
        assert await is_let_in(access, keys["left"].text) is valid
    await admin.integrations.remove(admin.caller, owner.integration.id)
    access.forget()
    assert not await is_let_in(access, keys["left"].text)
    with pytest.raises(NotFoundError):
        await admin.integrations.get(owner.integration.id)
    # Its name is free again, for one that has nothing of it.
    again = await admin.integration("wms")
    assert (again.integration.keys, again.integration.grants) == (0, 0)


async def test_an_integration_comes_with_its_grants_and_its_key_or_not_at_all(admin: Administration) -> None:
    await add_client(admin.database, "pc-1", zone="a")
    wishes = (GrantWish(target=ZONE, actions=("print",), actions_said=True),)
    made = await admin.integration("wms", template="wms", grants=wishes, key=KeyWish(name="first"))

    assert (made.integration.role, made.integration.reach) == ("operator", "granted")
    [grant] = made.grants
    assert (grant.target, grant.actions, grant.access) == ({"zone": "a"}, ["print"], "command")
    assert made.key is not None
    assert made.key.key.permissions == ["read", "command", "document"]

    missing = (*wishes, GrantWish(target=ClientsNamed("client", "pc-2")), GrantWish(target=ClientsNamed("group", "no")))
    with pytest.raises(RejectedError) as refused:
        await admin.integration("wms 2", grants=missing)
    assert [problem.field for problem in refused.value.fields] == ["grants[1].target.client"]
    assert [row["name"] for row in await admin.rows("SELECT name FROM principals")] == ["wms"]


@pytest.mark.parametrize(
    ("template", "role", "permissions", "grants"),
    [
        ("order-system", "operator", ["read", "command", "document"], []),
        ("wms", "operator", ["read", "command", "document"], []),
        ("monitoring", "viewer", ["read"], [({"all": True}, None, "read")]),
    ],
)
async def test_a_template_says_what_is_left_out(
    admin: Administration, template: str, role: str, permissions: list[str], grants: list[Any]
) -> None:
    made = await admin.integration("one", template=template, key=KeyWish())

    assert made.key is not None
    assert (made.integration.role, made.integration.reach) == (role, "granted")
    assert made.key.key.permissions == permissions
    assert [(grant.target, grant.actions, grant.access) for grant in made.grants] == grants


async def test_a_key_cannot_list_what_its_role_has_not(admin: Administration) -> None:
    owner = await admin.integration(role="viewer")
    with pytest.raises(RejectedError) as refused:
        await admin.key(owner, permissions=("command", "read"))
    assert [(problem.field, problem.code) for problem in refused.value.fields] == [("permissions[0]", "not_of_role")]


async def test_a_key_falls_with_the_role_of_its_principal(admin: Administration, access: Access) -> None:
    owner = await admin.integration()
    new = await admin.key(owner)
    await admin.integrations.change(admin.caller, owner.integration.id, {"role": "viewer"})

    assert (await access.authenticate(new.text)).principal.role == "viewer"


NARROW: dict[str, dict[str, Any]] = {
    "permissions": {"permissions": ("administer", "read")},
    "actions": {"actions": ("print", "status")},
    "targets": {"targets": (ZONE, ClientsNamed("tags", tags=("x",)))},
    "addresses": {"addresses": ("192.0.2.0/24",)},
}


@pytest.mark.parametrize("field", [*NARROW, "expires_at"])
async def test_a_narrow_key_makes_and_rotates_no_wider_one(admin: Administration, field: str) -> None:
    limits = NARROW.get(field) or {"expires_at": await admin.now() + HOUR}
    _, narrow = await admin.administrators_key(**limits)
    owner = await admin.integration()
    wide = await admin.key(owner)

    for ask in (admin.key(owner, by=narrow), admin.keys.rotate(narrow, id_of(wide), HOUR)):
        with pytest.raises(RejectedError) as refused:
            await ask
        assert (refused.value.code, refused.value.params["limits"]) == ("wider_than_your_key", field)
    within = {**limits, "permissions": ("read",)} if field == "permissions" else limits
    assert (await admin.key(owner, by=narrow, **within)).key.principal == "wms"


@pytest.mark.parametrize(
    ("limits", "wider"),
    [
        ({"actions": ("print", "reboot")}, "actions"),
        ({"targets": (ZONE, ClientsNamed("zone", "b"))}, "targets"),
        ({"targets": (ClientsNamed("tags", tags=("y",)),)}, "targets"),
        ({"addresses": ("192.0.0.0/16",)}, "addresses"),
        ({"addresses": ("192.0.2.9", "198.51.100.1")}, "addresses"),
        ({"actions": ("print",)}, None),
        ({"targets": (ClientsNamed("tags", tags=("x", "y")),)}, None),
        ({"addresses": ("192.0.2.9", "192.0.2.128/25")}, None),
    ],
)
async def test_what_is_within_a_narrow_key(admin: Administration, limits: dict[str, Any], wider: str | None) -> None:
    own = {name: value for fields in NARROW.values() for name, value in fields.items() if name != "permissions"}
    _, narrow = await admin.administrators_key(**own)
    owner = await admin.integration()

    if wider is None:
        await admin.key(owner, by=narrow, **{**own, **limits})
        return
    with pytest.raises(RejectedError) as refused:
        await admin.key(owner, by=narrow, **{**own, **limits})
    assert refused.value.params["limits"] == wider


async def test_a_narrow_key_widens_nobody(admin: Administration) -> None:
    """Neither by grants, nor by the role or the reach of an integration whose keys have no limits of their own."""
    _, narrow = await admin.administrators_key(targets=(ZONE,), permissions=("administer", "read"))
    owner = await admin.integration(role="viewer")

    for changes in ({"role": "operator"}, {"role": "admin"}, {"reach": "all"}):
        with pytest.raises(RejectedError) as refused:
            await admin.integrations.change(narrow, owner.integration.id, changes)
        assert refused.value.code == "wider_than_your_key"
    assert (await admin.integrations.change(narrow, owner.integration.id, {"name": "a"})).name == "a"


@pytest.mark.parametrize("field", ["actions", "targets", "addresses", "expires_at"])
async def test_a_narrow_key_makes_no_integration_that_reaches_all_clients_an_administrator(
    admin: Administration, field: str
) -> None:
    """Nor does it give a disabled one back what it had: neither changes its reach."""
    limits = NARROW.get(field) or {"expires_at": await admin.now() + HOUR}
    _, narrow = await admin.administrators_key(**limits)
    owner = await admin.integration(role="viewer", reach="all")

    async def refused(changes: dict[str, Any]) -> object:
        with pytest.raises(RejectedError) as refusal:
            await admin.integrations.change(narrow, owner.integration.id, changes)
        assert refusal.value.code == "wider_than_your_key"
        return refusal.value.params["limits"]

    assert await refused({"role": "admin"}) == "role"
    assert (await admin.integrations.change(narrow, owner.integration.id, {"status": "disabled"})).status == "disabled"
    assert await refused({"status": "active"}) == "status"
    assert await refused({"role": "operator"}) == "role"
    assert (await admin.integrations.change(admin.caller, owner.integration.id, {"status": "active"})).role == "viewer"


async def test_a_key_that_is_revoked_while_it_is_rotated_leaves_none_behind(
    admin: Administration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever revoked it has seen one key, and must not have to look for another."""
    owner = await admin.integration(key=KeyWish())
    assert owner.key is not None
    old = id_of(owner.key)
    now = admin.database.now

    async def revoked_meanwhile(connection: Any) -> Any:
        # The rotation has read the key, and is about to end it.
        await admin.keys.revoke(admin.caller, old)
        return await now(connection)

    monkeypatch.setattr(admin.database, "now", revoked_meanwhile)
    with pytest.raises(ConflictError) as refused:
        await admin.keys.rotate(admin.caller, old, HOUR)
    assert refused.value.code == "key_ended"
    assert [row["id"] for row in await admin.rows("SELECT id FROM api_keys WHERE revoked_at IS NULL")] == []


async def test_a_key_for_a_zone_learns_of_no_clients_elsewhere(admin: Administration) -> None:
    """Neither from the order of the checks, nor from lists of grants and keys, which name clients."""
    await add_client(admin.database, "here", zone="a")
    await add_client(admin.database, "hidden", zone="b")
    _, narrow = await admin.administrators_key(targets=(ZONE,))
    owner = await admin.integration()
    mine, theirs = await admin.grant(owner, ZONE), await admin.grant(owner, ClientsNamed("client", "hidden"))
    elsewhere = await admin.key(owner, targets=(ClientsNamed("client", "hidden"),))
    here = await admin.key(owner, targets=(ZONE,))
    whole = await admin.key(owner)

    for name in ("hidden", "nobody"):
        target = ClientsNamed("client", name)
        for ask in (
            admin.key(owner, by=narrow, targets=(target,)),
            admin.grants.create(narrow, owner.integration.id, "integration", GrantRequest(target)),
        ):
            with pytest.raises(RejectedError) as refused:
                await ask
            assert refused.value.code == "wider_than_your_key"
        found = await admin.grants.page(narrow, principal_id=None, client=name, after=None, limit=50)
        assert found.rows == []
    grants = await admin.grants.page(narrow, principal_id=owner.integration.id, client=None, after=None, limit=50)
    assert [grant.id for grant in grants.rows] == [mine.id]
    keys = await admin.keys.page(narrow, KeyFilter(owner.integration.id), after=None, limit=50)
    assert [key.id for key in keys.rows] == [id_of(here), id_of(whole)]
    for key in (here, whole):
        assert (await admin.keys.get(narrow, id_of(key))).id == id_of(key)
    for unseen in (id_of(elsewhere), uuid4()):
        with pytest.raises(NotFoundError):
            await admin.keys.get(narrow, unseen)
    all_of_them = await admin.grants.page(
        admin.caller, principal_id=owner.integration.id, client=None, after=None, limit=50
    )
    assert [grant.id for grant in all_of_them.rows] == [mine.id, theirs.id]


async def test_what_was_granted_of_a_group_ends_with_it(admin: Administration) -> None:
    """Another group of its name has other clients, and those who could reach the first do not reach them."""
    groups = Groups(admin.database)
    group = ClientsNamed("group", "front")
    for client in ("pos-1", "vault"):
        await add_client(admin.database, client)
    await groups.create(admin.caller, "front", None, ["pos-1"])
    owner, other = await admin.integration(), await admin.integration("other", reach="all")
    granted = await admin.grant(owner, group)
    narrow = await admin.key(other, targets=(group,))
    everything = Principal(other.integration.id, "integration", "other", "operator")

    async def reach(principal_id: UUID, key_id: UUID | None) -> list[str]:
        found = await admin.rows("SELECT floorhub_clients(%s, %s, 'command') AS id", principal_id, key_id)
        return [row["id"] for row in found]

    assert await reach(owner.integration.id, None) == await reach(everything.id, id_of(narrow)) == ["pos-1"]
    await groups.delete(admin.caller, "front")
    await groups.create(admin.caller, "front", None, ["vault"])
    assert await reach(owner.integration.id, None) == await reach(everything.id, id_of(narrow)) == []
    [ended] = await admin.audit("grant.delete")
    before = ended["detail"]["before"]
    assert (before["id"], before["target"]) == (str(granted.id), {"group": "front"})
    # The key is narrowed to nothing, and does not become one for everything.
    assert (await admin.keys.get(admin.caller, id_of(narrow))).targets == []


async def test_each_change_is_in_the_audit_with_before_and_after_and_without_the_key(admin: Administration) -> None:
    owner = await admin.integration("wms", key=KeyWish())
    assert owner.key is not None
    await admin.integrations.change(admin.caller, owner.integration.id, {"name": "wms 2", "status": "disabled"})
    rotated = await admin.keys.rotate(admin.caller, id_of(owner.key), HOUR)
    await admin.keys.revoke(admin.caller, id_of(rotated))
    await admin.keys.revoke(admin.caller, id_of(rotated))
    grant = await admin.grant(owner, ZONE, ("print",))
    await admin.grants.delete(admin.caller, grant.id)
    await admin.integrations.remove(admin.caller, owner.integration.id)

    rows = await admin.rows("SELECT * FROM audit_logs ORDER BY id")
    assert [row["action"] for row in rows] == [
        "integration.create",
        "key.create",
        "integration.update",
        "key.rotate",
        "key.revoke",
        "grant.create",
        "grant.delete",
        "integration.delete",
    ]
    has_both = {"integration.update", "key.rotate", "key.revoke"}
    for row in rows:
        assert row["principal_id"] == admin.caller.principal_id
        detail = row["detail"]
        before, after = detail["before"], detail["after"]
        assert (before is not None) == (row["action"] in has_both or row["action"].endswith(".delete"))
        assert (after is not None) == (row["action"] in has_both or row["action"].endswith(".create"))
    [changed] = await admin.audit("integration.update")
    assert [changed["detail"][side]["name"] for side in ("before", "after")] == ["wms", "wms 2"]
    assert [changed["detail"][side]["status"] for side in ("before", "after")] == ["active", "disabled"]
    for text in (owner.key.text, rotated.text):
        assert not re.search(re.escape(text[12:]), str(rows))


async def test_the_last_use_is_written_at_most_once_a_minute(
    admin: Administration, access: Access, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    new = await admin.key(await admin.integration())

    async def use(access: Access, address: str) -> tuple[Any, Any]:
        await access.authenticate(new.text, address)
        await access.record_uses()
        key = await admin.keys.get(admin.caller, id_of(new))
        return key.last_used_at, key.last_address

    first = await use(access, "192.0.2.1")
    assert first[1] == "192.0.2.1"
    assert await use(access, "192.0.2.2") == first
    assert await use(Access(await shift_clock("50 seconds"), Log()), "192.0.2.2") == first
    later = await use(Access(await shift_clock("70 seconds"), Log()), "192.0.2.3")
    assert later[0] - first[0] >= timedelta(seconds=60)
    assert later[1] == "192.0.2.3"


async def test_keys_that_nobody_uses_are_found(admin: Administration, access: Access) -> None:
    owner = await admin.integration()
    idle, used = await admin.key(owner, name="idle"), await admin.key(owner, name="used")
    before = await admin.now()
    await access.authenticate(used.text)
    await access.record_uses()

    found = await admin.keys.page(admin.caller, KeyFilter(unused_since=before), after=None, limit=50)
    assert [key.id for key in found.rows] == [id_of(idle)]


async def test_names_are_unique_among_users_and_integrations(admin: Administration) -> None:
    first, second = await admin.integration("a"), await admin.integration("b")

    with pytest.raises(ConflictError):
        await admin.integration("a")
    with pytest.raises(ConflictError) as refused:
        await admin.integrations.change(admin.caller, second.integration.id, {"name": "a"})
    assert refused.value.code == "name_taken"
    assert (await admin.integrations.get(first.integration.id)).name == "a"


async def test_a_principal_has_a_bounded_number_of_keys(admin: Administration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.core.access.service.keys.MOST_KEYS", 2)
    owner = await admin.integration()
    keys = [await admin.key(owner) for _ in range(2)]

    with pytest.raises(ConflictError) as refused:
        await admin.key(owner)
    assert refused.value.code == "too_many_keys"
    with pytest.raises(ConflictError):
        await admin.keys.rotate(admin.caller, id_of(keys[0]), HOUR)
    await admin.keys.revoke(admin.caller, id_of(keys[0]))
    await admin.key(owner)


async def test_a_grant_is_given_once(admin: Administration) -> None:
    owner = await admin.integration()
    await admin.grant(owner, ClientsNamed("tags", tags=("x", "y")), ("print", "status"))

    with pytest.raises(ConflictError) as refused:
        await admin.grant(owner, ClientsNamed("tags", tags=("x", "y")), ("print", "status"))
    assert refused.value.code == "grant_exists"
    await admin.grant(owner, ClientsNamed("tags", tags=("x", "y")), ("print",))
    await admin.grant(owner, ClientsNamed("tags", tags=("x", "y")), ("print",), "read")


async def test_what_a_viewer_is_granted_is_to_read(admin: Administration) -> None:
    owner = await admin.integration(role="viewer")

    assert (await admin.grant(owner, ZONE)).access == "read"
    with pytest.raises(RejectedError) as refused:
        await admin.grant(owner, ClientsNamed("all"), None, "command")
    assert [(problem.field, problem.code) for problem in refused.value.fields] == [("access", "role_only_reads")]
