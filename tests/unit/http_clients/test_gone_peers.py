"""A caller that is gone without a word is noticed by what its network stack does not acknowledge."""

import contextlib
import socket

from hub.runtime import GONE_MS, _listen
from tests.support.hubs import settings


def test_each_connection_is_given_up_when_nothing_is_acknowledged() -> None:
    with (
        contextlib.closing(_listen(settings(port=0, host="127.0.0.1"))) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == GONE_MS
