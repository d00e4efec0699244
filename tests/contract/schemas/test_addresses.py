"""Addresses as people write them: understood in every usual form, and otherwise refused with what to write."""

import pytest

from schemas.addresses import AddressError, read_address


@pytest.mark.parametrize(
    ("text", "host", "port", "authority", "named"),
    [
        ("https://Hub.Example", "hub.example", None, "hub.example", "hub.example"),
        ("https://hub.example.:8443/", "hub.example", 8443, "hub.example:8443", "hub.example:8443"),
        ("https://hub.example:", "hub.example", None, "hub.example", "hub.example"),
        ("mqtt://192.0.2.10:1883", "192.0.2.10", 1883, "192.0.2.10:1883", "192.0.2.10:1883"),
        ("mqtt://[::1]", "::1", None, "[::1]", "[::1]"),
        ("mqtt://[2001:DB8:0::1]:99", "2001:db8::1", 99, "[2001:db8::1]:99", "[2001:db8::1]:99"),
        ("socket://[fe80::1%25eth0]:9100", "fe80::1%eth0", 9100, "[fe80::1%25eth0]:9100", "[fe80::1]:9100"),
        ("socket://[fe80::1%eth0]:9100", "fe80::1%eth0", 9100, "[fe80::1%25eth0]:9100", "[fe80::1]:9100"),
        ("socket://[fe80::1%3]", "fe80::1%3", None, "[fe80::1%253]", "[fe80::1]"),
        (
            "ipp://프린터.example/x",
            "xn--sy2bu34b7vc.example",
            None,
            "xn--sy2bu34b7vc.example",
            "xn--sy2bu34b7vc.example",
        ),
        ("ipp://label_printer/x", "label_printer", None, "label_printer", "label_printer"),
    ],
)
def test_host_and_port(text: str, host: str, port: int | None, authority: str, named: str) -> None:
    address = read_address(text)
    assert (address.host, address.port, address.authority(), address.named) == (host, port, authority, named)


def test_a_name_in_two_normal_forms_is_one_path() -> None:
    decomposed = "ipp://a/printers/\u1105\u1161\u1107\u1166\u11af"
    assert read_address(decomposed).path == read_address("ipp://a/printers/라벨").path == "/printers/%EB%9D%BC%EB%B2%A8"
    assert read_address("ipp://a/printers/%EB%9D%BC%EB%B2%A8").path == "/printers/%EB%9D%BC%EB%B2%A8"


@pytest.mark.parametrize("written", ["p@ss", "p%40ss"])
def test_a_login_is_read_and_never_shown(written: str) -> None:
    address = read_address(f"ipp://shop:{written}@192.0.2.10/ipp/print")
    assert (address.user, address.password, address.host) == ("shop", "p@ss", "192.0.2.10")
    assert "shop" not in f"{address!r}{address.url}{address.named}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hub.example:8443", "must begin with a scheme"),
        ("socket:9100", "must begin with a scheme"),
        ("ipp:///x", "names no host"),
        ("ipp://:631/x", "names no host"),
        ("ipp://[::1/ipp", "between [ and ]"),
        ("ipp://[::1]x/ipp", "between [ and ]"),
        ("ipp://[office]/ipp", "no IPv6 address between its brackets"),
        ("socket://fe80::1:9100", "needs brackets"),
        ("ipp://[fe80::1]/x", "needs its interface, such as [fe80::1%25eth0]"),
        ("ipp://[fe80::1%]/x", "interface of a link-local address is missing"),
        ("ipp://[fe80::1%25eth 0]/x", "space or an invisible character"),
        ("ipp://a\u200b/x", "space or an invisible character"),
        ("ipp://a/printers/my queue", "write %20"),
        ("ipp://a\n/x", "space or an invisible character"),
        ("ipp://a:0/x", "port must be a number"),
        ("ipp://a:99999/x", "port must be a number"),
        ("ipp://a:\uff1631/x", "port must be a number"),
        ("ipp://shop:secret/word@office/x", "in a password write / as %2F"),
        ("ipp://a/x#y", "write %23"),
        ("ipp://a..b/x", "no host's name"),
        ("ipp://-a/x", "no host's name"),
        ("ipp://a,b/x", "no host's name"),
        ("ipp://192.0.2.300/x", "four decimal numbers"),
        ("ipp://192.0.2/x", "four decimal numbers"),
        ("ipp://010.0.0.1/x", "four decimal numbers"),
        ("ipp://0x7f000001/x", "four decimal numbers"),
        (f"ipp://a/{'x' * 2_000}", "more than 2000 characters"),
    ],
)
def test_what_could_mean_two_things_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(AddressError) as problem:
        read_address(text)
    assert said in str(problem.value)
    assert "secret" not in str(problem.value)
    assert any("가" <= letter <= "힣" for letter in problem.value.korean)
    assert "secret" not in problem.value.korean
