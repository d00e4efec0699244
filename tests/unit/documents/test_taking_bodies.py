"""Bodies on their way in: bounded in size and time, and gone when they do not come whole."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.core.documents.service.documents import Spool, take
from hub.errors import RejectedError


async def parts(*parts: bytes, then_hang: bool = False, for_ever: bool = False) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    while for_ever:
        await asyncio.sleep(0)
        yield b"x"
    if then_hang:
        await asyncio.Event().wait()


async def test_a_body_is_spooled_with_its_hash_and_gone_afterwards(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool").open() as spooled:
        await take(parts(b"a" * 10, b"b"), spooled, 11)
        assert (spooled.size, spooled.digest.digest()) == (11, hashlib.sha256(b"a" * 10 + b"b").digest())
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (parts(), "validation_error"),
        (parts(b"a" * 10, b"bc"), "document_too_large"),
        (parts(b"a", then_hang=True), "upload_stalled"),
        (parts(for_ever=True), "upload_stalled"),
    ],
    ids=["empty", "too large", "stalled", "a byte at a time"],
)
async def test_what_does_not_come_whole_is_refused(tmp_path: Path, body: AsyncIterator[bytes], code: str) -> None:
    most = 10**9 if code == "upload_stalled" else 11
    with Spool(tmp_path).open() as spooled, pytest.raises(RejectedError) as caught:
        await take(body, spooled, most, stalled_s=0.05, whole_s=0.1, least_rate=10**9)
    assert caught.value.code == code


async def test_a_large_body_may_take_as_long_as_it_comes(tmp_path: Path) -> None:
    """It takes longer than the bound for one of which little comes."""
    before_s = asyncio.get_running_loop().time()

    async def steadily() -> AsyncIterator[bytes]:
        yield b"xx"  # pays for a process that gets no turn for a second
        while asyncio.get_running_loop().time() < before_s + 0.3:
            await asyncio.sleep(0)
            yield b"x"

    with Spool(tmp_path).open() as spooled:
        await take(steadily(), spooled, 10**9, stalled_s=30, whole_s=0.1, least_rate=1)
        assert spooled.size > 1
