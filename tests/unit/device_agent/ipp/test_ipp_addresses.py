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
    ],
)
def test_addresses(uri: str, shown: str, url: str) -> None:
    endpoint = parse_uri(uri)
    assert (endpoint.uri, endpoint.url, endpoint.user) == (shown, url, "")


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
