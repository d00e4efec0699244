"""The link with which a person becomes the first administrator: a file that only the hub's user may read."""

import asyncio
import contextlib
from pathlib import Path

from hub.core.access.service.people import People
from hub.core.access.telemetry import Event
from hub.keys import cannot_write, write_secret_file
from hub.telemetry.log import Log

PAGE = "/first-administrator"


class FirstLink:
    """The service. The link stands in no log: who may read the file, or the terminal, may become administrator."""

    def __init__(self, people: People, file: Path, log: Log) -> None:
        self._people = people
        self._file = file
        self._log = log

    async def write(self, url: str) -> None:
        """Write a new link for a hub at `url`; remove the one of before when an administrator can sign in. Raises
        SetupError."""
        link = await self._people.first_link()
        try:
            if link is None:
                await self.remove()
                return
            # After `#`, which browsers send to nobody.
            await asyncio.to_thread(write_secret_file, self._file, f"{url}{PAGE}#token={link.token}\n")
        except OSError as problem:
            raise cannot_write(self._file, problem) from None
        self._log.info(Event.FIRST_ADMINISTRATOR, file=str(self._file), expires_at=link.expires_at.isoformat())

    async def remove_when_over(self) -> None:
        """Remove the link when an administrator can sign in, however that came about. Raises UnavailableError."""
        with contextlib.suppress(OSError):  # it opens nothing any more, whether it can be removed or not
            if await asyncio.to_thread(self._file.exists) and await self._people.has_administrator():
                await self.remove()

    async def remove(self) -> None:
        """Remove the link, which is no good any more. Raises OSError."""
        await asyncio.to_thread(self._file.unlink, missing_ok=True)
