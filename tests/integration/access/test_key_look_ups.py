"""How long a key is believed, over several hubs that hear nothing of each other; and what wrong keys cost."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hub.core.access.service import Access, look_ups, strangers
from hub.core.access.service.look_ups import CACHE_S, LookUps
from hub.core.access.service.strangers import AT_ONCE, MOST_WAITING
from hub.database.engine import Database
from hub.errors import RejectedError, UnavailableError
from hub.keys import hash_secret, new_api_key
from hub.signals.local import LocalSignals
from hub.signals.notifications import Notifications
from hub.telemetry.log import Log
from tests.support.clocks import Clock
from tests.support.granting import Administration, id_of
from tests.support.waiting import SOON_S, eventually


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admin(database: Database) -> Administration:
    """Who changes things without telling anybody."""
    return Administration(database)


async def refused(access: Access, key: str) -> bool:
    try:
        await access.authenticate(key)
    except RejectedError:
        return True
    return False


async def revoke(admin: Administration, owner: Any, key: Any) -> None:
    await admin.keys.revoke(admin.caller, id_of(key))


async def disable(admin: Administration, owner: Any, key: Any) -> None:
    await admin.integrations.change(admin.caller, owner.integration.id, {"status": "disabled"})


async def remove(admin: Administration, owner: Any, key: Any) -> None:
    await admin.integrations.remove(admin.caller, owner.integration.id)


@pytest.mark.parametrize("withdraw", [revoke, disable, remove])
async def test_a_withdrawal_is_felt_by_the_cache_alone(
    admin: Administration, clock: Clock, withdraw: Callable[..., Any]
) -> None:
    """Two hubs, and no notifications: what was remembered counts for less than half of the second that is promised."""
    assert CACHE_S < 0.5
    hubs = [Access(admin.database, Log(), clock=clock) for _ in range(2)]
    owner = await admin.integration()
    key = await admin.key(owner)
    callers = [(await hub.authenticate(key.text)).caller(None) for hub in hubs]
    assert [await hub.still_valid(caller) for hub, caller in zip(hubs, callers, strict=True)] == [True, True]

    await withdraw(admin, owner, key)

    clock.now += CACHE_S - 0.001
    assert [await refused(hub, key.text) for hub in hubs] == [False, False]
    clock.now += 0.002
    assert [await refused(hub, key.text) for hub in hubs] == [True, True]
    assert [await hub.still_valid(caller) for hub, caller in zip(hubs, callers, strict=True)] == [False, False]


async def test_what_was_withdrawn_during_a_look_is_not_remembered(
    admin: Administration, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer counts from when it was asked for, however long it took, and not at all if something changed since."""
    key = await admin.key(await admin.integration())
    access = Access(admin.database, Log(), clock=clock)
    find = look_ups.store.by_key
    told, slow = asyncio.Event(), asyncio.Event()

    async def slowly(connection: Any, sha256: bytes) -> Any:
        found = await find(connection, sha256)
        told.set()
        await slow.wait()
        return found

    monkeypatch.setattr(look_ups.store, "by_key", slowly)
    for is_told in (False, True):
        told.clear(), slow.clear()
        asking = asyncio.create_task(access.authenticate(key.text))
        await asyncio.wait_for(told.wait(), SOON_S)
        clock.now += 0 if is_told else CACHE_S + 0.001
        if is_told:
            await admin.keys.revoke(admin.caller, id_of(key))
            access.forget()
        slow.set()
        await asking
        asked = asyncio.create_task(refused(access, key.text))
        assert await asked is is_told
        clock.now += CACHE_S + 0.001


