"""One stage for the module of tests that uses it: two hubs, and every line can be broken."""

from collections.abc import Iterator

import pytest

from tests.support.testbed import Stage, running


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with running(agents=2) as stage:
        stage.wait_hubs(30)
        yield stage
