"""A name that nobody resolves: told with what to do, however deep the library wraps it."""

import socket

import pytest

from schemas.network_words import about_names, is_about_name


def test_a_name_is_found_to_be_the_reason_behind_other_exceptions() -> None:
    inner = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    raised, during = RuntimeError("connect"), RuntimeError("connect")
    raised.__cause__, during.__context__ = inner, RuntimeError("again")
    during.__context__.__cause__ = inner

    assert all(map(is_about_name, (inner, raised, during)))
    assert not any(map(is_about_name, (RuntimeError("Name or service not known"), ConnectionRefusedError(111, "no"))))


@pytest.mark.parametrize(("host", "mdns"), [("shop-pc.local", True), ("Shop.LOCAL.", True), ("hub.example", False)])
def test_what_to_do_fits_the_name(host: str, mdns: bool) -> None:
    for said in about_names(host):
        assert host in said
        assert ("avahi-daemon" in said) is mdns
        assert ("DNS" in said) is not mdns
