"""Secrets in the database are sealed by `keys/data.key`: what is lost without it, and how a newer key takes over."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nacl.secret
import psycopg
import pytest

from hub.core.hub_keys import store
from hub.core.hub_keys.service import HubKeys
from hub.core.limits.service import Presence
from hub.database.engine import Database
from hub.errors import SetupError
from hub.keys import SigningKeys, read_data_keys
from hub.sealing import DataKeys, new_data_key, of_text, to_text
from hub.signals.notifications import Notifications
from hub.telemetry.log import Log


class OneHub:
    """What a hub does with its keys."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.keys = SigningKeys(folder)
        self.service = HubKeys(database, self.keys, Log())
        self.file = folder / "data.key"

    async def start(self) -> "OneHub":
        await self.service.establish()
        return self

    async def rotate(self, *, without_lost: bool = False) -> list[str]:
        async with self.database.transaction() as connection:
            return await self.service.add_data_key(connection, without_lost=without_lost)

    async def known(self) -> list[str]:
        async with self.database.connection() as connection:
            return list(await store.known_data(connection))


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Callable[[str], OneHub]:
    return lambda name: OneHub(database, tmp_path / name)


async def test_what_one_hub_seals_another_opens_with_the_folder_alone(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    sealed = one.keys.seal("the secret")
    assert b"the secret" not in sealed
    shutil.copytree(one.file.parent, hub("two").file.parent)
    two = await hub("two").start()
    assert two.keys.unseal(sealed) == "the secret"
    assert one.file.stat().st_mode & 0o777 == 0o600
    assert await one.known() == [one.keys.data.kid]


async def test_the_database_has_no_key(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    async with one.database.connection() as connection:
        rows = await (await connection.execute("SELECT row_to_json(d)::text AS row FROM data_keys d")).fetchall()
    [key] = read_data_keys(one.file.parent)
    assert key.key.hex() not in str(rows)
    assert key.fingerprint in str(rows)


async def test_a_key_that_is_missing_stops_the_start_and_makes_no_other(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    one.file.unlink()
    before = await one.known()
    with pytest.raises(SetupError, match=r"data.key does not have the key \w{8}.*rotate data --yes"):
        await hub("one").start()
    assert not one.file.exists()
    assert await one.known() == before


def another_key(file: Path) -> None:
    file.write_text(to_text([new_data_key()]))


def cut_off(file: Path) -> None:
    file.write_text(file.read_text()[:-10])


def a_changed_digit(file: Path) -> None:
    text = file.read_text().rstrip()
    file.write_text(text[:-1] + ("0" if text[-1] != "0" else "1"))


def nothing(file: Path) -> None:
    file.write_text("")


def others_read(file: Path) -> None:
    file.chmod(0o644)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (another_key, "does not have the key"),
        (cut_off, "is damaged"),
        (a_changed_digit, "is damaged"),
        (nothing, "is damaged"),
        (others_read, "Others can open"),
    ],
)
async def test_a_file_that_is_not_as_it_was_stops_the_start(
    hub: Callable[[str], OneHub], harm: Callable[[Path], None], sentence: str
) -> None:
    one = await hub("one").start()
    harm(one.file)
    before = one.file.read_text()
    with pytest.raises(SetupError, match=sentence) as refused:
        await hub("one").start()
    assert refused.value.korean != refused.value.sentence
    assert one.file.read_text() == before


async def test_a_new_key_seals_and_the_one_of_before_still_opens(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    old = one.keys.data.kid
    sealed = one.keys.seal("of before")
    assert await one.rotate() == []
    assert one.keys.data.kid != old
    again = await hub("one").start()
    assert again.keys.data.kid == one.keys.data.kid
    assert [again.keys.unseal(value) for value in (sealed, one.keys.seal("of now"))] == ["of before", "of now"]
    assert await again.known() == [again.keys.data.kid, old]


async def test_a_hub_that_runs_takes_the_new_key_or_stops(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    same_folder = await hub("one").start()
    shutil.copytree(one.file.parent, hub("two").file.parent)
    elsewhere = await hub("two").start()
    await one.rotate()
    await same_folder.service.check()
    assert same_folder.keys.data.kid == one.keys.data.kid
    with pytest.raises(SetupError, match="copy keys/"):
        await elsewhere.service.check()


async def test_a_rotation_that_was_interrupted_changes_nothing(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    kid = one.keys.data.kid
    async with one.database.transaction() as connection:
        await one.service.add_data_key(connection)
        raise psycopg.Rollback
    again = await hub("one").start()
    assert again.keys.data.kid == kid
    assert await again.known() == [kid]


async def test_a_lost_key_is_given_up_only_when_a_person_says_so(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    lost, sealed = one.keys.data.kid, one.keys.seal("gone")
    one.file.unlink()
    with pytest.raises(SetupError):
        await hub("one").rotate()
    assert await hub("one").rotate(without_lost=True) == [lost]
    again = await hub("one").start()
    assert again.keys.unseal(sealed) is None
    assert await again.known() == [again.keys.data.kid]


async def test_what_was_sealed_before_there_was_a_data_key_is_opened(hub: Callable[[str], OneHub]) -> None:
    one = await hub("one").start()
    one.keys.beside_previous = True
    as_before = one.keys.seal_for_broker("the secret")
    # As the version before opens it: a box of the command key, and nothing before it.
    assert len(as_before) == len("the secret") + nacl.secret.SecretBox.NONCE_SIZE + nacl.secret.SecretBox.MACBYTES
    one.keys.beside_previous = False
    assert one.keys.unseal(as_before) == "the secret"
    assert one.keys.seal_for_broker("the secret").startswith(b"fhd1:")


async def test_a_worker_of_the_version_before_is_noticed(database: Database) -> None:
    mine = Presence(database, frozenset({"worker"}))
    named = Notifications(database, "mine", named=True)
    await named.claim()
    await mine.beat()
    assert not mine.beside_previous
    # It takes a name, and says nothing in a table that it does not know.
    before = Notifications(database, "before", named=True)
    await before.claim()
    await mine.beat()
    assert mine.beside_previous
    await database.close()  # while those who hold names are still there


def test_a_value_that_was_changed_is_not_opened() -> None:
    keys = DataKeys([new_data_key()])
    sealed = keys.seal("the secret")
    assert keys.unseal(sealed) == "the secret"
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        assert keys.unseal(changed) is None
    assert keys.unseal(b"") is None


@pytest.mark.parametrize("text", ["", "# nothing\n", "abc", "12345678 zz", "12345678 " + "00" * 32])
def test_what_is_no_file_of_keys(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is made where the file is known
        of_text(text)


def test_a_file_of_keys_is_read_as_it_was_written() -> None:
    keys: list[Any] = [new_data_key() for _ in range(3)]
    assert of_text(to_text(keys)) == keys
    assert keys[0].key.hex() not in repr(keys)
