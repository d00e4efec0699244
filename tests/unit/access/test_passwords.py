"""Which passwords are taken, how many are hashed at a time, and by what failures are counted."""

import asyncio
import threading
from types import SimpleNamespace
from unicodedata import normalize

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from hub.core.access.rules import is_login, login_of, password_fault
from hub.core.access.service import passwords as subject
from hub.core.access.service.passwords import MOST_WAITING, Passwords
from hub.core.access.service.throttle import _buckets
from hub.errors import UnavailableError


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_too_short"),
        ("seven77", "password_too_short"),
        ("일곱글자암호다", "password_too_short"),
        ("x" * 257, "password_too_long"),
        ("password", "password_too_common"),
        ("PassWord123!", "password_too_common"),
        ("floorhub", "password_too_common"),
        ("Floorhub2026!", "password_too_common"),
        ("12345678", "password_too_common"),
        ("1234567890", "password_too_common"),
        ("87654321", "password_too_common"),
        ("abcdefghij", "password_too_common"),
        ("aaaaaaaaaaaa", "password_too_common"),
        ("abababababab", "password_too_common"),
        ("mina.kim", "password_like_login"),
        ("Mina.Kim1", "password_like_login"),
        ("mina.kim@shop.example", "password_like_login"),
        ("correct horse battery", None),
        ("여덟글자암호입니다", None),
        ("tr0ub4dor&3", None),
        ("x1" * 4 + "y" * 248, None),
    ],
)
def test_length_counts_and_what_is_tried_first_is_refused(password: str, code: str | None) -> None:
    fault = password_fault(password, "mina.kim@shop.example")
    assert (fault and fault[0]) == code


def test_a_login_has_one_form() -> None:
    assert login_of("  Mina.Kim@Shop.example ") == "mina.kim@shop.example"
    for right in ("a", "mina", "mina.kim+1@shop.example", "0-9_x", "x" * 64):
        assert is_login(right), right
    for wrong in ("", ".a", "-a", "a b", "a\n", "x" * 65, "김미나", "a/b", "a\0", "Mina", "a;b"):
        assert not is_login(wrong), wrong


async def test_a_hash_fits_its_password_in_either_form_and_nobody_else() -> None:
    hasher = Passwords()
    known = await hasher.hash("비밀번호 열두자")
    assert known.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    decomposed = normalize("NFD", "비밀번호 열두자")
    assert decomposed != "비밀번호 열두자"
    assert await hasher.verify(known, decomposed)
    assert not await hasher.verify(known, "비밀번호 열두자 ")
    assert not await hasher.verify(None, "비밀번호 열두자")
    assert not await hasher.verify("not a hash", "비밀번호 열두자")
    assert not hasher.is_outdated(known)
    assert hasher.is_outdated(known.replace("t=1", "t=2"))


async def test_who_has_no_password_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Passwords()
    known = await hasher.hash("right")
    worked: list[str] = []

    def verify(hashed: str, password: str) -> bool:
        worked.append(hashed)
        return bool(PasswordHasher().verify(hashed, password))

    monkeypatch.setattr(subject, "_HASHER", SimpleNamespace(verify=verify))
    for hashed in (known, None):
        assert not await hasher.verify(hashed, "wrong")
    mine, nobodys = (extract_parameters(one) for one in worked)
    assert mine == nobodys
    with pytest.raises(VerifyMismatchError):  # an invalid one would be refused at once
        PasswordHasher().verify(worked[1], "wrong")


async def test_few_hash_at_a_time_and_a_bounded_number_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, release, lock = 0, 0, threading.Event(), threading.Lock()

    def slow(known: str, _password: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(30)
        with lock:
            running -= 1
        return known == "right"

    monkeypatch.setattr(subject, "_is_right", slow)
    hasher = Passwords()
    waiting = [asyncio.create_task(hasher.verify("right", "x")) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError) as refused:
        await hasher.verify("right", "x")
    assert (refused.value.code, refused.value.retry_after_s) == ("overloaded", 2)
    # Whoever hangs up still counts: the thread goes on.
    waiting[-1].cancel()
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await hasher.verify("right", "x")
    release.set()
    assert all(await asyncio.gather(*waiting[:-1]))
    assert most == subject.AT_A_TIME
    assert await hasher.verify("right", "x")


def test_failures_are_counted_by_what_a_stranger_cannot_choose() -> None:
    def keys(login: str, address: str | None) -> set[bytes]:
        return {bucket.key for bucket in _buckets(login, address, was_here=False)}

    assert len(keys("mina", "10.0.0.1")) == 3
    assert len(keys("mina", "10.0.0.1") & keys("jun", "10.0.0.1")) == 1
    assert len(keys("mina", "10.0.0.1") & keys("mina", "10.0.0.2")) == 1
    assert not keys("mina", "10.0.0.1") & keys("jun", "10.0.0.2")
    here = {bucket.key for bucket in _buckets("mina", "10.0.0.1", was_here=True)}
    assert here < keys("mina", "10.0.0.1")
    assert not here & keys("mina", "10.0.0.2"), "what strangers do elsewhere does not count where she was"
    assert keys("mina", "2001:db8:1:2::1") == keys("mina", "2001:db8:1:2:ffff::9")
    assert len(keys("mina", "2001:db8:1:2::1") & keys("mina", "2001:db8:1:3::1")) == 1
    assert keys("mina", None) == keys("mina", "no address")
    # As a hub sees callers of IPv4 that listens at an address of IPv6.
    assert keys("mina", "::ffff:10.0.0.1") == keys("mina", "10.0.0.1")
    assert not keys("mina", "::ffff:10.0.0.1") & keys("jun", "::ffff:10.0.0.2")