async def test_other_hubs_are_told_at_once(database: Database, clock: Clock) -> None:
    """By a notification, long before what they remember grows old: their clock stands still."""
    one, two = (LocalSignals(Notifications(database, name)) for name in ("one", "two"))
    loops = [asyncio.create_task(signals.notifications.run()) for signals in (one, two)]
    try:
        admin = Administration(database, one.access_changed)
        here, there = (Access(database, Log(), clock=clock) for _ in range(2))
        one.access, two.access = here, there
        key = await admin.key(await admin.integration())
        assert [await refused(hub, key.text) for hub in (here, there)] == [False, False]
        # Both listen: what one says arrives at the other.
        await eventually(lambda: not one.notifications.alone and not two.notifications.alone)
        await admin.keys.revoke(admin.caller, id_of(key))

        assert await refused(here, key.text)

        async def there_too() -> bool:
            one.access_changed()  # it may have begun to listen just now
            return await refused(there, key.text)

        await eventually(there_too)
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def test_requests_at_the_same_time_share_one_look(admin: Administration, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await admin.key(await admin.integration())
    access, looks, find = Access(admin.database, Log()), 0, look_ups.store.by_key

    async def counted(connection: Any, sha256: bytes) -> Any:
        nonlocal looks
        looks += 1
        return await find(connection, sha256)

    monkeypatch.setattr(look_ups.store, "by_key", counted)
    await asyncio.gather(*(access.authenticate(key.text) for _ in range(100)))
    assert looks == 1
    for wrong in ("", "fh_00_wrong", "fhk_" + "A" * 49, key.text[:-1], key.text + "A", key.text.upper(), "x" * 43):
        assert await refused(access, wrong)
    assert looks == 1, "what has not the form of a key is not looked up"


async def test_a_flood_of_wrong_keys_leaves_connections_and_memory_to_the_others(
    admin: Administration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each wrong key hangs in the database. Who was let in lately comes in all the same."""
    keys = [await admin.key(await admin.integration(f"system {number}")) for number in range(2)]
    access, find = Access(admin.database, Log(), clock=(clock := Clock())), look_ups.store.by_key
    known = {hash_secret(key.text) for key in keys}
    held, most, release = 0, 0, asyncio.Event()

    async def hangs(connection: Any, sha256: bytes) -> Any:
        nonlocal held, most
        if sha256 in known:
            return await find(connection, sha256)
        held += 1
        most = max(most, held)
        await release.wait()
        held -= 1
        return None

    for key in keys:
        await access.authenticate(key.text)
    monkeypatch.setattr(look_ups.store, "by_key", hangs)
    monkeypatch.setattr(strangers, "PATIENCE_S", 30.0)
    flood = [asyncio.create_task(refused(access, new_api_key().text)) for _ in range(MOST_WAITING + AT_ONCE + 500)]
    try:
        await eventually(lambda: held == AT_ONCE and sum(task.done() for task in flood) == 500)
        clock.now += CACHE_S + 0.001
        for key in keys:
            assert (await access.authenticate(key.text)).principal.kind == "integration"
    finally:
        release.set()
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert most == AT_ONCE
    assert sum(answer is True for answer in answers) == MOST_WAITING + AT_ONCE
    busy = [answer for answer in answers if isinstance(answer, UnavailableError)]
    assert {(error.code, error.retry_after_s) for error in busy} == {("too_many_unknown_keys", 1)}
    assert len(busy) == 500


async def test_a_wrong_key_that_cannot_be_looked_up_soon_is_put_off(
    admin: Administration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "PATIENCE_S", 0.0)
    access, held, release = Access(admin.database, Log()), 0, asyncio.Event()

    async def hangs(connection: Any, sha256: bytes) -> Any:
        nonlocal held
        held += 1
        await release.wait()

    monkeypatch.setattr(look_ups.store, "by_key", hangs)
    first = [asyncio.create_task(refused(access, new_api_key().text)) for _ in range(AT_ONCE)]
    await eventually(lambda: held == AT_ONCE)
    with pytest.raises(UnavailableError):
        await refused(access, new_api_key().text)
    release.set()
    assert await asyncio.gather(*first) == [True] * AT_ONCE


async def test_what_is_remembered_of_wrong_keys_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_ups, "MOST_UNKNOWN", 20)
    found = LookUps(database, look_ups.key, by_secret=True, clock=Clock())
    for _ in range(50):
        assert await found.find(hash_secret(new_api_key().text)) is None

    assert len(found._unknown) == 20
    assert (len(found._answers), len(found._asking)) == (0, 0)


async def test_a_wrong_key_that_is_shown_again_is_looked_up_once_in_a_while(
    admin: Administration, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, looks = Access(admin.database, Log(), clock=clock), 0

    async def counted(connection: Any, sha256: bytes) -> Any:
        nonlocal looks
        looks += 1

    monkeypatch.setattr(look_ups.store, "by_key", counted)
    wrong = new_api_key().text
    for _ in range(10):
        assert await refused(access, wrong)
    assert looks == 1
    clock.now += CACHE_S + 0.001
    assert await refused(access, wrong)
    assert looks == 2


async def test_a_caller_is_no_longer_valid_when_its_principal_has_another_role(
    admin: Administration, clock: Clock
) -> None:
    owner = await admin.integration()
    key = await admin.key(owner, addresses=("192.0.2.7",))
    access = Access(admin.database, Log(), clock=clock)
    caller = (await access.authenticate(key.text, "192.0.2.7")).caller("192.0.2.7")
    assert await access.still_valid(caller)

    await admin.integrations.change(admin.caller, owner.integration.id, {"role": "viewer"})
    clock.now += CACHE_S + 0.001
    assert not await access.still_valid(caller)
