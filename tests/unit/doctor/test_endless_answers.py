"""A server whose answer never ends is given up as a whole, not read by read; an address that is none is named."""

import asyncio

import pytest

from hub.programs import bounded_http
from hub.programs.cli import api
from hub.programs.doctor import examination
from schemas.findings import Level
from tests.support.dripping import HEADERS, dripping

ENDLESS = pytest.mark.parametrize(
    ("begin", "drop"),
    [(HEADERS + b"\r\n", b" "), (HEADERS, b"X-More: y\r\n"), (b"", b"H")],
    ids=["body", "headers", "line"],
)
SOON_S = 0.4


@ENDLESS
def test_the_doctor_gives_it_up(monkeypatch: pytest.MonkeyPatch, begin: bytes, drop: bytes) -> None:
    monkeypatch.setattr(examination, "HUB_S", SOON_S)
    with dripping(begin, drop) as url:
        running, (finding,) = asyncio.run(examination.check_hub(url))
    assert (running, finding.code) == (None, "hub_stopped")


@ENDLESS
def test_the_command_line_gives_it_up_as_unreachable(
    monkeypatch: pytest.MonkeyPatch, begin: bytes, drop: bytes
) -> None:
    monkeypatch.setattr(api, "QUESTION_S", SOON_S)
    with dripping(begin, drop) as url, api.Api(url, "k") as hub, pytest.raises(api.ApiError) as caught:
        hub.get("/api/clients")
    assert caught.value.exit_code == 4
    assert "no complete answer" in str(caught.value)


def test_a_change_is_given_up_after_the_time_that_it_may_take() -> None:
    with (
        dripping(HEADERS + b"\r\n", b" ") as url,
        api.Api(url, "k", patience_s=SOON_S) as hub,
        pytest.raises(api.ApiError, match="no complete answer"),
    ):
        hub.post("/api/commands", {}, wait=0.1)


def test_an_answer_without_end_is_not_kept_as_a_whole() -> None:
    async def ask(url: str) -> None:
        await bounded_http.get(url, within_s=20, most=1_000)

    with dripping(HEADERS + b"\r\n", b" " * 600) as url, pytest.raises(bounded_http.TooLargeError):
        asyncio.run(ask(url))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999999", "http://[::1", "ftp://hub", "hub:8080", "\x1b[31m", "http://u:CANARY#x@hub"]
)
def test_an_address_that_is_none_is_a_problem_and_is_not_repeated(url: str) -> None:
    running, (finding,) = asyncio.run(examination.check_hub(url))
    assert (running, finding.code, finding.level) == (None, "hub_url", Level.FAIL)
    assert "CANARY" not in str(finding)


def test_a_password_in_an_address_is_not_told() -> None:
    _, (finding,) = asyncio.run(examination.check_hub("http://user:CANARY@127.0.0.1:1"))
    assert finding.code == "hub_stopped"
    assert "CANARY" not in str(finding)
