"""Which keys are the hub's: the database decides, and what lies in a folder of one hub changes nothing of that."""

import asyncio
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device_agent.core.trust import Trust
from hub.core.access.service import Access
from hub.core.broker import store as broker_store
from hub.core.hub_keys import store
from hub.core.hub_keys.service import HubKeys
from hub.database.engine import Database
from hub.errors import RejectedError, SetupError
from hub.keys import SigningKeys, load_signing_keys, new_api_key
from hub.telemetry.log import Log
from schemas import codec, signing
from schemas.codec import ContractError, decode_keys
from schemas.messages import Receipt
from schemas.topics import Channel
from tests.support.factories import add_client

NAMES = ["command.key", "root.key"]


class OneHub:
    """What a hub does with its data folder at a start."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.keys_folder = folder / "keys"
        self.admin_key = folder / "admin.key"
        self.keys = SigningKeys(self.keys_folder)
        self.hub_keys = HubKeys(database, self.keys, Log())
        self.access = Access(database, Log())

    async def start(self) -> "OneHub":
        await self.hub_keys.establish()
        await self.access.ensure_administrator(self.admin_key)
        await self.key_list()
        return self

    async def key_list(self) -> bytes:
        """What it publishes at a connection to the broker."""
        async with self.database.connection() as connection:
            return self.keys.key_list(await self.database.now(connection))

    def key(self) -> str:
        return self.admin_key.read_text().strip()

    def files(self) -> dict[str, bytes]:
        """By their names; of the list of keys, which is signed anew at each connection, the keys."""
        return {
            str(file.relative_to(self.folder)): listed(file) if file.name == "keys.signed" else file.read_bytes()
            for file in self.folder.rglob("*")
            if file.is_file()
        }


def listed(file: Path) -> bytes:
    """The ids of a list's keys."""
    frame = codec.split_frame(file.read_bytes())
    assert frame is not None
    return " ".join(key.kid for key in decode_keys(frame.body).keys).encode()


async def shared(database: Database) -> dict[str, Any]:
    """All that hubs share about keys."""
    async with database.connection() as connection:
        keys = await (await connection.execute("SELECT * FROM hub_keys ORDER BY purpose")).fetchall()
        api_keys = await (await connection.execute("SELECT * FROM api_keys ORDER BY id")).fetchall()
    return {"keys": keys, "api_keys": [{**row, "last_used_at": None} for row in api_keys]}


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Callable[[str], OneHub]:
    return lambda name: OneHub(database, tmp_path / name)


async def test_a_second_hub_without_the_administrators_key_starts_and_revokes_nothing(
    hub: Callable[[str], OneHub], capfd: pytest.CaptureFixture[str]
) -> None:
    one = await hub("one").start()
    before = await shared(one.database)
    shutil.copytree(one.keys_folder, hub("two").keys_folder)

    two = await hub("two").start()

    assert (await one.access.authenticate(one.key())).principal.role == "admin"
    assert not two.admin_key.exists()
    assert "key.not_here" in "".join(capfd.readouterr())
    for name in ("one", "two", "one", "two"):
        files = hub(name).files()
        await hub(name).start()
        assert hub(name).files() == files
    assert await shared(one.database) == before


async def test_an_administrators_key_that_is_another_ones_is_left_alone(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    before = await shared(one.database)
    shutil.copytree(one.folder, hub("two").folder)
    hub("two").admin_key.write_text(new_api_key().text)
    files = hub("two").files()

    await hub("two").start()

    assert hub("two").files() == files
    assert await shared(one.database) == before


async def test_a_folder_that_has_served_another_database_keeps_its_keys_for_an_empty_one(
    hub: Callable[[str], OneHub],
) -> None:
    load_signing_keys(hub("one").keys_folder)
    hub("one").admin_key.write_text(f"{(mine := new_api_key()).text}\n")
    hub("one").admin_key.chmod(0o600)
    files = hub("one").files()

    one = await hub("one").start()

    assert {name: content for name, content in one.files().items() if name in files} == files
    assert (await one.access.authenticate(mine.text)).principal.role == "admin"


@pytest.mark.parametrize("lost", [NAMES, NAMES[:1], NAMES[1:]], ids=["both", "command", "root"])
@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "of the version before"])
async def test_missing_keys_over_a_database_in_use_are_refused_and_nothing_is_written(
    hub: Callable[[str], OneHub], lost: list[str], recorded: bool
) -> None:
    one = await hub("one").start()
    if not recorded:
        async with one.database.connection() as connection:
            await connection.execute("DELETE FROM hub_keys")
    before = await shared(one.database)
    for name in lost:
        (one.keys_folder / name).unlink()
    files = one.files()

    with pytest.raises(SetupError, match=" and no ".join(sorted(lost, reverse=True))) as refused:
        await hub("one").start()

    assert "Nothing was changed" in str(refused.value)
    assert "백업" in refused.value.korean
    assert one.files() == files
    assert await shared(one.database) == before


