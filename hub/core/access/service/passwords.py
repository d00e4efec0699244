"""Hashing passwords: in threads, so few at a time that the memory is bounded, and with a bound on who waits."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.api.text import normal
from hub.core.access.rules import password_fault
from hub.errors import FieldProblem, RejectedError, UnavailableError

Done = TypeVar("Done")

AT_A_TIME = 2
"""Each takes 46 MiB while it runs."""
MOST_WAITING = 32
"""With those that run: about a second's work."""
# Argon2id with one of OWASP's equal choices: 46 MiB, one pass, one lane.
_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_NOBODY = "$argon2id$v=19$m=47104,t=1,p=1$F2L/pd2m0tx8rpZ9QrZCFw$fV0yB8nZt2pJxVbXvW3uM2r3GSp1rbhyhcEM4tnxNlo"
"""A hash that no password has, for those without one: they cost the same time."""


class Passwords:
    """The hasher of this process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="password")
        self._under_way = 0

    async def hash(self, password: str) -> str:
        """The hash to be stored. Raises UnavailableError when too many wait."""
        return await self._run(partial(_HASHER.hash, normal(password)))

    async def verify(self, known: str | None, password: str) -> bool:
        """Whether it is the password of a hash; None is nobody's, and takes the same time. Raises UnavailableError."""
        right = await self._run(partial(_is_right, known or _NOBODY, normal(password)))
        return right and known is not None

    @staticmethod
    def is_outdated(known: str) -> bool:
        """Whether a hash has other parameters than new ones get."""
        return _HASHER.check_needs_rehash(known)

    async def _run(self, work: partial[Done]) -> Done:
        if self._under_way >= MOST_WAITING:
            raise UnavailableError("overloaded", retry_after_s=2)
        self._under_way += 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        running.add_done_callback(self._done)
        # Shielded: a thread cannot be stopped, and counts until it is done.
        return await asyncio.shield(running)

    def _done(self, running: asyncio.Future[Done]) -> None:
        self._under_way -= 1
        if not running.cancelled():
            running.exception()  # whoever waited has it, or hung up


def require_good(password: str, login: str, field: str) -> None:
    """Raise RejectedError when a new password is not taken; `field` is what the request calls it."""
    if fault := password_fault(normal(password), login):
        code, params = fault
        raise RejectedError("validation_error", fields=(FieldProblem(field, code, params),))


def _is_right(known: str, password: str) -> bool:
    try:
        return _HASHER.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False
