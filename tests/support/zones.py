"""The zone of the clock on the wall, for what is shown in local time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def in_zone(name: str) -> Iterator[None]:
    """This process is in a zone, such as `KST-9` (Seoul) or `UTC`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        yield
    time.tzset()