@pytest.mark.parametrize("name", NAMES)
async def test_other_keys_are_refused(hub: Callable[[str], OneHub], name: str) -> None:
    one = await hub("one").start()
    other = hub("other")
    load_signing_keys(other.keys_folder)
    shutil.copy2(other.keys_folder / name, one.keys_folder / name)
    files = one.files()
    before = await shared(one.database)

    with pytest.raises(SetupError, match=f"is not this hub's {name.removesuffix('.key')} key"):
        await hub("one").start()

    assert one.files() == files
    assert await shared(one.database) == before


async def test_a_database_of_the_version_before_takes_the_keys_that_are_there(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    await add_client(one.database, "front-desk")
    before = await shared(one.database)
    async with one.database.connection() as connection:
        await connection.execute("DELETE FROM hub_keys")
    files = one.files()

    await hub("one").start()

    after = await shared(one.database)
    assert [row["public_key"] for row in after["keys"]] == [row["public_key"] for row in before["keys"]]
    assert one.files() == files


async def test_of_hubs_that_start_together_with_folders_of_their_own_one_wins(hub: Callable[[str], OneHub]) -> None:
    started = await asyncio.gather(*(hub(f"hub-{n}").start() for n in range(6)), return_exceptions=True)

    won = [one for one in started if isinstance(one, OneHub)]
    assert len(won) == 1
    assert [type(one) for one in started].count(SetupError) == 5
    assert [one.folder.exists() for one in map(hub, (f"hub-{n}" for n in range(6)))].count(True) == 1
    assert (await won[0].access.authenticate(won[0].key())).principal.role == "admin"


async def test_hubs_that_start_together_on_one_folder_have_the_same_keys(hub: Callable[[str], OneHub]) -> None:
    started = await asyncio.gather(*(hub("one").start() for _ in range(6)))

    assert len({(one.keys.root_public_key, one.keys.signer.kid) for one in started}) == 1
    assert (await started[0].access.authenticate(started[0].key())).principal.role == "admin"
    assert len((await shared(started[0].database))["api_keys"]) == 1


# --- replacing them -------------------------------------------------------------------------------------------


async def replace(one: OneHub, *purposes: str) -> None:
    async with one.database.transaction() as connection:
        await one.hub_keys.replace(connection, *purposes)
    await one.hub_keys.settle()


async def test_a_new_command_key_comes_with_a_list_that_agents_take(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    root = one.keys.root_public_key
    lists = [await one.key_list()]
    kids = [one.keys.signer.kid]
    for _ in range(2):
        await replace(one, "command")
        lists.append(await one.key_list())
        kids.append(one.keys.signer.kid)

    # Also when the list was lost meanwhile.
    (one.keys_folder / "keys.signed").unlink()
    await hub("one").start()

    opened = [decode_keys(signing.open_signed(payload, signing.decode_key(root), signing.KEYS)) for payload in lists]
    assert [[key.kid for key in keys.keys] for keys in opened] == [[kid] for kid in kids]
    assert len(set(kids)) == 3
    assert [keys.version for keys in opened] == sorted({keys.version for keys in opened})


def obeys(agent: Trust, one: OneHub, now: datetime) -> bool:
    """Whether an agent with this trust obeys what this hub signs."""
    receipt = Receipt(client_id="front-desk", report_ids=[], hub_time=now)
    try:
        agent.open(Channel.RECEIPTS, one.keys.signer.sign(signing.RECEIPT, codec.encode(receipt)), now.timestamp())
    except ContractError:
        return False
    return True


@pytest.mark.parametrize("adopted", [False, True], ids=["restored", "adopted"])
@pytest.mark.parametrize("rotations", [1, 3])
@pytest.mark.parametrize("listed_days_ago", [0, 400], ids=["new", "old"])
async def test_agents_obey_a_hub_whose_keys_are_again_those_of_a_backup(
    hub: Callable[[str], OneHub], adopted: bool, rotations: int, listed_days_ago: int
) -> None:
    one = await hub("one").start()
    async with one.database.connection() as connection:
        now = await one.database.now(connection)
    # The list of the backup is as old as the backup.
    one.keys.key_list(now - timedelta(days=listed_days_ago))
    agent = Trust(signing.decode_key(one.keys.root_public_key))
    agent.learn(await one.key_list(), now.timestamp())
    public = await store_known(one)
    shutil.copytree(one.folder, backup := hub("backup").folder)
    for _ in range(rotations):
        await replace(one, "command")
        agent.learn(await one.key_list(), now.timestamp())
    assert obeys(agent, one, now)

    again = hub("one")
    shutil.rmtree(one.folder)
    shutil.copytree(backup, again.folder)
    async with one.database.transaction() as connection:
        if adopted:
            await again.hub_keys.adopt(connection)
        else:
            await store.record(connection, public)
    await again.start()
    # A restore takes longer than this test: the hub connects to the broker some seconds later.
    assert not obeys(agent, again, now)
    agent.learn(again.keys.key_list(now + timedelta(seconds=5)), now.timestamp())

    assert obeys(agent, again, now)


async def test_a_clock_that_is_set_back_lowers_no_list(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    agent = Trust(signing.decode_key(one.keys.root_public_key))
    now = datetime(2031, 5, 6, tzinfo=UTC)
    agent.learn(one.keys.key_list(now), now.timestamp())
    before = now - timedelta(days=900)

    agent.learn(one.keys.key_list(before), before.timestamp())
    await replace(one, "command")
    agent.learn(one.keys.key_list(before), before.timestamp())

    assert obeys(agent, one, before)


async def test_a_list_of_a_hub_that_does_not_know_of_new_keys_is_below_theirs(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    shutil.copytree(one.folder, hub("two").folder)
    two = await hub("two").start()
    agent = Trust(signing.decode_key(one.keys.root_public_key))
    async with one.database.connection() as connection:
        now = await one.database.now(connection)
    await replace(one, "command")
    agent.learn(one.keys.key_list(now + timedelta(seconds=9)), now.timestamp())

    with pytest.raises(ContractError, match="older"):
        agent.learn(two.keys.key_list(now), now.timestamp())

    assert obeys(agent, one, now)


async def test_a_running_hub_whose_keys_were_replaced_ends(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    await one.hub_keys.check()
    shutil.copytree(one.folder, hub("two").folder)
    two = await hub("two").start()

    await replace(two, "command")

    with pytest.raises(SetupError, match=r"were replaced while this process ran\..* copy keys/") as refused:
        await one.hub_keys.check()
    assert "복사" in refused.value.korean
    await two.hub_keys.check()
    with pytest.raises(SetupError, match="not this hub's command key"):
        await hub("one").start()
    shutil.copytree(two.keys_folder, one.keys_folder, dirs_exist_ok=True)
    with pytest.raises(SetupError, match="has the new ones: start again") as refused:
        await one.hub_keys.check()
    assert "복사" not in refused.value.korean
    await hub("one").start()


@pytest.mark.parametrize("lost", [True, False])
async def test_a_new_root_key_takes_the_place_of_a_lost_one(hub: Callable[[str], OneHub], lost: bool) -> None:
    one = await hub("one").start()
    root = one.keys.root_public_key
    if lost:
        shutil.rmtree(one.keys_folder)

    await replace(one, "root", "command")

    again = await hub("one").start()
    assert again.keys.root_public_key != root
    assert (await store_known(again))["root"] == again.keys.root_public_key


async def test_a_command_key_is_not_replaced_without_the_hubs_root_key(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    before = await shared(one.database)
    (one.keys_folder / "root.key").unlink()
    with pytest.raises(SetupError, match=r"no root\.key"):
        await replace(one, "command")
    load_signing_keys(one.keys_folder)
    with pytest.raises(SetupError, match="not this hub's root key"):
        await replace(hub("one"), "command")
    assert await shared(one.database) == before


async def test_keys_of_a_folder_become_the_hubs_when_a_person_says_so(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    load_signing_keys(hub("two").keys_folder)
    with pytest.raises(SetupError):
        await hub("two").start()

    two = hub("two")
    async with two.database.transaction() as connection:
        await two.hub_keys.adopt(connection)

    await hub("two").start()
    with pytest.raises(SetupError, match="replaced while"):
        await one.hub_keys.check()


async def store_known(one: OneHub) -> dict[str, str]:
    async with one.database.connection() as connection:
        return await store.known(connection)


async def test_a_new_administrators_key_ends_the_one_of_before(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    old = one.key()
    one.admin_key.unlink()

    await one.access.replace_administrator_key(one.admin_key)

    assert (await OneHub(one.database, one.folder).access.authenticate(one.key())).principal.role == "admin"
    with pytest.raises(RejectedError):
        await OneHub(one.database, one.folder).access.authenticate(old)
    assert one.admin_key.stat().st_mode & 0o777 == 0o600


async def test_what_waits_for_the_broker_is_sealed_again_or_said_to_be_lost(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    old = load_signing_keys(one.keys_folder)
    insert = "INSERT INTO broker_outbox (at, client_id, change, sealed_secret) VALUES (floorhub_now(), 'a', 'put', %s)"
    async with one.database.connection() as connection:
        await connection.execute(insert, (old.seal("the secret"),))
        await connection.execute(insert, (b"of another key, sealed long ago, and nobody has it",))
    async with one.database.transaction() as connection:
        await one.hub_keys.replace(connection, "command")
        await broker_store.seal_again(connection, old.unseal, one.keys.seal)

    async with one.database.transaction() as connection:
        changes = await broker_store.open_changes(connection, 20, one.keys.unseal)
        assert [change.secret for change in changes] == ["the secret", None]


# --- files that are not as they should be ---------------------------------------------------------------------


def others_read(file: Path) -> None:
    file.chmod(0o666)


def group_reads(file: Path) -> None:
    file.chmod(0o640)


def a_link(file: Path) -> None:
    real = file.with_name("real")
    file.rename(real)
    file.symlink_to(real)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir(mode=0o700)


def another_owner(file: Path) -> None:
    os.chown(file, 65_534, -1)


def group_writes_the_folder(file: Path) -> None:
    file.parent.chmod(0o770)


def the_folder_is_a_link(file: Path) -> None:
    a_link(file.parent)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20])


def no_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\0garbage")


def zeros(file: Path) -> None:
    file.write_text("00" * 32)


def counted(file: Path) -> None:
    file.write_text(bytes(range(32)).hex())


def the_root_key(file: Path) -> None:
    file.write_bytes((file.parent / "root.key").read_bytes())


# Only root gives files away.
AWAY: list[Callable[[Path], None]] = [another_owner] if os.geteuid() == 0 else []
BOTH: list[Callable[[Path], None]] = [others_read, group_reads, a_link, a_folder, *AWAY]
DAMAGES: list[Callable[[Path], None]] = [empty, truncated, no_text]
CASES = [
    *((name, spoil) for name in ("keys/root.key", "keys/command.key", "admin.key") for spoil in (*BOTH, *DAMAGES)),
    *(("keys/data.key", spoil) for spoil in (*BOTH, *DAMAGES)),
    *(("keys/root.key", spoil) for spoil in (group_writes_the_folder, the_folder_is_a_link, zeros, counted)),
    ("keys/command.key", zeros),
    ("keys/command.key", the_root_key),
    *(("keys/keys.signed", spoil) for spoil in (others_read, a_link, *AWAY)),
    *((f"keys/{name}", others_read) for name in ("broker-accounts.json", "postgres-18.json")),
]


@pytest.mark.parametrize(("name", "spoil"), CASES, ids=[f"{name}-{spoil.__name__}" for name, spoil in CASES])
async def test_files_that_others_may_have_touched_or_that_are_damaged_are_refused_by_name(
    hub: Callable[[str], OneHub], name: str, spoil: Callable[[Path], None]
) -> None:
    one = await hub("one").start()
    before = await shared(one.database)
    file = one.folder / name
    if not file.exists():
        file.touch(0o600)
    spoil(file)

    with pytest.raises(SetupError) as refused:
        await hub("one").start()

    assert str(file) in str(refused.value) or str(file.parent) in str(refused.value)
    assert refused.value.korean != str(refused.value)
    assert await shared(one.database) == before
