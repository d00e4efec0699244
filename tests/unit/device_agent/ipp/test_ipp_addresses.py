"""Where a printer is, and what a job is called there."""

import pytest

from device_agent.ipp.client import job_name
from device_agent.ipp.transport import parse_uri


@pytest.mark.parametrize(
    ("uri", "shown", "url"),
    [
        ("ipp://office/ipp/print", "ipp://office:631/ipp/print", "http://office:631/ipp/print"),
        ("ipps://office/", "ipps://office:631/", "https://office:631/"),
        ("ipp://office", "ipp://office:631/", "http://office:631/"),
        ("http://office:8631/printers/A", "http://office:8631/printers/A", "http://office:8631/printers/A"),
        ("https://office/x", "https://office:443/x", "https://office:443/x"),
        ("ipp://[::1]:99/x", "ipp://[::1]:99/x", "http://[::1]:99/x"),
        ("IPP://Office.Local./ipp/print", "ipp://office.local:631/ipp/print", "http://office.local:631/ipp/print"),
        ("ipp://[FE80::1%25eth0]/x", "ipp://[fe80::1%25eth0]:631/x", "http://[fe80::1%eth0]:631/x"),
        ("ipp://[fe80::1%eth0]:99/x", "ipp://[fe80::1%25eth0]:99/x", "http://[fe80::1%eth0]:99/x"),
        (
            "ipp://a/printers/라벨",
            "ipp://a:631/printers/%EB%9D%BC%EB%B2%A8",
            "http://a:631/printers/%EB%9D%BC%EB%B2%A8",
        ),
        ("ipp://a/x?waitjob=false", "ipp://a:631/x?waitjob=false", "http://a:631/x?waitjob=false"),
    ],
)
def test_addresses(uri: str, shown: str, url: str) -> None:
    endpoint = parse_uri(uri)
    assert (endpoint.uri, endpoint.url, endpoint.user) == (shown, url, "")


def test_the_interface_of_a_link_local_address_is_not_told_to_the_printer() -> None:
    """RFC 6874 section 4: it means nothing to others, and some web servers refuse the request for it."""
    endpoint = parse_uri("ipp://[fe80::1%25eth0]/ipp/print")
    assert (endpoint.told, endpoint.host) == ("ipp://[fe80::1]:631/ipp/print", "[fe80::1]:631")


def test_credentials_are_used_and_never_shown() -> None:
    endpoint = parse_uri("ipps://shop:p%40ss@office/ipp/print")
    assert (endpoint.user, endpoint.password) == ("shop", "p@ss")
    assert "p@ss" not in endpoint.uri + endpoint.url + repr(endpoint)
    assert "shop" not in endpoint.uri


@pytest.mark.parametrize("uri", ["office", "lpd://office/x", "ipp:///x", "ipp://office:99999/", "ipp://[::1/"])
def test_what_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="uri"):
        parse_uri(uri)


def test_a_job_name_keeps_its_prefix_and_whole_characters() -> None:
    assert job_name("floorhub-1-1") == "floorhub-1-1"
    assert job_name("floorhub-1-1", "주문 42") == "floorhub-1-1 주문 42"
    name = job_name("floorhub-1-1", "주" * 200)
    assert name.startswith("floorhub-1-1 주")
    assert 252 < len(name.encode()) <= 255
