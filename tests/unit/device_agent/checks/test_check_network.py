"""What lies beyond the network: durations as people say them, and certificates by their exception, not by its words."""

import asyncio
import ssl
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from device_agent.checks.network import check_hub, judge_clock
from device_agent.config import parse
from device_agent.session import REFUSED, _refusal, is_about_certificate
from schemas.findings import Level, spell_duration
from tests.support.agent_config import LEAST

AWAY = "http://127.0.0.1:9"
"""Nobody listens there."""
DATE = "Sun, 29 Nov 2026 12:00:00 GMT"
AT = 1_795_953_600.0


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0, "0 seconds", "0초"),
        (1, "1 second", "1초"),
        (2.4, "2 seconds", "2초"),
        (60, "1 minute", "1분"),
        (90, "90 seconds", "90초"),
        (1_200, "20 minutes", "20분"),
        (3_600, "1 hour", "1시간"),
        (7_300, "2 hours", "2시간"),
        (86_400, "1 day", "1일"),
        (172_800, "2 days", "2일"),
        (172_799, "2 days", "2일"),
        (130_000, "36 hours", "36시간"),
        (400 * 86_400, "400 days", "400일"),
    ],
)
def test_a_duration_is_said_in_the_largest_unit_that_fits(seconds: float, english: str, korean: str) -> None:
    assert spell_duration(seconds) == {"duration": english, "duration_ko": korean}


@pytest.mark.parametrize(
    ("shift_s", "english", "korean"),
    [
        (-2 * 86_400, "This machine's clock is 2 days behind the hub's.", "허브보다 2일 늦습니다."),
        (3_600 + 1, "This machine's clock is 1 hour ahead of the hub's.", "허브보다 1시간 빠릅니다."),
        (-301, "This machine's clock is 5 minutes behind the hub's.", "허브보다 5분 늦습니다."),
    ],
)
def test_a_wrong_clock_is_told_in_both_languages(shift_s: float, english: str, korean: str) -> None:
    finding = judge_clock(DATE, AT + shift_s, AT + shift_s)
    assert finding.code == "clock_wrong"
    assert finding.sentence(korean=False).startswith(english)
    assert korean in finding.sentence(korean=True)


def test_a_right_clock_is_told_by_the_second() -> None:
    finding = judge_clock(DATE, AT, AT + 1)
    assert finding.sentence(korean=False) == "This machine's clock and the hub's differ by at most 1 second."
    assert finding.sentence(korean=True).endswith("최대 1초입니다.")


def test_a_certificate_is_known_by_the_exception_behind_whatever_its_words_are() -> None:
    def wrapped(by_cause: bool) -> Exception:
        try:
            try:
                raise ssl.SSLCertVerificationError(1, "Zertifikat unbekannt")
            except ssl.SSLError as problem:
                raise aiomqtt.MqttError("TLS") from (problem if by_cause else None)
        except aiomqtt.MqttError as problem:
            return problem

    assert is_about_certificate(ssl.SSLCertVerificationError(1, "Zertifikat unbekannt"))
    assert is_about_certificate(wrapped(by_cause=True))
    assert is_about_certificate(wrapped(by_cause=False))
    assert not is_about_certificate(ssl.SSLError(1, "CERTIFICATE_VERIFY_FAILED, says the other side"))
    assert not is_about_certificate(aiomqtt.MqttError("[SSL: CERTIFICATE_VERIFY_FAILED]"))


def test_a_refusal_is_known_by_its_reason_code() -> None:
    for code, words in REFUSED.items():
        assert _refusal(aiomqtt.MqttCodeError(ReasonCode(PacketTypes.CONNACK, identifier=code))) == words
    assert _refusal(aiomqtt.MqttCodeError(ReasonCode(PacketTypes.CONNACK, identifier=0x88))) is None
    assert _refusal(aiomqtt.MqttError("Not authorized")) is None


async def answer_health(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    now = format_datetime(datetime.now(UTC), usegmt=True)
    writer.write(f'HTTP/1.1 200 OK\r\nDate: {now}\r\nContent-Length: 15\r\n\r\n{{"status":"ok"}}'.encode())
    writer.close()


async def test_one_of_several_hubs_that_answers_is_enough(tmp_path: Path) -> None:
    async with await asyncio.start_server(answer_health, "127.0.0.1", 0) as server:
        here = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        both = await check_hub(parse(LEAST | {"hub_url": [AWAY, here]}, tmp_path))
    none = await check_hub(parse(LEAST | {"hub_url": [AWAY, AWAY]}, tmp_path))
    assert [(finding.code, finding.level) for finding in both] == [
        ("hub_unreachable", Level.WARN),
        ("hub_ok", Level.OK),
        ("clock_ok", Level.OK),
    ]
    assert [(finding.code, finding.level) for finding in none] == [("hub_unreachable", Level.FAIL)] * 2
