"""One testbed for the module of tests that uses it: two hubs, and every line can be broken."""

from collections.abc import Iterator

import pytest

from tests.support.testbed import Testbed, running


@pytest.fixture(scope="module")
def testbed() -> Iterator[Testbed]:
    with running(agents=2) as testbed:
        testbed.wait_hubs(30)
        yield testbed
